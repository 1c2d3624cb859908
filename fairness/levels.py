"""Scores as a table of levels with counts: what draws of many thousand rows are made from.

Up to 500 distinct scores the table is exact. Beyond, neighbours are pooled into levels of equal mass, each with its
mean score, for draws only: bands and intervals come from levels, numbers from all rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairness.reliability import assign_bins

MOST_LEVELS = 500

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """Rising scores ``(L,)``, rows ``(L,)`` and positives ``(L,)`` at each."""

    score: Floats
    n: Ints
    positives: Ints

    @property
    def n_rows(self) -> int:
        """How many rows there are in all."""
        return int(self.n.sum())


def pool_scores(truth: ArrayLike, score: ArrayLike, most: int = MOST_LEVELS) -> Levels:
    """Levels of 0/1 labels and scores in 0..1; ties are never split. Shape: (n,), (n,) → (L,)."""
    y = np.asarray(truth, dtype=np.float64)
    s = np.asarray(score, dtype=np.float64)
    distinct, place = np.unique(s, return_inverse=True)
    if len(distinct) > most:
        place = np.unique(assign_bins(s, most, "mass"), return_inverse=True)[1]
    n = np.bincount(place)
    return Levels(
        score=np.bincount(place, weights=s) / n,
        n=n.astype(np.int64),
        positives=np.bincount(place, weights=y).astype(np.int64),
    )


def fit_levels(n: ArrayLike, positives: ArrayLike) -> Floats:
    """Isotonic fit of the observed share on rising levels, by SciPy; levels without rows follow their neighbours.

    Shape: (L,), (L,) → (L,)
    """
    from scipy.optimize import isotonic_regression  # half a second that only draws need

    rows, hits = np.asarray(n, dtype=np.float64), np.asarray(positives, dtype=np.float64)
    filled = np.flatnonzero(rows > 0)
    fitted = isotonic_regression(hits[filled] / rows[filled], weights=rows[filled]).x
    if len(filled) < len(rows):
        fitted = np.interp(np.arange(len(rows)), filled, fitted)
    return np.asarray(fitted, dtype=np.float64)


def draw_calibrated(levels: Levels, draws: int, seed: int = 0) -> Iterator[Ints]:
    """Positives at each level if every score were the true chance, ``draws`` times. Shape of each: (L,)."""
    generator = np.random.default_rng(seed)
    for _ in range(draws):
        yield generator.binomial(levels.n, np.clip(levels.score, 0, 1)).astype(np.int64)


def draw_rows(levels: Levels, draws: int, seed: int = 0) -> Iterator[tuple[Ints, Ints]]:
    """Rows and positives at each level when the rows are drawn with replacement. Shapes: (L,), (L,)."""
    generator = np.random.default_rng(seed)
    total = levels.n_rows
    shares = np.concatenate([levels.positives, levels.n - levels.positives]) / total
    for _ in range(draws):
        drawn = generator.multinomial(total, shares)
        positives, negatives = np.split(drawn, 2)
        yield (positives + negatives).astype(np.int64), positives.astype(np.int64)
