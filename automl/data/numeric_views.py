"""The three numeric forms of a table, fitted on training rows by numpy alone.

Quantiles follow scikit-learn's ``QuantileTransformer``; ``subsample`` is explicit here as well: all rows,
up to ``MAX_QUANTILE_ROWS`` drawn with the encoder's seed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

MAX_QUANTILE_ROWS = 1_000_000
NOISE = 1e-5  # of a standard deviation, so that equal values do not pile up in one quantile
CLIP = 10.0
_TAIL = 1e-7


@dataclass(frozen=True, kw_only=True, slots=True)
class NumericFit:
    """What was learned from the training rows, per numeric input.

    ``mean``, ``scale``: ``(Q,)``, scale 0 for a constant; ``quantiles``: ``(T, Q)``, rising along axis 0;
    ``has_missing``: ``(Q,)``, those get an indicator.
    """

    mean: Floats
    scale: Floats
    quantiles: Floats
    has_missing: NDArray[np.bool_]


def fit_numeric(values: Floats, *, seed: int = 0) -> NumericFit:
    """Learn from training rows ``(n, Q)``, NaN for missing."""
    n_rows, n_columns = values.shape
    n_quantiles = max(min(n_rows // 30, 1000), 10)
    mean, scale = np.zeros(n_columns), np.zeros(n_columns)
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
            deviation <= 1e-12 * max(1.0, abs(mean[index])) or present.min() == present.max()
        )
        scale[index] = 0.0 if is_constant else deviation
        if len(present) > MAX_QUANTILE_ROWS:
            present = generator.choice(present, MAX_QUANTILE_ROWS, replace=False)
        noisy = present + generator.normal(0, NOISE * scale[index], len(present))
        quantiles[:, index] = np.quantile(noisy, references)
    return NumericFit(
        mean=mean,
        scale=scale,
        quantiles=quantiles,
        has_missing=np.asarray(np.isnan(values).any(axis=0)),
    )


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
