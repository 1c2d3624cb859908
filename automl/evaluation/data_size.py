"""How the score of one configuration grows with the rows it learns from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task
from automl.evaluation.comparison import ComparisonInput, compute_difference
from automl.evaluation.outcomes import build_outcomes
from fairness.definitions import METRICS, compute_metric

N_DOUBLINGS = 4  # from a sixteenth of the rows to all of them
LEAST_ROWS = 40  # fewer are not trained on

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeRun:
    """One training on ``n_rows``; ``prediction`` of the select rows, None where it failed, and then why."""

    n_rows: int
    prediction: NDArray[np.floating] | None
    seconds: float
    failure: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SizePoint:
    """The metric on the select part after learning from ``n_rows``, in its own direction, with its 95 % interval.

    ``change``: from the last smaller size that could be trained, with its paired interval; None for the first.
    """

    n_rows: int
    value: float | None
    low: float | None
    high: float | None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    seconds: float = 0.0
    failure: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeCurve:
    """Points by size, the smallest first; ``n_judged`` select rows scored them all.

    ``epochs``: of a network on all rows (fewer rows have more, so that the steps are about the same), 0 for others.
    """

    model: str
    family: str
    metric: str
    n_judged: int
    seed: int
    device: str
    points: tuple[SizePoint, ...]
    epochs: int = 0


def list_sizes(n_train: int) -> tuple[int, ...]:
    """A sixteenth, an eighth … all of the rows; sizes under 40 rows are left out."""
    sizes = [round(n_train / 2**k) for k in range(N_DOUBLINGS, 0, -1)]
    return (*(size for size in sizes if size >= LEAST_ROWS), n_train)


def order_rows(rows: Ints, labels: Ints | None, seed: int) -> Ints:
    """The rows in mixed order, so that the first m are a random sample for every m, each inside the next.

    With ``labels`` (class index of each row) every class keeps its share. Shape: (n,), (n,) → (n,).
    """
    draws = np.random.default_rng(seed)
    if labels is None:
        return draws.permutation(rows)
    place = np.empty(len(rows))
    for label in np.unique(labels):
        inside = np.flatnonzero(labels == label)
        steps = np.arange(len(inside)) + draws.random()
        place[draws.permutation(inside)] = steps / len(inside)
    return np.asarray(rows[np.argsort(place, kind="stable")])


def compute_points(
    task: Task,
    truth: NDArray[np.generic],
    runs: Sequence[SizeRun],
    *,
    weight: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> tuple[SizePoint, ...]:
    """The primary metric of every run on the same rows, and how it changed from size to size."""
    points: list[SizePoint] = []
    before: SizeRun | None = None
    for run in runs:
        if run.prediction is None:
            points.append(
                SizePoint(
                    n_rows=run.n_rows, value=None, low=None, high=None, seconds=run.seconds,
                    failure=run.failure,
                )
            )  # fmt: skip
            continue
        outcomes = build_outcomes(task, truth, run.prediction, weight=weight)
        found = compute_metric(task.metric, outcomes, seed=seed)
        change: tuple[float | None, ...] = (None, None, None)
        if before is not None and before.prediction is not None:
            change = _compare(
                ComparisonInput(
                    task=task,
                    truth=truth,
                    predictions={"before": before.prediction, "now": run.prediction},
                    metric=task.metric,
                    seed=seed,
                    weight=weight,
                )
            )
        points.append(
            SizePoint(
                n_rows=run.n_rows,
                value=found.value,
                low=found.low,
                high=found.high,
                change=change[0],
                change_low=change[1],
                change_high=change[2],
                seconds=run.seconds,
                failure=found.reason if found.value is None else "",
            )
        )
        before = run
    return tuple(points)


def _compare(comparison: ComparisonInput) -> tuple[float | None, float | None, float | None]:
    """The change of the metric in its own direction: value, low, high."""
    found = compute_difference(comparison, "now", "before")
    if found.value is None or METRICS[comparison.metric].direction != "lower":
        return found.value, found.low, found.high
    low, high = (None if end is None else 0.0 - end for end in (found.high, found.low))
    return 0.0 - found.value, low, high
