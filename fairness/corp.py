"""How sure a reliability curve is: its consistency band, and the parts of a score with intervals.

Source: Dimitriadis, Gneiting and Jordan 2021, "Stable reliability diagrams for probabilistic classifiers"
(arXiv:2008.03033).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fairness.estimates import Estimate
from fairness.levels import Levels, draw_calibrated, draw_rows, fit_levels, pool_scores
from fairness.reliability import (
    LOG_LOSS_CLIP,
    Decomposition,
    Loss,
    NullValue,
    compute_decomposition,
)
from fairness.resampling import build_bootstrap_estimate

BAND_DRAWS = 1_000
BAND_SHARE = 0.90
SCORE_DRAWS = 500
NULL_DRAWS = 200

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreParts:
    """Score = miscalibration − discrimination + uncertainty, each with a bootstrap interval.

    ``skill``: 1 − score / uncertainty, what is gained on the base rate for everybody.

    ``null``: the miscalibration that calibrated scores like these would show on so many rows. An interval of the
    miscalibration leans upwards, as the curve follows the chance of every draw: read it beside ``null``.
    """

    score: Estimate
    miscalibration: Estimate
    discrimination: Estimate
    uncertainty: Estimate
    skill: Estimate
    null: NullValue | None


def compute_band(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    share: float = BAND_SHARE,
    draws: int = BAND_DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Where the curve of a calibrated model would lie at these scores: ``score, low, high``, pointwise.

    ``draws`` times labels are drawn from the scores themselves and the isotonic fit is made anew; the middle
    ``share`` of the fits is the band.
    """
    levels = pool_scores(truth, score)
    fits = np.stack([fit_levels(levels.n, drawn) for drawn in draw_calibrated(levels, draws, seed)])
    edge = 100 * (1 - share) / 2
    low, high = np.percentile(fits, [edge, 100 - edge], axis=0)
    return pd.DataFrame({"score": levels.score, "low": low, "high": high})


def bootstrap_decomposition(
    truth: ArrayLike,
    score: ArrayLike,
    losses: Sequence[Loss] = ("brier",),
    *,
    draws: int = SCORE_DRAWS,
    null_draws: int = NULL_DRAWS,
    seed: int = 0,
) -> dict[Loss, ScoreParts]:
    """The decomposition of ``compute_decomposition`` by loss, with 95 % percentile intervals over drawn rows.

    All losses are read off the same draws. Without ``null_draws`` the parts have no ``null``.
    """
    levels = pool_scores(truth, score)
    drawn = _decompose_all(levels.score, draw_rows(levels, draws, seed), losses)
    calibrated = ((levels.n, positives) for positives in draw_calibrated(levels, null_draws, seed))
    null = _decompose_all(levels.score, calibrated, losses) if null_draws else None
    return {
        loss: _build_parts(
            compute_decomposition(truth, score, loss),
            drawn[:, place],
            None if null is None else null[:, place, 1],
            levels,
        )
        for place, loss in enumerate(losses)
    }


def _decompose_all(
    score: Floats, drawn: Iterable[tuple[Ints, Ints]], losses: Sequence[Loss]
) -> Floats:
    """Score, miscalibration, discrimination, uncertainty and skill of every draw. Shape: (draws, losses, 5)."""
    parts = np.array([_decompose(score, n, positives, losses) for n, positives in drawn])
    skill = _compute_skill(parts[..., 0], parts[..., 3])
    return np.concatenate([parts, skill[..., None]], axis=-1)


def _compute_skill(score: ArrayLike, uncertainty: ArrayLike) -> Floats:
    """NaN where every label is the same."""
    total = np.asarray(uncertainty, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, 1 - np.asarray(score) / total, np.nan)


def _decompose(
    score: Floats, n: Ints, positives: Ints, losses: Sequence[Loss]
) -> list[tuple[float, ...]]:
    fit, base = fit_levels(n, positives), np.full(len(score), positives.sum() / n.sum())
    found: list[tuple[float, ...]] = []
    for loss in losses:
        forecast, fitted, uncertainty = (
            _average_loss(each, n, positives, loss) for each in (score, fit, base)
        )
        found.append((forecast, forecast - fitted, uncertainty - fitted, uncertainty))
    return found


def _average_loss(score: Floats, n: Ints, positives: Ints, loss: Loss) -> float:
    """Mean loss of rows that are counted by level."""
    if loss == "brier":
        total = positives * (1 - score) ** 2 + (n - positives) * score**2
    else:
        s = np.clip(score, LOG_LOSS_CLIP, 1 - LOG_LOSS_CLIP)
        total = -(positives * np.log(s) + (n - positives) * np.log1p(-s))
    return float(total.sum() / n.sum())


def _build_parts(
    found: Decomposition, drawn: Floats, null: Floats | None, levels: Levels
) -> ScoreParts:
    method = f"bootstrap of {len(levels.score):,} levels of the score, {len(drawn):,} draws"
    skill = float(_compute_skill(found.score, found.uncertainty))
    values = (found.score, found.miscalibration, found.discrimination, found.uncertainty, skill)
    score, miscalibration, discrimination, uncertainty, gained = [
        build_bootstrap_estimate(value, drawn[:, place], levels.n_rows, method)
        for place, value in enumerate(values)
    ]
    return ScoreParts(
        score=score,
        miscalibration=miscalibration,
        discrimination=discrimination,
        uncertainty=uncertainty,
        skill=gained,
        null=None
        if null is None
        else NullValue(float(null.mean()), float(np.percentile(null, 95))),
    )
