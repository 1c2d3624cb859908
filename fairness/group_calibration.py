"""Calibration of all rows and of every group: numbers always, curves where there are enough rows."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.records import Calibration
from fairness.reliability import (
    compute_bins,
    compute_decomposition,
    compute_ece,
    compute_ece_null,
    compute_reliability,
    compute_slope,
    compute_spiegelhalter,
)

MIN_CURVE_ROWS = 100
MIN_CURVE_EVENTS = 10

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compute_calibration(
    attribute: str, group: str, truth: Ints, score: Floats, seed: int = 0
) -> Calibration:
    """Calibration of one set of rows; scores must lie in [0, 1]."""
    order = np.argsort(
        score, kind="stable"
    )  # once: all below order by score, which is cheap when it is so
    truth, score = truth[order], score[order]
    n = len(truth)
    events = int(min(truth.sum(), n - truth.sum()))
    has_curve = n >= MIN_CURVE_ROWS and events >= MIN_CURVE_EVENTS
    return Calibration(
        attribute=attribute,
        group=group,
        n=n,
        numbers=_compute_numbers(truth, score, seed),
        bins=compute_bins(truth, score) if has_curve else pd.DataFrame(),
        curve=compute_reliability(truth, score) if has_curve else pd.DataFrame(),
        reason="" if has_curve else "few cases: numbers only",
    )


def _compute_numbers(truth: Ints, score: Floats, seed: int) -> dict[str, float | None]:
    mean_score, base_rate = float(score.mean()), float(truth.mean())
    brier = compute_decomposition(truth, score, "brier")
    log_loss = compute_decomposition(truth, score, "log_loss")
    slope = compute_slope(truth, score)
    null = compute_ece_null(score, seed=seed)
    return {
        "base_rate": base_rate,
        "mean_score": mean_score,
        "observed_over_expected": base_rate / mean_score if mean_score > 0 else None,
        "brier_score": brier.score,
        "miscalibration": brier.miscalibration,
        "discrimination": brier.discrimination,
        "uncertainty": brier.uncertainty,
        "log_loss": log_loss.score,
        "log_loss_miscalibration": log_loss.miscalibration,
        "ece": compute_ece(truth, score),
        "ece_null_mean": null.mean,
        "ece_null_95": null.high,
        "slope": slope.slope if slope else None,
        "slope_low": slope.slope_low if slope else None,
        "slope_high": slope.slope_high if slope else None,
        "intercept": slope.intercept if slope else None,
        "in_the_large": slope.in_the_large if slope else None,
        "n_clipped": float(slope.n_clipped) if slope else None,
        "spiegelhalter_z": compute_spiegelhalter(truth, score),
    }
