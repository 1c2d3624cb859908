"""Views of a regression as tidy frames; a residual is prediction minus truth, in the unit of the target."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.evaluation.thinning import sample_rows

N_BINS = 40
N_DECILES = 10
Z = 1.959964

Floats = NDArray[np.float64]


def compute_predicted_vs_actual(truth: Floats, prediction: Floats, seed: int = 0) -> pd.DataFrame:
    """At most 2,000 rows, drawn with the seed: ``truth, prediction, residual``."""
    rows = sample_rows(len(truth), seed)
    return pd.DataFrame(
        {
            "truth": truth[rows],
            "prediction": prediction[rows],
            "residual": (prediction - truth)[rows],
        }
    )


def compute_residual_histogram(truth: Floats, prediction: Floats) -> pd.DataFrame:
    """Counts of the residuals of all rows in 40 equal bins: ``low, high, n``."""
    counts, edges = np.histogram(prediction - truth, bins=N_BINS)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": counts})


def compute_error_by_decile(truth: Floats, prediction: Floats) -> pd.DataFrame:
    """Errors of all rows by tenth of the true value, ties kept together.

    Columns ``decile`` (1 = smallest), ``low, high`` (true values), ``n``, ``mae``, ``mean_residual`` with
    ``mean_residual_low, mean_residual_high`` (normal 95 % interval; missing with one row).
    """
    edges = np.unique(np.quantile(truth, np.linspace(0, 1, N_DECILES + 1)))
    which = np.clip(np.searchsorted(edges, truth, side="right"), 1, max(len(edges) - 1, 1))
    residual = prediction - truth
    rows: list[dict[str, float]] = []
    for decile in np.unique(which):
        inside = which == decile
        part, n = residual[inside], int(inside.sum())
        half = Z * part.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        rows.append(
            {
                "decile": len(rows) + 1,
                "low": truth[inside].min(),
                "high": truth[inside].max(),
                "n": n,
                "mae": np.abs(part).mean(),
                "mean_residual": part.mean(),
                "mean_residual_low": part.mean() - half,
                "mean_residual_high": part.mean() + half,
            }
        )
    return pd.DataFrame(rows)


def compute_line(truth: Floats, prediction: Floats) -> dict[str, float | None]:
    """Straight line of the truth on the prediction: ``slope`` (1 is right) and ``intercept``.

    Both None where all predictions are equal.
    """
    centred = prediction - prediction.mean()
    spread = float(centred @ centred)
    if spread == 0:
        return {"slope": None, "intercept": None}
    slope = float(centred @ truth) / spread
    return {"slope": slope, "intercept": float(truth.mean() - slope * prediction.mean())}
