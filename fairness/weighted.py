"""Metrics of rows that do not count the same, and their intervals.

A weight says how many rows a row stands for; only the ratios matter. Values are the same as if every row stood
there so often. Intervals come from a bootstrap that draws rows and keeps their weights: Wilson, DeLong and the
multinomial bootstrap take weights for counts and would be far too narrow.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairness import rates, scores
from fairness.columns import build_value_columns, compute_losses
from fairness.estimates import Estimate, build_not_estimable
from fairness.outcomes import Outcomes
from fairness.reliability import N_BINS, assign_bins
from fairness.resampling import build_bootstrap_estimate, iterate_row_draws

MAX_DRAWS = 400  # all metrics of a model share them
POINT_ONLY = ("ece",)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]  # weights (B, n) → values (B,), NaN where there is none


def compute_effective_rows(weight: Floats) -> float:
    """Rows of equal weight that would tell as much, (Σw)² / Σw² (Kish 1965)."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def compute_weighted_point(name: str, outcomes: Outcomes) -> float | None:
    """A metric in its own direction; None where a denominator is zero."""
    value = float(build_statistic(name, outcomes)(outcomes.weights[None, :])[0])
    return value if np.isfinite(value) else None


def compute_weighted_metrics(
    names: Sequence[str], outcomes: Outcomes, seed: int = 0
) -> dict[str, Estimate]:
    """Metrics with intervals from the same draws; the method says how many, and the effective rows."""
    weight = outcomes.weights
    statistics = {name: build_statistic(name, outcomes) for name in names}
    drawn: dict[str, list[Floats]] = {name: [] for name in names if name not in POINT_ONLY}
    for times in iterate_weights(weight, seed) if drawn else ():
        for name, values in drawn.items():
            values.append(statistics[name](times))
    rows = f"{compute_effective_rows(weight):,.0f} effective rows"
    return {
        name: _build_estimate(
            float(statistic(weight[None, :])[0]), drawn.get(name), outcomes.n, rows
        )
        for name, statistic in statistics.items()
    }


def _build_estimate(value: float, drawn: list[Floats] | None, n: int, rows: str) -> Estimate:
    if drawn is None:
        if not np.isfinite(value):
            return build_not_estimable("a denominator is zero", n=n)
        reason = "no interval: compare it with its null value"
        return Estimate(value, None, None, n, f"weighted, {rows}", reason=reason)
    draws = np.concatenate(drawn)
    method = f"weighted row bootstrap, {len(draws)} draws, {rows}"
    return build_bootstrap_estimate(value, draws, n, method)


def iterate_weights(weight: Floats, seed: int = 0) -> Iterator[Floats]:
    """Weights of bootstrap draws in chunks ``(chunk, n)``: how often a row was drawn, times its weight."""
    n, left = len(weight), MAX_DRAWS
    for rows in iterate_row_draws(np.zeros(n, dtype=np.int64), seed):
        flat = rows[:left] + np.arange(len(rows[:left]))[:, None] * n
        times = np.bincount(flat.ravel(), minlength=flat.size).reshape(flat.shape)
        yield times * weight
        left -= len(flat)
        if left <= 0:
            break


def build_statistic(name: str, outcomes: Outcomes) -> Statistic:
    """A metric of the registry as a function of weights."""
    if outcomes.task_type == "regression":
        return _build_of_values(name, outcomes)
    build = _OF_SCORES.get(name)
    return _build_of_counts(name, outcomes) if build is None else build(outcomes)


def _build_of_values(name: str, outcomes: Outcomes) -> Statistic:
    if name == "median_absolute_error":
        return _build_median(np.abs(outcomes.values - outcomes.forecasts))
    built = build_value_columns(name, outcomes)
    if built is None:
        return lambda weights: np.full(len(weights), np.nan)
    columns, statistic = built
    return lambda weights: statistic(weights @ columns / weights.sum(axis=1, keepdims=True))


def _build_mean(values: NDArray[np.generic]) -> Statistic:
    column = values.astype(np.float64)
    return lambda weights: rates.divide(weights @ column, weights.sum(axis=1))


def _build_of_counts(name: str, outcomes: Outcomes) -> Statistic:
    k = outcomes.n_classes
    cells = outcomes.labels * k + outcomes.decisions
    statistic = _find_statistic(name, k, is_binary=outcomes.task_type == "binary")

    def compute(weights: Floats) -> Floats:
        tables = [np.bincount(cells, weights=each, minlength=k * k) for each in weights]
        return statistic(np.stack(tables))

    return compute


def _find_statistic(name: str, k: int, *, is_binary: bool) -> Statistic:
    if name == "accuracy":
        right = np.eye(k).ravel()
        return lambda tables: rates.divide(tables @ right, tables.sum(axis=1))
    return rates.find_composite(name, is_binary=is_binary)


def _build_auc(is_positive: NDArray[np.bool_], score: Floats) -> Statistic:
    """P(s⁺ > s⁻) + ½ P(s⁺ = s⁻), rows taken by weight."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
    positive = is_positive[order].astype(np.float64)

    def compute(weights: Floats) -> Floats:
        ordered = weights[:, order]
        ups = np.add.reduceat(ordered * positive, starts, axis=1)
        downs = np.add.reduceat(ordered * (1 - positive), starts, axis=1)
        below = np.cumsum(downs, axis=1) - downs / 2
        return rates.divide((ups * below).sum(axis=1), ups.sum(axis=1) * downs.sum(axis=1))

    return compute


def _build_auc_ovr(labels: Ints, score: Floats) -> Statistic:
    """Mean over the classes that have weight."""
    each = [_build_auc(labels == k, score[:, k]) for k in np.unique(labels)]

    def compute(weights: Floats) -> Floats:
        values = np.stack([statistic(weights) for statistic in each])
        present = np.isfinite(values)
        return rates.divide(np.where(present, values, 0).sum(axis=0), present.sum(axis=0))

    return compute


def _build_average_precision(truth: Floats, score: Floats) -> Statistic:
    """Σ (R_k − R_{k−1}) P_k from rows ordered once by falling score."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    positive = truth[order]

    def compute(weights: Floats) -> Floats:
        ordered = weights[:, order]
        flagged = np.cumsum(ordered, axis=1)[:, last]
        found = np.cumsum(ordered * positive, axis=1)[:, last]
        steps = np.diff(found, axis=1, prepend=0.0) * rates.divide(found, flagged)
        return rates.divide(np.nansum(steps, axis=1), found[:, -1])

    return compute


def _build_ece(outcomes: Outcomes) -> Statistic:
    """Σ |Σ_b w (y − s)| / Σw; the bins hold equal numbers of rows, not of weight."""
    truth, score = outcomes.values, outcomes.scores
    if outcomes.task_type != "binary":
        truth = (score.argmax(axis=1) == outcomes.labels).astype(np.float64)
        score = np.minimum(score.max(axis=1), 1.0)
    gaps = np.eye(N_BINS)[assign_bins(score)] * (truth - score)[:, None]
    return lambda weights: rates.divide(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def _build_median(errors: Floats) -> Statistic:
    """The middle by weight; the mean of two neighbours where it falls between them."""
    order = np.argsort(errors, kind="stable")
    ordered = errors[order]

    def compute(weights: Floats) -> Floats:
        reached = np.cumsum(weights[:, order], axis=1)
        half = reached[:, -1:] / 2 * (1 - 1e-12), reached[:, -1:] / 2 * (1 + 1e-12)
        low, high = ((reached >= each).argmax(axis=1) for each in half)
        middle: Floats = (ordered[low] + ordered[high]) / 2
        return middle

    return compute


_OF_SCORES: Mapping[str, Callable[[Outcomes], Statistic]] = {
    "roc_auc": lambda given: _build_auc(given.labels == 1, given.scores),
    "roc_auc_ovr": lambda given: _build_auc_ovr(given.labels, given.scores),
    "average_precision": lambda given: _build_average_precision(given.values, given.scores),
    "ece": _build_ece,
    "top_k_accuracy": lambda given: _build_mean(
        scores.compute_top_k_hits(given.labels, given.scores)
    ),
    "mean_prediction": lambda given: _build_mean(given.scores),
    "log_loss": lambda given: _build_mean(compute_losses("log_loss", given)),
    "brier_score": lambda given: _build_mean(compute_losses("brier_score", given)),
}
