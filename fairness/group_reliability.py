"""Calibration of every group of a column, and how far each is from the largest one."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.corp import bootstrap_decomposition
from fairness.group_calibration import MIN_CURVE_EVENTS, MIN_CURVE_ROWS
from fairness.groups import Grouping
from fairness.intervals import compute_wilson, compute_z
from fairness.reliability import Slope, compute_reliability, compute_slope
from fairness.smooth_calibration import compute_smooth_ece

DRAWS = 200
COLUMNS = (
    "group", "n", "events", "mean_score", "observed", "oe", "oe_low", "oe_high", "slope", "slope_low",
    "slope_high", "intercept", "slope_gap", "slope_gap_low", "slope_gap_high", "miscalibration",
    "miscalibration_low", "miscalibration_high", "smooth_ece", "has_curve",
)  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compute_group_reliability(
    truth: Ints, score: Floats, grouping: Grouping, seed: int = 0
) -> pd.DataFrame:
    """One row per group, the largest first: ``COLUMNS``.

    ``oe``: observed over expected share, its interval by Wilson. ``slope_gap``: the slope minus that of the largest
    group, with its Wald interval. ``miscalibration``: of the Brier score, with a bootstrap interval from 100 rows and
    10 events of each kind on; ``has_curve`` says whether there are so many. What does not exist is missing.
    """
    rows: list[dict[str, object]] = []
    reference: Slope | None = None
    for place, code in enumerate(np.argsort(-grouping.sizes, kind="stable").tolist()):
        here = grouping.codes == code
        row, line = _describe(truth[here], score[here], seed)
        reference = line if place == 0 else reference
        compared = _compare(line, reference, is_first=place == 0)
        rows.append({"group": grouping.names[code], **row, **compared})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def compute_group_curves(truth: Ints, score: Floats, grouping: Grouping) -> pd.DataFrame:
    """CORP curves of the groups with at least 100 rows and 10 events of each kind: ``series`` and the curve."""
    frames = [
        compute_reliability(truth[here], score[here]).assign(series=name)
        for code, name in enumerate(grouping.names)
        if _is_enough(truth[here := grouping.codes == code])
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _is_enough(truth: Ints) -> bool:
    events = min(int(truth.sum()), int((1 - truth).sum()))
    return len(truth) >= MIN_CURVE_ROWS and events >= MIN_CURVE_EVENTS


def _describe(truth: Ints, score: Floats, seed: int) -> tuple[dict[str, object], Slope | None]:
    rate, mean = compute_wilson(int(truth.sum()), len(truth)), float(score.mean())
    line = compute_slope(truth, score)
    ends = [None if end is None or mean <= 0 else end / mean for end in (rate.value, rate.low, rate.high)]  # fmt: skip
    parts = bootstrap_decomposition(truth, score, draws=DRAWS, null_draws=0, seed=seed)
    has_curve = _is_enough(truth)
    error = parts["brier"].miscalibration
    return {
        "n": len(truth),
        "events": int(truth.sum()),
        "mean_score": mean,
        "observed": rate.value,
        "oe": ends[0],
        "oe_low": ends[1],
        "oe_high": ends[2],
        "slope": None if line is None else line.slope,
        "slope_low": None if line is None else line.slope_low,
        "slope_high": None if line is None else line.slope_high,
        "intercept": None if line is None else line.intercept,
        "miscalibration": error.value,
        "miscalibration_low": error.low if has_curve else None,
        "miscalibration_high": error.high if has_curve else None,
        "smooth_ece": compute_smooth_ece(truth, score),
        "has_curve": has_curve,
    }, line


def _compare(line: Slope | None, reference: Slope | None, *, is_first: bool) -> dict[str, object]:
    """Difference of two slopes of different rows."""
    if line is None or reference is None or is_first:
        return {"slope_gap": None, "slope_gap_low": None, "slope_gap_high": None}
    gap = line.slope - reference.slope
    half = compute_z() * math.hypot(line.slope_error, reference.slope_error)
    return {"slope_gap": gap, "slope_gap_low": gap - half, "slope_gap_high": gap + half}
