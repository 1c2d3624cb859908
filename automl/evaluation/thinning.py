"""Fewer points for figures; no number is ever computed from a thinned frame."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_POINTS = 2_000  # per trace

Floats = NDArray[np.float64]


def thin_curve(frame: pd.DataFrame, x: str, y: str, limit: int = MAX_POINTS) -> pd.DataFrame:
    """At most ``limit`` rows of a curve, evenly spaced along its length; both ends stay."""
    if len(frame) <= limit:
        return frame.reset_index(drop=True)
    steps = frame[[x, y]].diff().abs().sum(axis=1).to_numpy(dtype=np.float64)
    length = np.cumsum(steps)
    wanted = np.linspace(0, length[-1], limit)
    rows = np.unique(np.searchsorted(length, wanted).clip(0, len(frame) - 1))
    rows[0], rows[-1] = 0, len(frame) - 1
    return frame.iloc[np.unique(rows)].reset_index(drop=True)


def sample_rows(n: int, seed: int, limit: int = MAX_POINTS) -> NDArray[np.int64]:
    """Sorted row numbers: all of them, or a seeded sample of ``limit``."""
    if n <= limit:
        return np.arange(n, dtype=np.int64)
    drawn = np.random.default_rng(seed).choice(n, size=limit, replace=False)
    return np.sort(drawn).astype(np.int64)
