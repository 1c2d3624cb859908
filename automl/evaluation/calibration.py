"""Temperature scaling: one number, fitted on the calibrate part, that makes probabilities more or less sharp.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv:1706.04599).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.errors import DataError

SMALLEST = 1e-15  # probabilities are cut here before the logarithm, as scikit-learn does
LOWEST, HIGHEST = 0.05, 20.0  # beyond these the scores say almost nothing about confidence
TOLERANCE = 1e-9  # of 1/T
LEAST_GAIN = 1e-12  # of the mean log loss; below, no temperature is better than another

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Temperature:
    """``softmax(log p / value)``: above 1 softens over-confident scores, below 1 sharpens them.

    ``n`` rows were used; both losses are mean log losses on those rows. ``is_at_bound`` says that no best
    value lies between 0.05 and 20. Softening then stops at 20; sharpening without end means that all these
    few rows are predicted correctly, so the scores are left as they are (value 1).
    """

    value: float
    n: int
    log_loss_before: float
    log_loss_after: float
    is_at_bound: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.value) and self.value > 0):
            raise DataError(f"A temperature is a positive number, got {self.value}.")

    def apply(self, probability: NDArray[np.floating]) -> Floats:
        """Rescaled probabilities; the most likely class of every row stays the same.

        Shape: ``(n, K) → (n, K)``
        """
        return apply_temperature(probability, self.value)


def apply_temperature(probability: NDArray[np.floating], value: float) -> Floats:
    """``softmax(log p / value)`` by row.

    Shape: ``(n, K) → (n, K)``
    """
    return np.exp(_log_softmax(_logarithm(probability) / value))


def fit_temperature(
    truth: NDArray[np.int64],
    probability: NDArray[np.floating],
    weight: NDArray[np.floating] | None = None,
) -> Temperature:
    """The temperature with the least log loss on these rows (the calibrate part).

    ``truth`` holds class indices ``(n,)``, ``probability`` has shape ``(n, K)``. The loss is convex in
    1/T, so bisection on its slope finds the one minimum; nothing random is involved. ``weight`` ``(n,)``: how many
    rows each row stands for.
    """
    if probability.ndim != 2 or len(truth) != len(probability) or len(truth) == 0:
        raise DataError(
            f"A temperature needs one row of class probabilities per label, got {len(truth)} labels "
            f"and probabilities of shape {probability.shape}."
        )
    rows = _Rows(scores=_logarithm(probability), truth=truth, weight=weight)
    low, high = 1 / HIGHEST, 1 / LOWEST
    too_soft, too_sharp = rows.compute_slope(low) >= 0, rows.compute_slope(high) <= 0
    if too_sharp:
        low = high = 1.0
    elif too_soft:
        high = low
    while high - low > TOLERANCE:
        middle = (low + high) / 2
        if rows.compute_slope(middle) < 0:
            low = middle
        else:
            high = middle
    before, after = rows.compute_loss(1.0), rows.compute_loss((low + high) / 2)
    gains = after < before - LEAST_GAIN
    return Temperature(
        value=2 / (low + high) if gains else 1.0,
        n=len(truth),
        log_loss_before=before,
        log_loss_after=after if gains else before,
        is_at_bound=too_soft or too_sharp,
    )


def _logarithm(probability: NDArray[np.floating]) -> Floats:
    values = np.asarray(probability, dtype=np.float64)
    return np.log(np.clip(values, SMALLEST, None))


def _log_softmax(scores: Floats) -> Floats:
    shifted = scores - scores.max(axis=1, keepdims=True)
    total: Floats = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    result: Floats = shifted - total
    return result


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rows:
    """Log probabilities ``(n, K)``, labels and weights of the calibrate part."""

    scores: Floats
    truth: NDArray[np.int64]
    weight: NDArray[np.floating] | None

    def compute_slope(self, inverse: float) -> float:
        """Derivative of the mean log loss by 1/T: expected minus observed score."""
        share = np.exp(_log_softmax(self.scores * inverse))
        observed = self.scores[np.arange(len(self.truth)), self.truth]
        return self._average((share * self.scores).sum(axis=1) - observed)

    def compute_loss(self, inverse: float) -> float:
        """Mean log loss."""
        chosen = _log_softmax(self.scores * inverse)[np.arange(len(self.truth)), self.truth]
        return -self._average(chosen)

    def _average(self, values: Floats) -> float:
        return float(
            values.mean() if self.weight is None else np.average(values, weights=self.weight)
        )
