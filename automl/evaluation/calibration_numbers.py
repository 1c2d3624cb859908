"""Every number beside a reliability curve, with its interval and with what a calibrated model would show."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.corp import ScoreParts, bootstrap_decomposition
from fairness.intervals import compute_wilson
from fairness.reliability import (
    Loss,
    NullValue,
    compute_ece,
    compute_ece_null,
    compute_slope,
    compute_spiegelhalter,
)
from fairness.smooth_calibration import compute_smooth_ece, compute_smooth_ece_null

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOSSES: tuple[Loss, ...] = ("brier", "log_loss")
WALD = "Wald interval of a logistic regression of the label on the logit"
DRAWN = "chance: labels drawn from the scores"


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """One number; ``ideal``: of a calibrated model without chance, ``expected`` and ``expected_high``: mean and 95th
    percentile of what a calibrated model would show on so many rows. None where there is none.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    ideal: float | None = None
    expected: float | None = None
    expected_high: float | None = None
    method: str = ""


def compute_calibration_numbers(hit: Ints, score: Floats, seed: int = 0) -> pd.DataFrame:
    """The fields of ``Number`` as columns, one row per number.

    ``hit``: 0/1, ``score``: what was said to be its chance. ``n``, base rate, mean score, O/E, slope, intercept,
    calibration in the large, both scores with their parts, smooth and binned ECE, Spiegelhalter's z.
    """
    numbers = [
        Number(name="n", value=float(len(hit))),
        *_compute_rates(hit, score),
        *_compute_line(hit, score),
        *_compute_parts(hit, score, seed),
        *_compute_errors(hit, score, seed),
        Number(name="spiegelhalter_z", value=compute_spiegelhalter(hit, score), ideal=0.0),
    ]
    return pd.DataFrame([asdict(each) for each in numbers])


def _compute_rates(hit: Ints, score: Floats) -> Iterator[Number]:
    mean = float(score.mean())
    rate = compute_wilson(int(hit.sum()), len(hit))
    yield Number(name="base_rate", value=rate.value, low=rate.low, high=rate.high, method="Wilson")
    yield Number(name="mean_score", value=mean)
    ends = [None if end is None or mean <= 0 else end / mean for end in (rate.value, rate.low, rate.high)]  # fmt: skip
    yield Number(
        name="observed_over_expected", value=ends[0], low=ends[1], high=ends[2], ideal=1.0,
        method="Wilson, the mean score taken as known",
    )  # fmt: skip


def _compute_line(hit: Ints, score: Floats) -> Iterator[Number]:
    """Slope and intercepts; without a fit (one class, equal scores, separated classes) they have no value."""
    line = compute_slope(hit, score)
    yield Number(
        name="slope", ideal=1.0, method=WALD,
        value=None if line is None else line.slope,
        low=None if line is None else line.slope_low,
        high=None if line is None else line.slope_high,
    )  # fmt: skip
    yield Number(name="intercept", value=None if line is None else line.intercept, ideal=0.0)
    yield Number(name="in_the_large", value=None if line is None else line.in_the_large, ideal=0.0)
    yield Number(name="n_clipped", value=None if line is None else float(line.n_clipped))


def _compute_parts(hit: Ints, score: Floats, seed: int) -> Iterator[Number]:
    for loss, parts in bootstrap_decomposition(hit, score, LOSSES, seed=seed).items():
        for name in ("score", "miscalibration", "discrimination", "uncertainty", "skill"):
            yield _build_part(parts, loss, name)


def _build_part(parts: ScoreParts, loss: Loss, name: str) -> Number:
    estimate = getattr(parts, name)
    null = parts.null if name == "miscalibration" else None
    return Number(
        name=f"{loss}_{name}", value=estimate.value, low=estimate.low, high=estimate.high,
        method=estimate.method, ideal=None if null is None else 0.0,
        expected=None if null is None else null.mean,
        expected_high=None if null is None else null.high,
    )  # fmt: skip


def _compute_errors(hit: Ints, score: Floats, seed: int) -> Iterator[Number]:
    """Calibration errors have no interval: noise only adds to them. What chance alone would show stands beside."""
    smooth = compute_smooth_ece_null(score, seed)
    yield _build_error("smooth_ece", compute_smooth_ece(hit, score), smooth)
    for kind in ("mass", "width"):
        null = compute_ece_null(score, kind=kind, seed=seed)
        yield _build_error(f"ece_{kind}", compute_ece(hit, score, kind=kind), null)


def _build_error(name: str, value: float, null: NullValue) -> Number:
    return Number(
        name=name, value=value, ideal=0.0, expected=null.mean, expected_high=null.high, method=DRAWN
    )
