"""The record of how well a model predicts, and its JSON form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from automl.errors import DataError
from fairness.estimates import Estimate, Status

VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Metrics with intervals and every curve as a tidy frame; a pure function of task, truth, prediction.

    ``metrics``: registry name → Estimate, the primary one first. ``curves``: name → frame (names and columns
    in ``evaluate``), thinned for figures. ``facts``: single numbers that go with the curves (base rate,
    value of the calibration error expected by chance, parts of the proper scores …). ``notes`` say what was left out.
    """

    task_type: str
    n: int
    seed: int
    metrics: Mapping[str, Estimate]
    curves: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    facts: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; null, never NaN."""
        return {
            "version": VERSION,
            "task_type": self.task_type,
            "n": self.n,
            "seed": self.seed,
            "metrics": {name: estimate.to_json() for name, estimate in self.metrics.items()},
            "curves": {name: render_frame(frame) for name, frame in self.curves.items()},
            "facts": dict(self.facts),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Evaluation":
        """Read what ``to_json`` wrote; another version is a ``DataError``."""
        if value.get("version") != VERSION:
            raise DataError(
                f"This evaluation has version {value.get('version')!r}; this release reads {VERSION}.",
                hint="Run the search again.",
            )
        return cls(
            task_type=value["task_type"],
            n=value["n"],
            seed=value["seed"],
            metrics={name: parse_estimate(each) for name, each in value["metrics"].items()},
            curves={name: parse_frame(each) for name, each in value["curves"].items()},
            facts=value["facts"],
            notes=tuple(value["notes"]),
        )


def parse_estimate(value: Mapping[str, Any]) -> Estimate:
    """Read one ``Estimate.to_json``."""
    return Estimate(**{**value, "status": Status(value["status"])})


def render_frame(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Column → values; missing numbers become None."""
    return {
        str(name): [None if pd.isna(value) else value for value in column.tolist()]
        for name, column in frame.items()
    }


def parse_frame(value: Mapping[str, list[Any]]) -> pd.DataFrame:
    """The frame of ``render_frame``; columns of numbers and None are float with NaN again."""
    frame = pd.DataFrame(dict(value))
    for name, column in value.items():
        if all(each is None or isinstance(each, (int, float)) for each in column):
            frame[name] = pd.to_numeric(frame[name])
    return frame
