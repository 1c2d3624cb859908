"""The numeric forms of a table, fitted on training rows by numpy alone.

Quantiles follow scikit-learn's ``QuantileTransformer``; ``subsample`` is explicit here as well: all rows,
up to ``MAX_QUANTILE_ROWS`` drawn with the encoder's seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

MAX_QUANTILE_ROWS = 1_000_000
NOISE = 1e-5  # of a standard deviation, so that equal values do not pile up in one quantile
CLIP = 10.0
_TAIL = 1e-7
_LEAST_SPREAD = 1e-12  # of the size of the values: what floating point leaves of a constant
_FARTHEST = 1e6  # spreads; beyond it the smooth clip is 3 to six digits
_FIVE_POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_BLOCK = 64  # columns computed at a time, so that float64 never holds a whole view


@dataclass(frozen=True, kw_only=True, slots=True)
class NumericFit:
    """What was learned from the training rows, per numeric input.

    ``mean``, ``scale``: ``(Q,)``, scale 0 for a constant; ``median``, ``spread``: ``(Q,)``, the distance of the
    quartiles, where that is 0 half the range; ``quantiles``: ``(T, Q)``, rising along axis 0; ``has_missing``:
    ``(Q,)``, those get an indicator.
    """

    mean: Floats
    scale: Floats
    median: Floats
    spread: Floats
    quantiles: Floats
    has_missing: NDArray[np.bool_]

    def take(self, columns: slice) -> "NumericFit":
        """What was learned from some neighbouring columns."""
        return NumericFit(
            mean=self.mean[columns],
            scale=self.scale[columns],
            median=self.median[columns],
            spread=self.spread[columns],
            quantiles=self.quantiles[:, columns],
            has_missing=self.has_missing[columns],
        )


def fit_numeric(values: Floats, *, seed: int = 0) -> NumericFit:
    """Learn from training rows ``(n, Q)``, NaN for missing."""
    n_rows, n_columns = values.shape
    n_quantiles = max(min(n_rows // 30, 1000), 10)
    mean, scale, median, spread = np.zeros((4, n_columns))
    quantiles = np.zeros((n_quantiles, n_columns))
    generator = np.random.default_rng(seed)
    references = np.linspace(0, 1, n_quantiles)
    for index in range(n_columns):
        present = values[~np.isnan(values[:, index]), index]
        if not len(present):
            continue
        mean[index] = present.mean()
        deviation = present.std()
        # what floating point leaves of a constant is no spread
        is_constant = (
            deviation <= _LEAST_SPREAD * max(1.0, abs(mean[index]))
            or present.min() == present.max()
        )
        scale[index] = 0.0 if is_constant else deviation
        if not is_constant:
            median[index], spread[index] = _find_spread(np.quantile(present, _FIVE_POINTS))
        if len(present) > MAX_QUANTILE_ROWS:
            present = generator.choice(present, MAX_QUANTILE_ROWS, replace=False)
        noisy = present + generator.normal(0, NOISE * scale[index], len(present))
        quantiles[:, index] = np.quantile(noisy, references)
    return NumericFit(
        mean=mean,
        scale=scale,
        median=median,
        spread=spread,
        quantiles=quantiles,
        has_missing=np.asarray(np.isnan(values).any(axis=0)),
    )


def _find_spread(points: Floats) -> tuple[float, float]:
    low, first, median, third, high = points
    distance = third - first
    is_spread = distance > _LEAST_SPREAD * max(1.0, abs(median))
    return float(median), float(distance if is_spread else (high - low) / 2)


def derive_spread(quantiles: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Median and spread ``(Q,)`` from quantiles ``(T, Q)``, for encoders saved before there was a robust view."""
    references = np.linspace(0, 1, len(quantiles))
    pairs = [_find_spread(np.interp(_FIVE_POINTS, references, edges)) for edges in quantiles.T]
    median, spread = np.array(pairs).reshape(-1, 2).T
    return np.where(scale > 0, median, 0.0), np.where(scale > 0, spread, 0.0)


def fill_view(
    compute: "Compute", values: Floats, fit: NumericFit, indicators: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A view of ``values`` ``(n, Q)`` as float32, the indicators behind it."""
    n_columns = values.shape[1]
    view = np.empty((len(values), n_columns + indicators.shape[1]), dtype=np.float32)
    for start in range(0, n_columns, _BLOCK):
        columns = slice(start, min(start + _BLOCK, n_columns))
        view[:, columns] = compute(values[:, columns], fit.take(columns))
    view[:, n_columns:] = indicators
    return view


Compute = Callable[[Floats, NumericFit], Floats]


def compute_robust(values: Floats, fit: NumericFit) -> Floats:
    """Median 0, quartiles one apart, smoothly clipped within ±3; 0 for missing and for constants. ``(n, Q)``.

    Source: Holzmüller et al. 2024, "Better by Default" (RealMLP).
    """
    spread = np.where(fit.spread > 0, fit.spread, 1.0)
    scaled = np.clip((values - fit.median) / spread, -_FARTHEST, _FARTHEST)
    scaled[:, fit.spread == 0] = 0.0
    return np.nan_to_num(scaled / np.sqrt(1 + (scaled / 3) ** 2), nan=0.0)


def compute_standard(values: Floats, fit: NumericFit) -> Floats:
    """Mean 0 and deviation 1, clipped at ±10; 0 for missing and for constants. ``(n, Q)``."""
    scale = np.where(fit.scale > 0, fit.scale, 1.0)
    standard = np.clip((values - fit.mean) / scale, -CLIP, CLIP)
    standard[:, fit.scale == 0] = 0.0
    return np.nan_to_num(standard, nan=0.0)


def compute_quantile(values: Floats, fit: NumericFit) -> Floats:
    """Ranks to a standard normal, within ±5.2; 0 for missing and for constants. ``(n, Q)``."""
    result = np.zeros_like(values)
    references = np.linspace(0, 1, len(fit.quantiles))
    for index in np.flatnonzero(fit.scale > 0):
        column, edges = values[:, index], fit.quantiles[:, index]
        # the mean of both directions puts repeated values in the middle of their ranks
        upper = np.interp(column, edges, references)
        lower = np.interp(-column, -edges[::-1], -references[::-1])
        ranks = np.clip(0.5 * (upper - lower), _TAIL, 1 - _TAIL)
        result[:, index] = ndtri(ranks)
    return np.nan_to_num(result, nan=0.0)
