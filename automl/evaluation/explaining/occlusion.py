"""What a covered part of a picture takes from a decision: occlusion maps of any model of pictures.

Source: Zeiler and Fergus 2014, arXiv:1311.2901.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

N_CELLS = 8
METHOD = "Occlusion"
LIMITS = (
    "A covered square is something the model has never seen, and squares are covered one at a time: what any of several "
    "parts can tell alone is not found."
)


def compute_occlusion(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.float64]],
    pixels: NDArray[np.uint8],
    class_index: int,
    n_cells: int = N_CELLS,
) -> NDArray[np.float64]:
    """By how much the probability of the class falls when a square is covered with the picture's mean colour.

    ``predict`` gives probabilities ``(n, K)`` of pictures ``(n, S, S, C)``. Of each of 8 × 8 squares, fewer where the picture
    has fewer pixels; negative where covering helps. Shape: ``(S, S, C) → (cells, cells)``
    """
    side = pixels.shape[0]
    cells = min(n_cells, side)
    edges = np.linspace(0, side, cells + 1).round().astype(int)
    covered = np.repeat(pixels[None], cells * cells + 1, axis=0)
    colour = pixels.reshape(-1, pixels.shape[2]).mean(axis=0).round().astype(np.uint8)
    for row in range(cells):
        for column in range(cells):
            each = covered[1 + row * cells + column]
            each[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = colour
    share = predict(covered)[:, class_index]
    return np.asarray((share[0] - share[1:]).reshape(cells, cells))


def scale_occlusion(drops: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """The drops as heat from 0 to 1 at the side of the picture; where covering helps, 0. Shape: (c, c) → (S, S)"""
    edges = np.linspace(0, side, len(drops) + 1).round().astype(int)
    widths = np.diff(edges)
    large = np.repeat(np.repeat(np.maximum(drops, 0), widths, axis=0), widths, axis=1)
    peak = large.max()
    return np.asarray(large / peak if peak > 0 else large, dtype=np.float32)
