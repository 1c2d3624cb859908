"""Metrics that are simple functions of means over rows: their bootstrap needs no second look at the rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairness.outcomes import Outcomes

SMALLEST = 1e-15

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class RowScores:
    """``parts`` ``(n, m)`` per row; ``combine`` turns their means ``(m,)`` into a score, higher is better."""

    parts: Floats
    combine: Callable[[Floats], float]


def compute_row_scores(metric: str, outcomes: Outcomes) -> RowScores | None:
    """The parts of ``metric``, or None where it is not a function of means."""
    build = _BUILDERS.get(metric)
    return None if build is None else build(outcomes)


def _accuracy(outcomes: Outcomes) -> RowScores:
    return _mean_of((outcomes.truth == outcomes.prediction).astype(np.float64))


def _log_loss(outcomes: Outcomes) -> RowScores:
    probability = _probabilities(outcomes)
    chosen = probability[np.arange(len(probability)), outcomes.truth.astype(np.int64)]
    return _mean_of(np.log(np.clip(chosen, SMALLEST, None)))


def _brier_score(outcomes: Outcomes) -> RowScores:
    probability = _probabilities(outcomes)
    hit = np.zeros_like(probability)
    hit[np.arange(len(probability)), outcomes.truth.astype(np.int64)] = 1
    squares = ((probability - hit) ** 2).sum(axis=1)
    return _mean_of(-squares / 2 if outcomes.task_type == "binary" else -squares)


def _mae(outcomes: Outcomes) -> RowScores:
    return _mean_of(-np.abs(_residual(outcomes)))


def _rmse(outcomes: Outcomes) -> RowScores:
    parts = (_residual(outcomes) ** 2)[:, None]
    return RowScores(parts=parts, combine=lambda means: -float(np.sqrt(means[0])))


def _r2(outcomes: Outcomes) -> RowScores:
    centred = outcomes.truth - outcomes.truth.mean()  # keeps the difference of squares accurate
    parts = np.column_stack([_residual(outcomes) ** 2, centred, centred**2])

    def combine(means: Floats) -> float:
        spread = means[2] - means[1] ** 2
        return float(1 - means[0] / spread) if spread > 0 else float("nan")

    return RowScores(parts=parts, combine=combine)


def _mean_of(values: Floats) -> RowScores:
    return RowScores(parts=values[:, None], combine=lambda means: float(means[0]))


def _probabilities(outcomes: Outcomes) -> Floats:
    """Class probabilities ``(n, K)``; a binary score becomes two columns."""
    if outcomes.probability is None:
        raise ValueError("this metric needs probabilities")
    if outcomes.probability.ndim == 2:
        return np.asarray(outcomes.probability, dtype=np.float64)
    return np.column_stack([1 - outcomes.probability, outcomes.probability])


def _residual(outcomes: Outcomes) -> Floats:
    return np.asarray(outcomes.prediction - outcomes.truth, dtype=np.float64)


_BUILDERS: dict[str, Callable[[Outcomes], RowScores]] = {
    "accuracy": _accuracy,
    "log_loss": _log_loss,
    "brier_score": _brier_score,
    "mae": _mae,
    "rmse": _rmse,
    "r2": _r2,
}
