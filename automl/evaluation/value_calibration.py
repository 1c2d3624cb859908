"""Is a predicted value, with the errors of the calibrate part around it, an honest forecast?

A model of values gives one number per row and no distribution. The forecast that is looked at here is that number plus
the errors ``truth − prediction`` of the calibrate part, the same for every row. What is measured on the test part is
therefore how far these errors hold for new rows, and not how well the model knows which rows are hard.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.estimates import Estimate
from fairness.intervals import compute_wilson, compute_z
from fairness.resampling import build_bootstrap_estimate, iterate_row_times

LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
N_PIT_BINS = 20
N_TENTHS = 10
INNER = 0.90  # share of the interval that is looked at by tenths
LEAST_ROWS = 19  # of the calibrate part: with fewer the outer quantiles have no bound

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueRows:
    """Truth and prediction of the test part ``(n,)``, and of the calibrate part ``(m,)``."""

    truth: Floats
    prediction: Floats
    calibrate_truth: Floats
    calibrate_prediction: Floats

    @property
    def errors(self) -> Floats:
        """Of the test part."""
        return self.truth - self.prediction

    @property
    def known(self) -> Floats:
        """Sorted errors of the calibrate part."""
        return np.sort(self.calibrate_truth - self.calibrate_prediction)


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueCalibration:
    """``pit``: ``low, high, n, expected, expected_low, expected_high``. ``quantiles``: ``level, observed, low, high,
    expected_low, expected_high, n``. ``tenths``: ``tenth, n, mean_prediction, bias, bias_low, bias_high, coverage, low,
    high``. ``crps`` in the unit of the target, ``skill`` against the spread of the target alone, ``width`` of the 90 %
    interval, ``coverage`` of it.
    """

    n: int
    n_calibrate: int
    pit: pd.DataFrame
    quantiles: pd.DataFrame
    tenths: pd.DataFrame
    crps: Estimate
    skill: Estimate
    coverage: Estimate
    width: float | None


def compute_value_calibration(rows: ValueRows, seed: int = 0) -> ValueCalibration:
    """All of it; needs at least 19 rows in the calibrate part."""
    low, high = (
        _find_quantile(rows.known, (1 - INNER) / 2),
        _find_quantile(rows.known, (1 + INNER) / 2),
    )
    inside = (rows.errors >= low) & (rows.errors <= high)
    crps = compute_crps(rows.errors, rows.known)
    target = compute_crps(rows.truth, np.sort(rows.calibrate_truth))
    columns = np.column_stack([crps, target])
    width = float(high - low)
    return ValueCalibration(
        n=len(rows.truth),
        n_calibrate=len(rows.known),
        pit=compute_pit_histogram(rows.errors, rows.known),
        quantiles=compute_quantile_coverage(rows.errors, rows.known),
        tenths=_compute_tenths(rows, inside),
        crps=_bootstrap(columns, lambda means: means[..., 0], seed),
        skill=_bootstrap(columns, _compute_skill, seed),
        coverage=compute_wilson(int(inside.sum()), len(inside)),
        width=width if np.isfinite(width) else None,
    )


def compute_pit(errors: Floats, known: Floats) -> Floats:
    """Where each error lies among the sorted known ones, in 0..1; uniform where both come from one source.

    Shape: (n,), (m,) → (n,)
    """
    middle = (np.searchsorted(known, errors, "left") + np.searchsorted(known, errors, "right")) / 2
    places: Floats = (middle + 0.5) / (len(known) + 1)
    return places


def compute_pit_histogram(errors: Floats, known: Floats) -> pd.DataFrame:
    """Counts of the PIT in 20 bins, with what 95 % of same-source samples would show in each (beta-binomial)."""
    edges = np.linspace(0, 1, N_PIT_BINS + 1)
    n, gaps = len(errors), len(known) + 1
    counts = np.histogram(compute_pit(errors, known), bins=edges)[0]
    width = np.histogram((np.arange(gaps) + 0.5) / gaps, bins=edges)[
        0
    ]  # gaps that fall into each bin
    ends = np.array([_bound_count(n, int(each), gaps) for each in width])
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": counts,
            "expected": n * width / gaps,
            "expected_low": ends[:, 0],
            "expected_high": ends[:, 1],
        }
    )


def compute_quantile_coverage(errors: Floats, known: Floats) -> pd.DataFrame:
    """Share of errors at or below each quantile of the known ones, and where 95 % of same-source shares lie."""
    n, gaps = len(errors), len(known) + 1
    rows = []
    for level in LEVELS:
        share = compute_wilson(int((errors <= _find_quantile(known, level)).sum()), n)
        rank = min(int(np.ceil(gaps * level - 1e-9)), gaps)
        low, high = _bound_count(n, rank, gaps)
        rows.append((level, share.value, share.low, share.high, low / n, high / n, n))
    columns = ["level", "observed", "low", "high", "expected_low", "expected_high", "n"]
    return pd.DataFrame(rows, columns=columns)


def compute_crps(errors: Floats, known: Floats) -> Floats:
    """Continuous ranked probability score of the known errors as forecast of each error: E|R − e| − ½ E|R − R′|.

    Gneiting and Raftery 2007, eq. 21. Shape: (n,), sorted (m,) → (n,)
    """
    m = len(known)
    sums = np.concatenate([[0.0], np.cumsum(known)])
    below = np.searchsorted(known, errors)
    far = errors * (2 * below - m) + sums[-1] - 2 * sums[below]
    spread = 2 * float(((2 * np.arange(1, m + 1) - m - 1) * known).sum()) / m**2
    scores: Floats = far / m - spread / 2
    return scores


def _find_quantile(known: Floats, level: float) -> float:
    """The error at rank ⌈(m + 1) · level⌉, endless beyond the last."""
    rank = int(np.ceil((len(known) + 1) * level - 1e-9))
    return float(known[rank - 1]) if 1 <= rank <= len(known) else float("inf" if rank else "-inf")


def _bound_count(n: int, rank: int, gaps: int) -> tuple[float, float]:
    """The middle 95 % of how many of n new values fall into ``rank`` of ``gaps`` gaps between known values."""
    from scipy.stats import betabinom

    if rank in (0, gaps):
        return (0.0, 0.0) if rank == 0 else (float(n), float(n))
    law = betabinom(n, rank, gaps - rank)
    return float(law.ppf(0.025)), float(law.ppf(0.975))


def _bootstrap(columns: Floats, statistic: Callable[[Floats], Floats], seed: int) -> Estimate:
    """A function of column means with its interval over drawn rows."""
    n = len(columns)
    drawn = np.concatenate([statistic(times @ columns / n) for times in iterate_row_times(n, seed)])
    value = float(statistic(columns.mean(axis=0)))
    return build_bootstrap_estimate(value, drawn, n, f"row bootstrap, {len(drawn):,} draws")


def _compute_skill(means: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(means[..., 1] > 0, 1 - means[..., 0] / means[..., 1], np.nan)


def _compute_tenths(rows: ValueRows, inside: NDArray[np.bool_]) -> pd.DataFrame:
    """Tenths of the rows by their prediction; fewer where predictions are alike."""
    order = np.argsort(rows.prediction, kind="stable")
    found = []
    for tenth, places in enumerate(np.array_split(order, min(N_TENTHS, len(order))), start=1):
        errors = rows.errors[places]
        half = compute_z() * float(errors.std()) / np.sqrt(len(places))
        bias, share = float(errors.mean()), compute_wilson(int(inside[places].sum()), len(places))
        mean = float(rows.prediction[places].mean())
        found.append((tenth, len(places), mean, bias, bias - half, bias + half, share.value, share.low, share.high))  # fmt: skip
    columns = ["tenth", "n", "mean_prediction", "bias", "bias_low", "bias_high", "coverage", "low", "high"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)
