"""Metrics as functions of row weights: one look at the rows, then any number of draws of them.

A weight says how many rows a row stands for; a bootstrap draw is a weight of 0, 1, 2 … for every row.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from fairness import rates, scores
from fairness.columns import compute_losses
from fairness.outcomes import Outcomes
from fairness.reliability import N_BINS, assign_bins
from fairness.value_statistics import build_value_statistic

SPECIFICITY = 0.95  # of recall_at_specificity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]  # weights (B, n) → values (B,), NaN where there is none


def compute_statistic(name: str, outcomes: Outcomes) -> float | None:
    """A metric in its own direction; None where a denominator is zero."""
    value = float(build_statistic(name, outcomes)(outcomes.weights[None, :])[0])
    return value if np.isfinite(value) else None


def build_statistic(name: str, outcomes: Outcomes) -> Statistic:
    """A metric of the registry as a function of weights."""
    if outcomes.task_type == "regression":
        return build_value_statistic(name, outcomes)
    build = _OF_SCORES.get(name)
    return _build_of_counts(name, outcomes) if build is None else build(outcomes)


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
    return _build_mean_of([_build_auc(labels == k, score[:, k]) for k in np.unique(labels)])


def _build_mean_of(parts: list[Statistic]) -> Statistic:
    """Mean of the statistics that can be had."""

    def compute(weights: Floats) -> Floats:
        values = np.stack([statistic(weights) for statistic in parts])
        present = np.isfinite(values)
        return rates.divide(np.where(present, values, 0).sum(axis=0), present.sum(axis=0))

    return compute


def _build_auc_ovo(labels: Ints, score: Floats) -> Statistic:
    """Mean over ordered pairs of the classes that have weight."""
    rows = {k: np.flatnonzero(labels == k) for k in np.unique(labels)}
    return _build_mean_of(
        [_build_pair_auc(rows[k], rows[j], score[:, k]) for k in rows for j in rows if k != j]
        or [_build_auc(labels == labels[0], score[:, 0])]  # one class: not estimable
    )


def _build_pair_auc(ups: Ints, downs: Ints, score: Floats) -> Statistic:
    both = np.concatenate([ups, downs])
    statistic = _build_auc(np.arange(len(both)) < len(ups), score[both])
    return lambda weights: statistic(weights[:, both])


def _order_from_top(score: Floats) -> tuple[Ints, Ints]:
    """Rows from the highest score down, and the last place of every run of ties."""
    order = np.argsort(-score, kind="stable").astype(np.int64)
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    return order, last.astype(np.int64)


def _build_average_precision(truth: Floats, score: Floats) -> Statistic:
    """Σ (R_k − R_{k−1}) P_k from rows ordered once by falling score."""
    order, last = _order_from_top(score)
    positive = truth[order]

    def compute(weights: Floats) -> Floats:
        ordered = weights[:, order]
        flagged = np.cumsum(ordered, axis=1)[:, last]
        found = np.cumsum(ordered * positive, axis=1)[:, last]
        steps = np.diff(found, axis=1, prepend=0.0) * rates.divide(found, flagged)
        return rates.divide(np.nansum(steps, axis=1), found[:, -1])

    return compute


def _build_average_precision_ovr(labels: Ints, score: Floats) -> Statistic:
    return _build_mean_of(
        [
            _build_average_precision((labels == k).astype(np.float64), score[:, k])
            for k in np.unique(labels)
        ]
    )


def _build_recall_at_specificity(truth: Floats, score: Floats) -> Statistic:
    """The most positives found by a threshold that leaves 95 % of the negatives alone.

    Of the rows in order only the first are read, which hold the threshold of nearly every draw; else all are.
    """
    order, last = _order_from_top(score)
    positive = truth[order]
    mistaken = np.cumsum(1 - positive)[last]
    expected = (1 - SPECIFICITY) * mistaken[-1]
    n_first = int((mistaken < 2 * expected + 20 * np.sqrt(expected)).sum()) + 1

    def compute(weights: Floats) -> Floats:
        ups = weights @ truth
        downs = weights.sum(axis=1) - ups
        allowed = (1 - SPECIFICITY) * downs * (1 + 1e-12)
        best, is_over = _find_most(weights, order, positive, last[:n_first], allowed)
        if n_first < len(last) and not is_over:
            best, _ = _find_most(weights, order, positive, last, allowed)
        return rates.divide(np.where(downs > 0, best, np.nan), ups)

    return compute


def _find_most(
    weights: Floats, order: Ints, positive: Floats, last: Ints, allowed: Floats
) -> tuple[Floats, bool]:
    """Positives found by the lowest allowed threshold, and whether every draw passed it within these rows."""
    end = last[-1] + 1
    ordered, own = weights[:, order[:end]], positive[:end]
    found = np.cumsum(ordered * own, axis=1)[:, last]
    mistaken = np.cumsum(ordered * (1 - own), axis=1)[:, last]
    is_allowed = mistaken <= allowed[:, None]
    return np.where(is_allowed, found, 0.0).max(axis=1), not is_allowed[:, -1].any()


def _build_ece(outcomes: Outcomes) -> Statistic:
    """Σ |Σ_b w (y − s)| / Σw; the bins hold equal numbers of rows, not of weight."""
    truth, score = outcomes.values, outcomes.scores
    if outcomes.task_type != "binary":
        truth = (score.argmax(axis=1) == outcomes.labels).astype(np.float64)
        score = np.minimum(score.max(axis=1), 1.0)
    gaps = np.eye(N_BINS)[assign_bins(score)] * (truth - score)[:, None]
    return lambda weights: rates.divide(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


_OF_SCORES: Mapping[str, Callable[[Outcomes], Statistic]] = {
    "roc_auc": lambda given: _build_auc(given.labels == 1, given.scores),
    "roc_auc_ovr": lambda given: _build_auc_ovr(given.labels, given.scores),
    "roc_auc_ovo": lambda given: _build_auc_ovo(given.labels, given.scores),
    "average_precision": lambda given: _build_average_precision(given.values, given.scores),
    "average_precision_ovr": lambda given: _build_average_precision_ovr(given.labels, given.scores),
    "recall_at_specificity": lambda given: _build_recall_at_specificity(given.values, given.scores),
    "ece": _build_ece,
    "top_k_accuracy": lambda given: _build_mean(
        scores.compute_top_k_hits(given.labels, given.scores)
    ),
    "mean_prediction": lambda given: _build_mean(given.scores),
    "log_loss": lambda given: _build_mean(compute_losses("log_loss", given)),
    "brier_score": lambda given: _build_mean(compute_losses("brier_score", given)),
}
