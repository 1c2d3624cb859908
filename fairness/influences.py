"""How much each row moves a ranking metric: the sum of squares is the variance, that of a difference the paired one."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from fairness.estimates import Estimate, build_not_estimable
from fairness.intervals import build_auc_estimate, compute_auc_influence
from fairness.outcomes import Outcomes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Influence = tuple[float, Floats]  # the metric, and (n,)


def compute_influence(name: str, outcomes: Outcomes) -> Influence | None:
    """One of ``FORMULAS`` with the influence of every row; None where the labels do not allow it.

    With one row of a class the influence is NaN.
    """
    if len(np.unique(outcomes.labels)) < 2:
        return None
    return FORMULAS[name](outcomes)


def estimate_by_influence(name: str, outcomes: Outcomes) -> Estimate:
    """The metric with its interval on the logit scale, which cannot leave [0, 1]."""
    method = "delong logit" if name.startswith("roc_auc") else "influence logit"
    found = compute_influence(name, outcomes)
    if found is None:
        return build_not_estimable("only one class is present", n=outcomes.n, method=method)
    value, influence = found
    error = math.sqrt(float((influence**2).sum()))
    return build_auc_estimate(value, error, outcomes.n, method=method)


def compute_average_precision_influence(is_positive: NDArray[np.bool_], score: Floats) -> Influence:
    """Average precision Σ (F/G) f / π by its derivative; at least one label is positive.

    F and G are the shares of positive rows and of all rows at or above a score, f that of positive rows at it, π that
    of positive rows. Shape: (n,), (n,) → float, (n,).
    """
    n = len(score)
    _, group = np.unique(-score, return_inverse=True)  # the highest score first
    positive = is_positive.astype(np.float64)
    at = np.bincount(group, weights=positive) / n  # f
    found, flagged = np.cumsum(at), np.cumsum(np.bincount(group)) / n  # F, G
    precision, base = found / flagged, positive.mean()
    value = float((precision * at).sum() / base)
    # What a row adds to F, f and G counts at every score at or below its own, which come later in this order.
    gain = np.cumsum((at / flagged)[::-1])[::-1]
    loss = np.cumsum((found * at / flagged**2)[::-1])[::-1]
    influence = (positive * (precision + gain - value)[group] - loss[group]) / base
    return value, influence / n


def compute_auc_ovo_influence(labels: Ints, score: Floats) -> Influence:
    """Mean AUC over ordered pairs of the classes present (Hand & Till 2001). Shape: (n,), (n, K) → float, (n,)."""
    present, own = np.unique(labels, return_inverse=True)
    sizes = np.bincount(own).astype(np.float64)
    scale = np.where(sizes > 1, np.sqrt(sizes * (sizes - 1)), np.nan)
    n_present, total = len(present), 0.0
    influence = np.zeros(len(labels))
    for k in range(n_present):
        _, group = np.unique(score[:, present[k]], return_inverse=True)
        flat = np.bincount(group * n_present + own, minlength=(group.max() + 1) * n_present)
        counts = flat.reshape(-1, n_present)
        below = np.cumsum(counts, axis=0) - counts / 2  # of each class, ties half
        mine, others = own == k, np.arange(n_present) != k
        above = below[group[mine]][:, others] / sizes[others]  # V10 against each class
        pairs = np.zeros(n_present)
        pairs[others] = above.mean(axis=0)
        total += pairs.sum()
        influence[mine] += (above - pairs[others]).sum(axis=1) / scale[k]
        rest = 1 - below[group[~mine], k] / sizes[k]  # V01
        influence[~mine] += (rest - pairs[own[~mine]]) / scale[own[~mine]]
    n_pairs = n_present * (n_present - 1)
    return float(total / n_pairs), influence / n_pairs


def _average(each: list[Influence]) -> Influence:
    mean: Floats = np.mean([influence for _, influence in each], axis=0)
    return float(np.mean([value for value, _ in each])), mean


def _auc_ovr(given: Outcomes) -> Influence:
    labels, score = given.labels, given.scores
    return _average([compute_auc_influence(labels == k, score[:, k]) for k in np.unique(labels)])


def _average_precision_ovr(given: Outcomes) -> Influence:
    labels, score = given.labels, given.scores
    return _average(
        [compute_average_precision_influence(labels == k, score[:, k]) for k in np.unique(labels)]
    )


FORMULAS: Mapping[str, Callable[[Outcomes], Influence]] = {
    "roc_auc": lambda given: compute_auc_influence(given.labels, given.scores),
    "roc_auc_ovr": _auc_ovr,
    "roc_auc_ovo": lambda given: compute_auc_ovo_influence(given.labels, given.scores),
    "average_precision_ovr": _average_precision_ovr,
}
