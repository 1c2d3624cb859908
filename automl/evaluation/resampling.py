"""Scores of a model over bootstrap draws of its rows, without looking at the rows again where that can be had.

A draw is how often each row was taken; every model of a comparison gets the same draws.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairness import rates
from fairness.definitions import METRICS, compute_score
from fairness.errors import AuditError
from fairness.outcomes import Outcomes
from fairness.reliability import compute_brier_losses, compute_log_losses
from fairness.resampling import iterate_row_draws
from fairness.scores import (
    compute_multiclass_brier_losses,
    compute_multiclass_log_losses,
    compute_symmetric_errors,
    compute_top_k_hits,
)
from fairness.weighted import build_statistic, iterate_weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Resampler = Callable[[Floats], Floats]  # times (B, n) → scores (B,), higher is better

_ALIASES = {"recall": "true_positive_rate"}


def draw_scores(metric: str, outcomes: Mapping[str, Outcomes], seed: int) -> dict[str, Floats]:
    """Scores of every model over the same draws: name → ``(B,)``; NaN where a draw has no score."""
    first = next(iter(outcomes.values()))
    if first.weight is not None:
        return _draw_weighted(metric, outcomes, seed)
    n = first.n
    resamplers = {name: build_resampler(metric, each) for name, each in outcomes.items()}
    drawn: dict[str, list[Floats]] = {name: [] for name in outcomes}
    for rows in iterate_row_draws(np.zeros(n, dtype=np.int64), seed):
        times = _count_rows(rows, n)
        for name, resample in resamplers.items():
            drawn[name].append(resample(times))
    return {name: np.concatenate(parts) for name, parts in drawn.items()}


def _draw_weighted(metric: str, outcomes: Mapping[str, Outcomes], seed: int) -> dict[str, Floats]:
    """The same where rows have weights: drawn rows keep theirs."""
    name, sign = _ALIASES.get(metric, metric), METRICS[metric].sign or 1
    statistics = {model: build_statistic(name, each) for model, each in outcomes.items()}
    drawn: dict[str, list[Floats]] = {model: [] for model in outcomes}
    for weights in iterate_weights(next(iter(outcomes.values())).weights, seed):
        for model, statistic in statistics.items():
            drawn[model].append(sign * statistic(weights))
    return {model: np.concatenate(parts) for model, parts in drawn.items()}


def build_resampler(metric: str, outcomes: Outcomes) -> Resampler:
    """The fastest way to score draws: means of rows, count tables, ordered sums, else row by row."""
    name = _ALIASES.get(metric, metric)
    means = _build_means(name, outcomes)
    if means is not None:
        return means
    if METRICS[metric].needs == "label":
        return _build_counts(name, outcomes)
    if name == "average_precision":
        return _build_average_precision(outcomes)
    return _build_by_rows(metric, outcomes)


def _count_rows(rows: Ints, n: int) -> Floats:
    """How often each row was drawn. Shape: (B, n) → (B, n)."""
    flat = rows + np.arange(len(rows))[:, None] * n
    return np.bincount(flat.ravel(), minlength=rows.size).reshape(rows.shape).astype(np.float64)


def _build_means(name: str, outcomes: Outcomes) -> Resampler | None:
    """Metrics that are functions of means over rows."""
    build = _MEANS.get(name)
    if build is None:
        return None
    parts, combine = build(outcomes)
    n = outcomes.n

    def resample(times: Floats) -> Floats:
        return combine(times @ parts / n)

    return resample


def _build_counts(name: str, outcomes: Outcomes) -> Resampler:
    """Metrics of the count table; an empty denominator counts as the worst value, as in the registry."""
    k = outcomes.n_classes
    cells = outcomes.labels * k + outcomes.decisions
    metric = METRICS[name]
    worst = metric.range[0] if metric.sign >= 0 else metric.range[1]
    statistic = rates.find_composite(name, is_binary=outcomes.task_type == "binary")

    def resample(times: Floats) -> Floats:
        counted = [np.bincount(cells, weights=each, minlength=k * k) for each in times]
        tables = np.stack(counted).astype(np.float64)
        values = statistic(tables)
        return np.where(np.isnan(values), worst, values) * (metric.sign or 1)

    return resample


def _build_average_precision(outcomes: Outcomes) -> Resampler:
    """Σ (R_k − R_{k−1}) P_k from rows ordered once by falling score."""
    score = outcomes.scores
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    positive = outcomes.values[order]

    def resample(times: Floats) -> Floats:
        weight = times[:, order]
        flagged = np.cumsum(weight, axis=1)[:, last]
        found = np.cumsum(weight * positive, axis=1)[:, last]
        precision = rates.divide(found, flagged)
        steps = np.diff(found, axis=1, prepend=0.0)
        return rates.divide(np.nansum(steps * precision, axis=1), found[:, -1])

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


_Means = tuple[Floats, Callable[[Floats], Floats]]


def _mean_of(values: NDArray[np.generic]) -> _Means:
    return values.astype(np.float64)[:, None], lambda means: means[:, 0]


def _accuracy(outcomes: Outcomes) -> _Means:
    return _mean_of(outcomes.labels == outcomes.decisions)


def _log_loss(outcomes: Outcomes) -> _Means:
    if outcomes.task_type == "binary":
        return _mean_of(-compute_log_losses(outcomes.values, outcomes.scores))
    return _mean_of(-compute_multiclass_log_losses(outcomes.labels, outcomes.scores))


def _brier_score(outcomes: Outcomes) -> _Means:
    if outcomes.task_type == "binary":
        return _mean_of(-compute_brier_losses(outcomes.values, outcomes.scores))
    return _mean_of(-compute_multiclass_brier_losses(outcomes.labels, outcomes.scores))


def _top_k_accuracy(outcomes: Outcomes) -> _Means:
    return _mean_of(compute_top_k_hits(outcomes.labels, outcomes.scores))


def _smape(outcomes: Outcomes) -> _Means:
    return _mean_of(-compute_symmetric_errors(outcomes.values, outcomes.forecasts))


def _get_residual(outcomes: Outcomes) -> Floats:
    residual: Floats = outcomes.forecasts - outcomes.values
    return residual


def _mae(outcomes: Outcomes) -> _Means:
    return _mean_of(-np.abs(_get_residual(outcomes)))


def _mse(outcomes: Outcomes) -> _Means:
    return _mean_of(-(_get_residual(outcomes) ** 2))


def _rmse(outcomes: Outcomes) -> _Means:
    return (_get_residual(outcomes) ** 2)[:, None], lambda means: -np.sqrt(means[:, 0])


def _r2(outcomes: Outcomes) -> _Means:
    centred = outcomes.values - outcomes.values.mean()  # keeps the difference of squares accurate
    parts = np.column_stack([_get_residual(outcomes) ** 2, centred, centred**2])
    return parts, lambda means: 1 - rates.divide(means[:, 0], means[:, 2] - means[:, 1] ** 2)


_MEANS: dict[str, Callable[[Outcomes], _Means]] = {
    "accuracy": _accuracy,
    "log_loss": _log_loss,
    "brier_score": _brier_score,
    "top_k_accuracy": _top_k_accuracy,
    "mae": _mae,
    "mse": _mse,
    "rmse": _rmse,
    "r2": _r2,
    "smape": _smape,
}
