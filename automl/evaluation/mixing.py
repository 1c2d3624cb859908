"""Several predictions of the same rows as one: their weighted mean."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automl.errors import DataError

TOLERANCE = 1e-6  # by which weights may miss a sum of 1


def mix(
    predictions: Sequence[NDArray[np.floating]], weights: Sequence[float]
) -> NDArray[np.float64]:
    """Mean of probabilities ``(n, K)`` or values ``(n,)``; the weights are positive and sum to 1.

    Probabilities are averaged, never logits (Gorishniy et al. 2024, arXiv:2410.24210, do the same).
    """
    if not predictions or len(predictions) != len(weights):
        raise DataError(
            f"{len(predictions)} predictions cannot be mixed by {len(weights)} weights."
        )
    if min(weights) <= 0 or abs(sum(weights) - 1) > TOLERANCE:
        raise DataError(f"Weights are positive and sum to 1, got {list(weights)!r:.80}.")
    total = np.zeros(predictions[0].shape)
    for prediction, weight in zip(predictions, weights, strict=True):
        total += weight * np.asarray(prediction, dtype=np.float64)
    return total
