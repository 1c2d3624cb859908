"""Metrics of scores and values: point values and intervals of what is not a table of counts."""

import math

import numpy as np
from numpy.typing import NDArray

from fairness.estimates import Estimate, build_not_estimable
from fairness.intervals import compute_midranks, compute_z
from fairness.reliability import LOG_LOSS_CLIP

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compute_auc_value(truth: Ints, score: Floats) -> float | None:
    """P(s⁺ > s⁻) + ½ P(s⁺ = s⁻); None with one class only."""
    is_positive = truth == 1
    n_positive = int(is_positive.sum())
    n_negative = len(truth) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    rank_sum = float(compute_midranks(score)[is_positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def _list_rankable_classes(truth: Ints, n_classes: int) -> list[int]:
    counts = np.bincount(truth, minlength=n_classes)
    return [k for k in range(n_classes) if 0 < counts[k] < len(truth)]


def compute_auc_ovr_value(truth: Ints, probability: Floats) -> float | None:
    """Mean one-vs-rest AUC over the classes present. Shape: (n,), (n, K)."""
    present = _list_rankable_classes(truth, probability.shape[1])
    if not present:
        return None
    values = [compute_auc_value((truth == k).astype(np.int64), probability[:, k]) for k in present]
    return float(np.mean([value for value in values if value is not None]))


def compute_average_precision(truth: Floats, score: Floats) -> float | None:
    """Σ (R_k − R_{k−1}) P_k over distinct scores; None without a positive label."""
    if len(truth) == 0 or not truth.any():
        return None
    order, last = _order_by_score(score)
    return float(_average_precisions(truth[order], np.ones((1, len(truth))), last)[0])


def _order_by_score(score: Floats) -> tuple[Ints, Ints]:
    """Rows from the highest score down, and the last place of every run of ties."""
    order = np.argsort(-score, kind="stable").astype(np.int64)
    ordered = score[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    return order, last.astype(np.int64)


def _average_precisions(labels: Floats, weights: Floats, last: Ints) -> Floats:
    """Average precision for every row of weights; both are ordered by falling score."""
    flagged = np.cumsum(weights, axis=1)[:, last]
    hits = np.cumsum(weights * labels, axis=1)[:, last]
    total = hits[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(flagged > 0, hits / flagged, 0.0)
        recall = hits / total
    steps = np.diff(recall, axis=1, prepend=0.0)
    averages: Floats = (steps * precision).sum(axis=1)
    return averages


def compute_multiclass_log_losses(truth: Ints, probability: Floats) -> Floats:
    """−ln of the probability of the true class, clipped at 1e-15. Shape: (n,), (n, K) → (n,)."""
    chosen = probability[np.arange(len(truth)), truth]
    losses: Floats = -np.log(np.clip(chosen, LOG_LOSS_CLIP, 1.0))
    return losses


def compute_multiclass_brier_losses(truth: Ints, probability: Floats) -> Floats:
    """Σ_k (p_k − 1[y = k])², from 0 to 2. Shape: (n,), (n, K) → (n,)."""
    target = np.zeros_like(probability)
    target[np.arange(len(truth)), truth] = 1.0
    losses: Floats = ((probability - target) ** 2).sum(axis=1)
    return losses


def compute_top_k_hits(truth: Ints, probability: Floats) -> Ints:
    """1 where the true class is among the k most probable; k is 5 above 5 classes, else 2."""
    k = 5 if probability.shape[1] > 5 else 2
    # Ties go to the later class, as in scikit-learn.
    best = np.argsort(probability, axis=1, kind="stable")[:, ::-1][:, :k]
    hits: Ints = (best == truth[:, None]).any(axis=1).astype(np.int64)
    return hits


def compute_median_interval(values: Floats) -> Estimate:
    """Median with the interval of its order statistics."""
    n = len(values)
    if n == 0:
        return build_not_estimable("no cases", method="order statistics")
    ordered = np.sort(values)
    half = compute_z() * math.sqrt(n) / 2
    low = ordered[max(0, math.floor(n / 2 - half))]
    high = ordered[min(n - 1, math.ceil(n / 2 + half))]
    return Estimate(float(np.median(ordered)), float(low), float(high), n, "order statistics")


def compute_percentage_errors(truth: Floats, prediction: Floats, floor: float) -> Floats:
    """|y − ŷ| / max(|y|, floor) of every row."""
    errors: Floats = np.abs(truth - prediction) / np.maximum(np.abs(truth), floor)
    return errors


def compute_symmetric_errors(truth: Floats, prediction: Floats) -> Floats:
    """2|y − ŷ| / (|y| + |ŷ|) of every row, 0/0 = 0."""
    size = np.abs(truth) + np.abs(prediction)
    errors = np.zeros_like(size)
    np.divide(2 * np.abs(truth - prediction), size, out=errors, where=size > 0)
    return errors


def compute_pinball_losses(truth: Floats, prediction: Floats, quantile: float) -> Floats:
    """q·(y − ŷ) where the forecast is too low, (1 − q)·(ŷ − y) where it is too high."""
    error = truth - prediction
    losses: Floats = np.maximum(quantile * error, (quantile - 1) * error)
    return losses
