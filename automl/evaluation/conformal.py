"""Split-conformal prediction: from scores of the calibrate part to sets and intervals of a stated coverage.

A score says how badly a value fits a row. The ``k``-th smallest score of the calibrate part, with
``k = ⌈(n + 1) · level⌉``, is the quantile ``q``; everything whose score is at most ``q`` is in the set. If the new row is
exchangeable with the calibrate rows, its truth is in the set with a probability of at least ``level``, on average over
rows; no such promise is made for one row, one class or one group.

Source: Vovk, Gammerman & Shafer 2005; Angelopoulos & Bates, arXiv:2107.07511.
"""

import math
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from automl.errors import DataError, SpecError

LEVELS = (0.8, 0.9, 0.95)
DEFAULT_LEVEL = 0.9
WOBBLE = 0.95  # share of the draws that a range of expected coverages holds
SPREAD = 12  # standard deviations on either side beyond which a beta-binomial count has no weight

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ConformalScore(StrEnum):
    """How badly a value fits a row: ``lac`` and ``aps`` for classes, ``residual`` for values."""

    LAC = "lac"
    APS = "aps"
    RESIDUAL = "residual"


def find_rank(n: int, level: float) -> int | None:
    """``k = ⌈(n + 1) · level⌉``, None if it exceeds ``n``: then no finite quantile reaches the level.

    18 of 19, 9 of 9 and none of 8 scores at 90 %.
    """
    if not 0 < level < 1:
        raise SpecError(f"A coverage lies between 0 and 1, got {level:g}.", hint="Give 0.9, say.")
    # as the decimal number that was written: 0.95 · 20 is 19, whatever binary rounding makes of it
    rank = math.ceil((n + 1) * Fraction(level).limit_denominator(1_000_000))
    return rank if rank <= n else None


def find_quantile(scores: NDArray[np.floating], level: float) -> float:
    """The score of that rank among the ``n`` scores of the calibrate part; infinite where they are too few."""
    values = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(values).all():
        n_bad = int((~np.isfinite(values)).sum())
        raise DataError(f"{n_bad} of {len(values)} scores are not finite.", hint="Search again.")
    rank = find_rank(len(values), level)
    return math.inf if rank is None else float(np.partition(values, rank - 1)[rank - 1])


def find_group_quantiles(
    scores: NDArray[np.floating], codes: Ints, n_groups: int, level: float
) -> Floats:
    """The quantile of every group by its own scores (Mondrian), so that the coverage holds within each.

    Shape: ``(n,), (n,) → (n_groups,)``; infinite for a group with too few rows.
    """
    return np.array([find_quantile(scores[codes == code], level) for code in range(n_groups)])


def compute_class_scores(score: ConformalScore, probability: NDArray[np.floating]) -> Floats:
    """The score of every class of every row, 0..1, smaller for a likelier class.

    ``lac``: one minus the probability, which gives the smallest sets on average and may leave a set empty (Sadinle et al.,
    arXiv:1609.00451). ``aps``: the probability of all likelier classes together, without randomisation: sets grow with
    how hard a row is, are never empty and cover at least as often as is stated (Romano et al., arXiv:2006.02544).
    Shape: ``(n, K) → (n, K)``
    """
    # Rounding in a softmax may leave [0, 1] by its last bit.
    values = np.clip(np.asarray(probability, dtype=np.float64), 0, 1)
    if score is ConformalScore.LAC:
        return 1 - values
    if score is ConformalScore.APS:
        return _sum_likelier(values)
    raise SpecError(f"The score {score.value!r} is not one of classes.")


def _sum_likelier(probability: Floats) -> Floats:
    order = np.argsort(-probability, axis=1, kind="stable")
    ranked = np.take_along_axis(probability, order, axis=1)
    before = np.zeros_like(ranked)
    before[:, 1:] = np.cumsum(ranked, axis=1)[:, :-1]
    # of equals, none is likelier than the other: all have the sum before the first of them
    is_first = np.ones_like(ranked, dtype=bool)
    is_first[:, 1:] = ranked[:, 1:] < ranked[:, :-1]
    before = np.maximum.accumulate(np.where(is_first, before, 0), axis=1)
    scores = np.empty_like(before)
    np.put_along_axis(scores, order, before, axis=1)
    return np.minimum(scores, 1)


def compute_true_scores(
    score: ConformalScore, truth: NDArray[np.generic], prediction: NDArray[np.floating]
) -> Floats:
    """The score of the truth of every row: class indices for ``lac`` and ``aps``, values for ``residual``.

    Shape: ``(n,), (n, K) or (n,) → (n,)``; residuals are absolute, in the unit of the target.
    """
    if len(truth) != len(prediction):
        raise DataError(f"{len(truth)} true values for {len(prediction)} predictions.")
    if score is ConformalScore.RESIDUAL:
        residuals = np.asarray(truth, dtype=np.float64) - np.asarray(prediction, dtype=np.float64)
        return np.abs(residuals)
    labels = np.asarray(truth, dtype=np.int64)
    scores: Floats = compute_class_scores(score, prediction)[np.arange(len(labels)), labels]
    return scores


def build_sets(class_scores: Floats, quantile: float | Floats) -> NDArray[np.bool_]:
    """Which classes are in the set of every row; ``quantile`` is one for all, one by row ``(n,)`` or one by class ``(1, K)``.

    Shape: ``(n, K) → (n, K)``
    """
    limit = np.asarray(quantile, dtype=np.float64)
    return class_scores <= (limit[:, None] if limit.ndim == 1 else limit)


def build_intervals(
    prediction: NDArray[np.floating], quantile: float | Floats
) -> tuple[Floats, Floats]:
    """Lower and upper ends, the prediction minus and plus the quantile; infinite where that is.

    Shape: ``(n,) → (n,), (n,)``
    """
    middle = np.asarray(prediction, dtype=np.float64)
    half = np.asarray(quantile, dtype=np.float64)
    return middle - half, middle + half


def compute_wobble(n: int, level: float) -> tuple[float, float] | None:
    """Between which true coverages 95 of 100 draws of ``n`` calibrate rows end up; None if the rank exceeds ``n``.

    Given the calibrate part the coverage is Beta(k, n + 1 − k) distributed (scores without ties).
    """
    rank = find_rank(n, level)
    if rank is None:
        return None
    from scipy.special import betaincinv  # a tenth of a second to import

    ends = betaincinv(rank, n + 1 - rank, np.array([0.5 - WOBBLE / 2, 0.5 + WOBBLE / 2]))
    return float(ends[0]), float(ends[1])


def compute_band(n: int, level: float, n_test: int) -> tuple[float, float] | None:
    """Between which *measured* coverages 95 of 100 pairs of ``n`` calibrate and ``n_test`` test rows end up.

    The count is beta-binomial: the wobble of the calibrate part and that of the test part together.
    """
    rank = find_rank(n, level)
    if rank is None or n_test == 0:
        return None
    from scipy.special import betaln, gammaln

    a, b = rank, n + 1 - rank
    mean = a / (a + b)
    deviation = math.sqrt(n_test * mean * (1 - mean) * (a + b + n_test) / (a + b + 1))
    middle, reach = n_test * mean, SPREAD * deviation + 1
    counts = np.arange(max(0, math.floor(middle - reach)), min(n_test, math.ceil(middle + reach)) + 1)  # fmt: skip
    logs = gammaln(n_test + 1) - gammaln(counts + 1) - gammaln(n_test - counts + 1)
    logs += betaln(counts + a, n_test - counts + b) - betaln(a, b)
    below = np.cumsum(np.exp(logs))
    low, high = np.searchsorted(below, [0.5 - WOBBLE / 2, 0.5 + WOBBLE / 2])
    return float(counts[low]) / n_test, float(counts[min(high, len(counts) - 1)]) / n_test
