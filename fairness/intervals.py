"""Closed-form intervals and tests: Wilson, Newcombe, Katz, DeLong, Holm, McNemar, Fisher.

Everything is at 95 % unless a level is given. Own code on the standard library and NumPy, so that the
training processes may import it; the tests hold it against statsmodels.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairness.errors import AuditError
from fairness.estimates import Estimate, build_not_estimable

LEVEL = 0.95
SMALL_DISCORDANT = 25  # below it McNemar's chi-square is not trusted
SMALL_EXPECTED = 5  # below it the two-proportion score test is not trusted

Floats = NDArray[np.float64]


def compute_z(level: float = LEVEL) -> float:
    """Two-sided normal quantile: 1.959964 at 95 %."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def compute_wilson(k: int, n: int, level: float = LEVEL) -> Estimate:
    """Proportion k/n with Wilson's score interval (Wilson 1927); n = 0 is not estimable."""
    k, n = int(k), int(n)
    if not 0 <= k <= n:
        raise AuditError(f"A proportion needs 0 ≤ k ≤ n, got k = {k}, n = {n}.")
    if n == 0:
        return build_not_estimable("no cases", method="wilson", denominator=0)
    low, high = compute_wilson_bounds(k / n, n, compute_z(level))
    return Estimate(k / n, low, high, n, "wilson", numerator=k, denominator=n)


def compute_wilson_bounds(p: float, n: float, z: float | None = None) -> tuple[float, float]:
    """Ends of Wilson's interval of a share ``p`` of ``n`` rows, at 95 % unless ``z`` says otherwise."""
    z = compute_z() if z is None else z
    shrink = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / shrink
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / shrink
    low = 0.0 if p == 0 else max(0.0, centre - half)
    high = 1.0 if p == 1 else min(1.0, centre + half)
    return low, high


def compute_newcombe(k1: int, n1: int, k2: int, n2: int, level: float = LEVEL) -> Estimate:
    """Difference k1/n1 − k2/n2 with Newcombe's hybrid score interval (Stat. Med. 1998, 17:873)."""
    first, second = compute_wilson(k1, n1, level), compute_wilson(k2, n2, level)
    if first.value is None or second.value is None:
        return build_not_estimable("no cases in one of the two groups", method="newcombe")
    p1, p2 = first.value, second.value
    low1, high1 = compute_wilson_bounds(p1, int(n1), compute_z(level))
    low2, high2 = compute_wilson_bounds(p2, int(n2), compute_z(level))
    difference = p1 - p2
    return Estimate(
        value=difference,
        low=difference - math.hypot(p1 - low1, high2 - p2),
        high=difference + math.hypot(high1 - p1, p2 - low2),
        n=int(n1) + int(n2),
        method="newcombe",
    )


def compute_katz(k1: int, n1: int, k2: int, n2: int, level: float = LEVEL) -> Estimate:
    """Ratio (k1/n1) / (k2/n2) with Katz's log interval (Biometrics 1978); a zero count has no interval."""
    if n1 == 0 or n2 == 0:
        return build_not_estimable("no cases in one of the two groups", method="katz")
    n = int(n1) + int(n2)
    if k2 == 0:
        return build_not_estimable("the reference rate is zero", method="katz", n=n)
    ratio = float(k1 / n1 / (k2 / n2))
    if k1 == 0:
        return Estimate(ratio, None, None, n, "katz", reason="interval not estimable: a zero count")
    half = compute_z(level) * math.sqrt(1 / k1 - 1 / n1 + 1 / k2 - 1 / n2)
    return Estimate(ratio, ratio * math.exp(-half), ratio * math.exp(half), n, "katz")


def compute_midranks(values: Floats) -> Floats:
    """Ranks from 1, ties share their mean rank. Shape: (n,) → (n,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2.0)[inverse]
    return ranks


def compute_auc_influence(truth: ArrayLike, score: ArrayLike) -> tuple[float, Floats]:
    """AUC and each row's influence on it; the sum of squares of the latter is DeLong's variance.

    Shape: (n,), (n,) → float, (n,). Needs both classes; with one row of a class the influence is NaN.
    Source: DeLong et al. 1988, from one ordering of all scores (Sun & Xu 2014).
    """
    is_positive = np.asarray(truth) == 1
    values = np.asarray(score, dtype=np.float64)
    n_positive = int(is_positive.sum())
    n_negative = len(values) - n_positive
    if n_positive == 0 or n_negative == 0:
        raise AuditError("AUC needs both a positive and a negative label.")
    distinct, place = np.unique(values, return_inverse=True)
    ups = np.bincount(place[is_positive], minlength=len(distinct))
    downs = np.bincount(place[~is_positive], minlength=len(distinct))
    above = ((np.cumsum(downs) - downs / 2) / n_negative)[place[is_positive]]  # V10, ties half
    below = (1.0 - (np.cumsum(ups) - ups / 2) / n_positive)[place[~is_positive]]  # V01
    auc = float(above.mean())
    influence = np.full(len(values), np.nan)
    if n_positive > 1 and n_negative > 1:
        influence[is_positive] = (above - auc) / math.sqrt(n_positive * (n_positive - 1))
        influence[~is_positive] = (below - auc) / math.sqrt(n_negative * (n_negative - 1))
    return auc, influence


def build_auc_estimate(
    auc: float,
    standard_error: float,
    n: int,
    level: float = LEVEL,
    method: str = "delong logit",
) -> Estimate:
    """AUC with its interval on the logit scale, which cannot leave [0, 1]."""
    auc = min(1.0, max(0.0, auc))
    if not math.isfinite(standard_error):
        return Estimate(
            auc, None, None, n, method, reason="interval not estimable: one row of a class"
        )
    if not 0 < auc < 1:
        return Estimate(
            auc, None, None, n, method, reason="interval not estimable: classes are separated"
        )
    logit = math.log(auc / (1 - auc))
    half = compute_z(level) * standard_error / (auc * (1 - auc))
    return Estimate(auc, _expit(logit - half), _expit(logit + half), n, method)


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def compute_auc_delong(y: ArrayLike, score: ArrayLike, level: float = LEVEL) -> Estimate:
    """AUC of ``score`` for labels 0/1 with DeLong's variance; one class only is not estimable."""
    labels = np.asarray(y)
    if len(np.unique(labels)) < 2:
        return build_not_estimable(
            _name_missing_class(labels), n=len(labels), method="delong logit"
        )
    auc, influence = compute_auc_influence(labels, score)
    return build_auc_estimate(auc, math.sqrt(float((influence**2).sum())), len(labels), level)


def _name_missing_class(labels: NDArray[np.generic]) -> str:
    if len(labels) == 0:
        return "no cases"
    return "no negative labels" if labels.flat[0] == 1 else "no positive labels"


def compute_paired_auc_delong(y: ArrayLike, a: ArrayLike, b: ArrayLike) -> Estimate:
    """AUC(a) − AUC(b) on the same rows, with the covariance of the two (DeLong et al. 1988)."""
    labels = np.asarray(y)
    if len(np.unique(labels)) < 2:
        return build_not_estimable(
            _name_missing_class(labels), n=len(labels), method="delong paired"
        )
    first, first_influence = compute_auc_influence(labels, a)
    second, second_influence = compute_auc_influence(labels, b)
    variance = float(((first_influence - second_influence) ** 2).sum())
    return _build_difference(first - second, variance, len(labels), "delong paired")


def compute_auc_difference(
    y1: ArrayLike, score1: ArrayLike, y2: ArrayLike, score2: ArrayLike
) -> Estimate:
    """AUC of group 1 − AUC of group 2, two different sets of rows."""
    labels = (np.asarray(y1), np.asarray(y2))
    n = len(labels[0]) + len(labels[1])
    for part in labels:
        if len(np.unique(part)) < 2:
            return build_not_estimable(_name_missing_class(part), n=n, method="delong")
    first, first_influence = compute_auc_influence(labels[0], score1)
    second, second_influence = compute_auc_influence(labels[1], score2)
    variance = float((first_influence**2).sum() + (second_influence**2).sum())
    return _build_difference(first - second, variance, n, "delong")


def _build_difference(value: float, variance: float, n: int, method: str) -> Estimate:
    if not math.isfinite(variance):
        return Estimate(
            value, None, None, n, method, reason="interval not estimable: one row of a class"
        )
    half = compute_z() * math.sqrt(variance)
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), n, method)


def compute_holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def compute_mcnemar(b: int, c: int) -> tuple[float, float]:
    """Statistic and p-value for b and c discordant pairs: exact below 25, else (b−c)²/(b+c)."""
    n = b + c
    if n == 0:
        return 0.0, 1.0
    if n < SMALL_DISCORDANT:
        tail = sum(math.comb(n, i) for i in range(min(b, c) + 1)) / 2**n
        return float(min(b, c)), min(1.0, 2 * tail)
    statistic = (b - c) ** 2 / n
    return statistic, math.erfc(math.sqrt(statistic / 2))


def compute_corrected_t(differences: Sequence[float], ratio: float) -> tuple[float, float]:
    """Statistic and two-sided p-value of no difference between two models over folds that share training rows.

    ``differences``: score of one minus the other, by fold; ``ratio``: rows held out over rows learned from. NaN for
    fewer than two folds. Source: Nadeau & Bengio 2003, "Inference for the Generalization Error".
    """
    values = np.asarray(differences, dtype=np.float64)
    n = len(values)
    if n < 2:
        return math.nan, math.nan
    mean, spread = float(values.mean()), float(values.var(ddof=1))
    if spread == 0:
        return (0.0, 1.0) if mean == 0 else (math.copysign(math.inf, mean), 0.0)
    statistic = mean / math.sqrt((1 / n + ratio) * spread)
    return statistic, _compute_student_p(statistic, n - 1)


def _compute_student_p(statistic: float, freedom: int) -> float:
    """Two-sided p-value of Student's t by its finite series (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(abs(statistic) / math.sqrt(freedom))
    cosine, is_odd = math.cos(angle), freedom % 2
    term = cosine if is_odd else 1.0
    total = term if freedom > 1 else 0.0
    for step in range(2 + is_odd, freedom - 1, 2):
        term *= cosine**2 * (step - 1) / step
        total += term
    inside = math.sin(angle) * total
    return 1 - (2 / math.pi * (angle + inside) if is_odd else inside)


def compute_two_proportion_p(k1: int, n1: int, k2: int, n2: int) -> float:
    """Two-sided p for equal proportions: score test, Fisher's exact test if an expected cell is below 5."""
    n, k = n1 + n2, k1 + k2
    expected = [size * part / n for size in (n1, n2) for part in (k, n - k)]
    if min(expected) < SMALL_EXPECTED:
        return _compute_fisher_p(k1, n1, k2, n2)
    pooled = k / n
    z = (k1 / n1 - k2 / n2) / math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return math.erfc(abs(z) / math.sqrt(2))


def _compute_fisher_p(k1: int, n1: int, k2: int, n2: int) -> float:
    """Sum of the hypergeometric probabilities that are no larger than the observed one."""
    k = k1 + k2
    support = range(max(0, k - n2), min(k, n1) + 1)
    logs = np.array([_log_comb(n1, i) + _log_comb(n2, k - i) for i in support])
    logs -= _log_comb(n1 + n2, k)
    observed = logs[k1 - support.start]
    # The tolerance keeps tables of equal probability together, as R and SciPy do.
    return float(min(1.0, np.exp(logs[logs <= observed + 1e-7]).sum()))


def _log_comb(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
