"""Scores of models over bootstrap draws of their rows, without looking at the rows again where that can be had.

A draw is how often each row was taken; every model of a comparison gets the same draws.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairness.definitions import METRICS, compute_score
from fairness.errors import AuditError
from fairness.outcomes import Outcomes
from fairness.resampling import iterate_row_times
from fairness.row_statistics import build_statistic
from fairness.weighted import iterate_weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Resampler = Callable[[Floats], Floats]  # times (B, n) → scores (B,), higher is better

_ALIASES = {"recall": "true_positive_rate"}
_REBINNED = ("ece",)  # its bins are those of the drawn rows


def draw_scores(metric: str, outcomes: Mapping[str, Outcomes], seed: int) -> dict[str, Floats]:
    """Scores of every model over the same draws: name → ``(B,)``; NaN where a draw has no score."""
    resamplers = {name: build_resampler(metric, each) for name, each in outcomes.items()}
    drawn: dict[str, list[Floats]] = {name: [] for name in outcomes}
    for times in _iterate_times(next(iter(outcomes.values())), seed):
        for name, resample in resamplers.items():
            drawn[name].append(resample(times))
    return {name: np.concatenate(parts) for name, parts in drawn.items()}


def _iterate_times(outcomes: Outcomes, seed: int) -> Iterator[Floats]:
    """Draws in chunks ``(chunk, n)``; drawn rows keep their weights."""
    if outcomes.weight is None:
        return iterate_row_times(outcomes.n, seed)
    return iterate_weights(outcomes.weights, seed)


def build_resampler(metric: str, outcomes: Outcomes) -> Resampler:
    """Scores of draws; an empty denominator counts as the worst value where the registry counts it so."""
    if metric in _REBINNED and outcomes.weight is None:
        return _build_by_rows(metric, outcomes)
    row, statistic = METRICS[metric], build_statistic(_ALIASES.get(metric, metric), outcomes)
    worst = row.range[0] if row.sign >= 0 else row.range[1]

    def resample(times: Floats) -> Floats:
        values = statistic(times)
        if row.needs == "label":
            values = np.where(np.isnan(values), worst, values)
        scores: Floats = values * (row.sign or 1)
        return scores

    return resample


def _build_by_rows(metric: str, outcomes: Outcomes) -> Resampler:
    everything = np.arange(outcomes.n)

    def resample(times: Floats) -> Floats:
        rows = (np.repeat(everything, each.astype(np.int64)) for each in times)
        return np.array([_score_rows(metric, outcomes, each) for each in rows])

    return resample


def _score_rows(metric: str, outcomes: Outcomes, rows: Ints) -> float:
    """Score of a draw; NaN where the draw holds one class only."""
    drawn = replace(
        outcomes,
        truth=outcomes.truth[rows],
        prediction=None if outcomes.prediction is None else outcomes.prediction[rows],
        probability=None if outcomes.probability is None else outcomes.probability[rows],
    )
    try:
        return compute_score(metric, drawn)
    except AuditError:
        return float("nan")
