"""Calibration: the CORP curve, binned reliability, ECE with its null value, decompositions, the slope.

Labels are 0/1, scores lie in [0, 1].
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fairness.errors import AuditError
from fairness.intervals import compute_wilson, compute_z

N_BINS = 15
NULL_DRAWS = 200
MOST_LEVELS = 5_000  # distinct scores that are pooled one by one
MOST_NULL_ROWS = 20_000  # more rows are not drawn: the sums of their bins are normal
LOG_LOSS_CLIP = 1e-15
LOGIT_CLIP = 1e-6
NEWTON_STEPS = 50

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Binning = Literal["mass", "width"]
Loss = Literal["brier", "log_loss"]


def _check(truth: ArrayLike, score: ArrayLike) -> tuple[Floats, Floats]:
    y = np.asarray(truth, dtype=np.float64)
    s = np.asarray(score, dtype=np.float64)
    if len(y) == 0 or len(y) != len(s):
        raise AuditError(f"Calibration needs as many labels as scores, got {len(y)} and {len(s)}.")
    if not (np.isfinite(s).all() and s.min() >= 0 and s.max() <= 1):
        raise AuditError(
            f"Calibration needs scores between 0 and 1, got {s.min()} to {s.max()}.",
            hint="Treat the score as a ranking score.",
        )
    return y, s


def fit_isotonic(truth: ArrayLike, score: ArrayLike) -> Floats:
    """Pool-adjacent-violators fit of label on score, ties pooled first. Shape: (n,), (n,) → (n,)."""
    y = np.asarray(truth, dtype=np.float64)
    _, inverse, counts = np.unique(np.asarray(score), return_inverse=True, return_counts=True)
    sums = np.bincount(inverse, weights=y, minlength=len(counts)).astype(np.float64)
    pool = _pool if len(counts) <= MOST_LEVELS else _pool_many
    sizes, totals, lengths = pool(counts, sums)
    level = np.repeat(totals / sizes, lengths)
    fitted: Floats = level[inverse]
    return fitted


def _pool(counts: Ints, sums: Floats) -> tuple[Ints, Floats, Ints]:
    """Blocks of rising shares: rows, positives and distinct scores of each."""
    blocks: list[tuple[int, float, int]] = []  # rows, positives, distinct scores
    for weight, total in zip(counts.tolist(), sums.tolist(), strict=True):
        length = 1
        while blocks and blocks[-1][1] * weight >= total * blocks[-1][0]:
            before = blocks.pop()
            weight, total, length = weight + before[0], total + before[1], length + before[2]  # noqa: PLW2901
        blocks.append((weight, total, length))
    sizes, totals, lengths = (np.array(column) for column in zip(*blocks, strict=True))
    return sizes, totals, lengths


def _pool_many(counts: Ints, sums: Floats) -> tuple[Ints, Floats, Ints]:
    """The same blocks by SciPy, a hundred times as fast where there are many scores."""
    from scipy.optimize import isotonic_regression  # half a second that few scores do not need

    edges = isotonic_regression(sums / counts, weights=counts).blocks
    starts = edges[:-1]
    return np.add.reduceat(counts, starts), np.add.reduceat(sums, starts), np.diff(edges)


def compute_reliability(truth: ArrayLike, score: ArrayLike) -> pd.DataFrame:
    """CORP curve: one row per block of the isotonic fit (arXiv:2008.03033).

    Columns: ``score_low, score_high, mean_score, observed, n, positives``.
    """
    y, s = _check(truth, score)
    frame = pd.DataFrame({"score": s, "label": y, "fit": fit_isotonic(y, s)})
    blocks = frame.groupby("fit", sort=True).agg(
        score_low=("score", "min"),
        score_high=("score", "max"),
        mean_score=("score", "mean"),
        observed=("label", "mean"),
        n=("label", "size"),
        positives=("label", "sum"),
    )
    blocks["positives"] = blocks["positives"].astype(np.int64)
    return blocks.reset_index(drop=True)


def assign_bins(score: ArrayLike, n_bins: int = N_BINS, kind: Binning = "mass") -> Ints:
    """Bin number of every score: equal mass (ties never split) or equal width on [0, 1]."""
    s = np.asarray(score, dtype=np.float64)
    if kind == "width":
        return np.minimum((s * n_bins).astype(np.int64), n_bins - 1)
    _, inverse, counts = np.unique(s, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    bins: Ints = (middle * n_bins / len(s)).astype(np.int64)[inverse]
    return bins


def compute_bins(
    truth: ArrayLike, score: ArrayLike, n_bins: int = N_BINS, kind: Binning = "mass"
) -> pd.DataFrame:
    """Binned reliability with Wilson intervals, empty bins left out.

    Columns: ``score_low, score_high, mean_score, observed, low, high, n, positives``.
    """
    y, s = _check(truth, score)
    frame = pd.DataFrame({"bin": assign_bins(s, n_bins, kind), "score": s, "label": y})
    bins = frame.groupby("bin", sort=True).agg(
        score_low=("score", "min"),
        score_high=("score", "max"),
        mean_score=("score", "mean"),
        observed=("label", "mean"),
        n=("label", "size"),
        positives=("label", "sum"),
    )
    bins["positives"] = bins["positives"].astype(np.int64)
    rates = [compute_wilson(k, n) for k, n in zip(bins["positives"], bins["n"], strict=True)]
    bins.insert(4, "low", [rate.low for rate in rates])
    bins.insert(5, "high", [rate.high for rate in rates])
    return bins.reset_index(drop=True)


def compute_ece(
    truth: ArrayLike, score: ArrayLike, n_bins: int = N_BINS, kind: Binning = "mass"
) -> float:
    """Expected calibration error: Σ n_b/n · |observed − mean score| over bins. Range 0–1, lower is better."""
    y, s = _check(truth, score)
    sums = np.bincount(assign_bins(s, n_bins, kind), weights=y - s)
    return float(np.abs(sums).sum() / len(y))


@dataclass(frozen=True, slots=True)
class NullValue:
    """What a perfectly calibrated model with these scores would show."""

    mean: float
    high: float  # 95th percentile


def compute_ece_null(
    score: ArrayLike, n_bins: int = N_BINS, kind: Binning = "mass", seed: int = 0
) -> NullValue:
    """ECE of labels drawn from the scores themselves, 200 times; of more than 20,000 rows of normal sums in each bin."""
    s = np.asarray(score, dtype=np.float64)
    bins = assign_bins(s, n_bins, kind)
    generator = np.random.default_rng(seed)
    if len(s) > MOST_NULL_ROWS:
        error = np.sqrt(np.bincount(bins, weights=s * (1 - s)))
        sums = np.abs(generator.normal(size=(NULL_DRAWS, len(error))) * error).sum(axis=1) / len(s)
        return NullValue(float(sums.mean()), float(np.percentile(sums, 95)))
    drawn = np.empty(NULL_DRAWS)
    for i in range(NULL_DRAWS):
        labels = generator.random(len(s)) < s
        drawn[i] = np.abs(np.bincount(bins, weights=labels - s)).sum() / len(s)
    return NullValue(float(drawn.mean()), float(np.percentile(drawn, 95)))


def compute_log_losses(truth: Floats, score: Floats) -> Floats:
    """Log-loss of every row, scores clipped at 1e-15. Shape: (n,), (n,) → (n,)."""
    s = np.clip(score, LOG_LOSS_CLIP, 1 - LOG_LOSS_CLIP)
    losses: Floats = -(truth * np.log(s) + (1 - truth) * np.log1p(-s))
    return losses


def compute_brier_losses(truth: Floats, score: Floats) -> Floats:
    """Squared error of every row. Shape: (n,), (n,) → (n,)."""
    losses: Floats = (score - truth) ** 2
    return losses


_LOSSES: dict[Loss, Callable[[Floats, Floats], Floats]] = {
    "brier": compute_brier_losses,
    "log_loss": compute_log_losses,
}


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Score = miscalibration − discrimination + uncertainty (arXiv:2008.03033)."""

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


def compute_decomposition(
    truth: ArrayLike, score: ArrayLike, loss: Loss = "brier"
) -> Decomposition:
    """MCB = S(s) − S(ŝ), DSC = S(ȳ) − S(ŝ), UNC = S(ȳ), with ŝ the isotonic fit."""
    y = np.asarray(truth, dtype=np.float64)
    s = np.asarray(score, dtype=np.float64)
    compute = _LOSSES[loss]
    forecast, fitted = float(compute(y, s).mean()), float(compute(y, fit_isotonic(y, s)).mean())
    uncertainty = float(compute(y, np.full(len(y), y.mean())).mean())
    return Decomposition(forecast, forecast - fitted, uncertainty - fitted, uncertainty)


@dataclass(frozen=True, slots=True)
class Slope:
    """Logit P(y=1) = intercept + slope · logit s; calibrated is 0 and 1, a slope below 1 is too extreme."""

    slope: float
    slope_low: float
    slope_high: float
    slope_error: float
    intercept: float
    in_the_large: float
    n_clipped: int


def compute_slope(truth: ArrayLike, score: ArrayLike) -> Slope | None:
    """Calibration slope with its Wald interval, and the intercept at slope 1; None where no fit exists."""
    y, s = _check(truth, score)
    clipped = np.clip(s, LOGIT_CLIP, 1 - LOGIT_CLIP)
    logit = np.log(clipped / (1 - clipped))
    if len(np.unique(y)) < 2 or np.ptp(logit) == 0:
        return None
    fitted = _fit_logistic(np.column_stack([np.ones_like(logit), logit]), y, np.zeros_like(y))
    large = _fit_logistic(np.ones((len(y), 1)), y, logit)
    if fitted is None or large is None:
        return None
    (intercept, slope), covariance = fitted
    error = math.sqrt(covariance[1, 1])
    half = compute_z() * error
    return Slope(
        slope=float(slope),
        slope_low=float(slope - half),
        slope_high=float(slope + half),
        slope_error=error,
        intercept=float(intercept),
        in_the_large=float(large[0][0]),
        n_clipped=int((s != clipped).sum()),
    )


def _fit_logistic(design: Floats, y: Floats, offset: Floats) -> tuple[Floats, Floats] | None:
    """Coefficients and covariance by Newton's method; None if it does not settle (separated classes)."""
    weight: Floats = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ weight + offset, -500, 500)))
        information = (design * (p * (1 - p))[:, None]).T @ design
        try:
            step = np.linalg.solve(information, design.T @ (y - p))
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(step).all() or np.abs(weight + step).max() > 1e3:
            return None
        weight = weight + step
        if np.abs(step).max() < 1e-10:
            covariance: Floats = np.linalg.inv(information).astype(np.float64)
            return weight, covariance
    return None


def compute_spiegelhalter(truth: ArrayLike, score: ArrayLike) -> float | None:
    """Spiegelhalter's z (1986); a large n always rejects. None if every score is 0, ½ or 1."""
    y, s = _check(truth, score)
    variance = float(((1 - 2 * s) ** 2 * s * (1 - s)).sum())
    if variance <= 0:
        return None
    return float(((y - s) * (1 - 2 * s)).sum() / math.sqrt(variance))
