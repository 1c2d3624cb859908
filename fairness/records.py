"""The parts of an audit as frozen records; each turns itself into the audit schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.estimates import Estimate, Status

Kind = Literal["difference", "ratio"]
TOLERANCE = (
    1e-9  # two computations of one number may differ by this much and are still called equal
)


@dataclass(frozen=True, slots=True)
class Counts:
    """The four counts that every rate derives from."""

    tn: int
    fp: int
    fn: int
    tp: int

    @property
    def n(self) -> int:
        """All rows."""
        return self.tn + self.fp + self.fn + self.tp

    @property
    def positives(self) -> int:
        """Rows with a positive label."""
        return self.fn + self.tp

    @property
    def table(self) -> NDArray[np.int64]:
        """The counts in the order tn, fp, fn, tp."""
        return np.array([self.tn, self.fp, self.fn, self.tp], dtype=np.int64)

    def to_json(self) -> dict[str, int]:
        return {"tn": self.tn, "fp": self.fp, "fn": self.fn, "tp": self.tp}


@dataclass(frozen=True, slots=True)
class GroupResult:
    """One group of one attribute (``attribute`` empty: all rows) with its counts and metrics."""

    attribute: str
    group: str
    counts: Counts
    metrics: Mapping[str, Estimate]
    is_small: bool = False

    @property
    def n(self) -> int:
        """Rows of the group."""
        return self.counts.n

    def to_json(self) -> dict[str, object]:
        return {
            "attribute": self.attribute,
            "group": self.group,
            "n": self.n,
            "few_cases": self.is_small,
            "metrics": {name: metric.to_json() for name, metric in self.metrics.items()},
        }


@dataclass(frozen=True, slots=True)
class Gap:
    """A signed difference or a ratio of one metric: ``group`` against ``reference``."""

    attribute: str
    metric: str
    kind: Kind
    group: str
    reference: str
    estimate: Estimate
    p_value: float | None = None
    p_holm: float | None = None

    def to_json(self) -> dict[str, object]:
        estimate = self.estimate
        return {
            "attribute": self.attribute,
            "metric": self.metric,
            "kind": self.kind,
            "group": self.group,
            "reference": self.reference,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "n": estimate.n,
            "method": estimate.method,
            "status": str(estimate.status),
            "reason": estimate.reason,
            "p_value": self.p_value,
            "p_holm": self.p_holm,
        }


@dataclass(frozen=True, slots=True)
class Spread:
    """Largest against smallest value over a set of groups, with what chance alone would show.

    ``value`` is max − min, or min/max for a ratio; None with a ``reason`` where it is not estimable.
    ``excluded`` maps the groups left out to why. Floors are None where none is defined.
    """

    value: float | None
    max_group: str = ""
    min_group: str = ""
    floor_mean: float | None = None
    floor_95: float | None = None
    p_value: float | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def status(self) -> Status:
        """Whether there is a value."""
        return Status.OK if self.value is not None else Status.NOT_ESTIMABLE

    def to_json(self) -> dict[str, object]:
        return {
            "value": self.value,
            "max_group": self.max_group,
            "min_group": self.min_group,
            "floor_mean": self.floor_mean,
            "floor_95": self.floor_95,
            "p_value": self.p_value,
            "excluded": [{"group": g, "reason": r} for g, r in self.excluded.items()],
            "status": str(self.status),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Extreme:
    """One metric of one attribute over its groups: all estimable ones, and those with enough cases."""

    attribute: str
    metric: str
    kind: Kind
    all_groups: Spread
    large_groups: Spread
    to_overall: float | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "attribute": self.attribute,
            "metric": self.metric,
            "kind": self.kind,
            **self.all_groups.to_json(),
            "to_overall": self.to_overall,
            "large_groups": self.large_groups.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration of one group (``attribute`` empty: all rows).

    ``numbers`` are plain values, None where not estimable; ``bins`` and ``curve`` are empty for groups with
    too few rows or events. ``reason`` says what is missing.
    """

    attribute: str
    group: str
    n: int
    numbers: Mapping[str, float | None]
    bins: pd.DataFrame
    curve: pd.DataFrame
    reason: str = ""

    def to_json(self) -> dict[str, object]:
        return {
            "attribute": self.attribute,
            "group": self.group,
            "n": self.n,
            **self.numbers,
            "bins": self.bins.to_dict("records"),
            "curve": self.curve.to_dict("records"),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """What computing the same numbers with another library gave.

    ``where`` names the number with the largest difference, "" where all agree to the last digit;
    ``not_compared`` lists what was left out and why; ``warnings`` name every number that differs.
    """

    library: str
    version: str
    n_compared: int
    largest_difference: float
    where: str = ""
    not_compared: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {
            "library": self.library,
            "version": self.version,
            "n_compared": self.n_compared,
            "largest_difference": self.largest_difference,
            "where": self.where,
            "not_compared": list(self.not_compared),
        }
