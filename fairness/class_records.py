"""The parts of an audit of several classes as frozen records; each turns itself into the audit schema."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairness.estimates import Estimate
from fairness.records import Counts

CLASS_RATES = (
    "base_rate",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the decisions of a group are from those of all rows: ½ Σ|P(ŷ=k|g) − P(ŷ=k)|, 0 to 1.

    ``floor_mean`` and ``floor_95`` are what a random group of that size shows.
    """

    value: float
    floor_mean: float
    floor_95: float

    def to_json(self) -> dict[str, float]:
        return {"value": self.value, "floor_mean": self.floor_mean, "floor_95": self.floor_95}


@dataclass(frozen=True, slots=True)
class ClassGroup:
    """One group (``attribute`` empty: all rows): its confusion table ``(K, K)`` by truth and decision.

    ``absent`` are the classes without a row in the group: macro recall is the mean over the others.
    """

    attribute: str
    group: str
    table: Ints
    metrics: Mapping[str, Estimate]
    absent: tuple[str, ...] = ()
    shift: Shift | None = None
    is_small: bool = False

    @property
    def n(self) -> int:
        """Rows of the group."""
        return int(self.table.sum())

    @property
    def n_right(self) -> int:
        """Rows whose decision is their class."""
        return int(np.trace(self.table))

    def to_json(self) -> dict[str, object]:
        return {
            "attribute": self.attribute,
            "group": self.group,
            "n": self.n,
            "few_cases": self.is_small,
            "absent_classes": list(self.absent),
            "shift_to_overall": None if self.shift is None else self.shift.to_json(),
            "metrics": {name: metric.to_json() for name, metric in self.metrics.items()},
        }


@dataclass(frozen=True, slots=True)
class ClassCell:
    """One class against all others inside one group, with the counts that its rates derive from."""

    attribute: str
    group: str
    label: str
    counts: Counts
    metrics: Mapping[str, Estimate]

    def to_json(self) -> dict[str, object]:
        return {
            "attribute": self.attribute,
            "group": self.group,
            "class": self.label,
            **self.counts.to_json(),
            "metrics": {name: metric.to_json() for name, metric in self.metrics.items()},
        }


@dataclass(frozen=True, slots=True)
class ClassGap:
    """A signed difference, ``group`` − ``reference``; ``label`` is empty for a metric of all classes.

    ``n_group`` and ``n_reference`` are the cases that the two numbers rest on.
    """

    attribute: str
    metric: str
    label: str
    group: str
    reference: str
    estimate: Estimate
    n_group: int
    n_reference: int
    p_value: float | None = None
    p_holm: float | None = None

    @property
    def is_few(self) -> bool:
        """Whether one of the two numbers rests on few cases."""
        return "few cases" in self.estimate.reason

    def to_json(self) -> dict[str, object]:
        estimate = self.estimate
        return {
            "attribute": self.attribute,
            "metric": self.metric,
            "kind": "difference",
            "class": self.label or None,
            "group": self.group,
            "reference": self.reference,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "n": estimate.n,
            "n_group": self.n_group,
            "n_reference": self.n_reference,
            "method": estimate.method,
            "status": str(estimate.status),
            "reason": estimate.reason,
            "p_value": self.p_value,
            "p_holm": self.p_holm,
        }
