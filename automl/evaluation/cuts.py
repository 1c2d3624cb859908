"""Counts at every threshold, from scores that are sorted once: when the threshold moves, no row is looked at again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automl.evaluation.curves import count_from_top
from fairness.errors import AuditError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cuts:
    """The distinct scores of some rows, highest first, with the rows and the positives at or above each.

    Shapes: ``score``, ``flagged``, ``found`` are ``(k,)``; ``n`` and ``n_positive`` count all rows. Every row counts
    once.
    """

    score: Floats
    flagged: Ints
    found: Ints
    n: int
    n_positive: int

    @property
    def n_negative(self) -> int:
        """Rows with the other label."""
        return self.n - self.n_positive

    def count_at(self, threshold: ArrayLike) -> Ints:
        """The four counts tn, fp, fn, tp where a score of ``threshold`` or more is positive.

        Shape: () → (4,), (m,) → (m, 4). A binary search per threshold.
        """
        wanted = np.asarray(threshold, dtype=np.float64)
        reached = len(self.score) - np.searchsorted(self.score[::-1], wanted, side="left")
        return self._count(reached)

    def count_all(self) -> Ints:
        """The counts of every different decision: nobody flagged first, then down to each score. Shape: (k + 1, 4)."""
        return self._count(np.arange(len(self.score) + 1))

    def _count(self, reached: NDArray[np.intp]) -> Ints:
        """The counts where the ``reached`` highest scores are flagged. Shape: (...) → (..., 4)."""
        flagged = np.concatenate([[0], self.flagged])[reached]
        tp = np.concatenate([[0], self.found])[reached]
        fp = flagged - tp
        return np.stack([self.n_negative - fp, fp, self.n_positive - tp, tp], axis=-1)


def build_cuts(is_positive: NDArray[np.bool_], score: Floats) -> Cuts:
    """Sort the scores of rows by whether they are positive; O(n log n), once. Shape: (n,), (n,)."""
    if len(is_positive) != len(score):
        raise AuditError(f"{len(score)} scores for {len(is_positive)} rows.")
    if not np.isfinite(score).all():
        raise AuditError("A score is missing or infinite.")
    scores, found, flagged = count_from_top(np.asarray(is_positive, dtype=bool), score)
    return Cuts(
        score=scores,
        flagged=np.asarray(flagged, dtype=np.int64),
        found=np.asarray(found, dtype=np.int64),
        n=len(score),
        n_positive=int(np.count_nonzero(is_positive)),
    )
