"""Perceptual hashes: 64 bits per picture that near copies share, and the pairs of them that are close."""

import numpy as np
from numpy.typing import NDArray

HASH_SIDE = 32
N_BITS = 64


def _build_basis(n_frequencies: int) -> NDArray[np.float32]:
    """Rows of the orthonormal DCT-II of length 32: ``(n_frequencies, 32)``."""
    frequency, position = np.mgrid[:n_frequencies, :HASH_SIDE]
    basis = np.cos(np.pi * frequency * (2 * position + 1) / (2 * HASH_SIDE))
    basis *= np.where(frequency == 0, np.sqrt(1 / HASH_SIDE), np.sqrt(2 / HASH_SIDE))
    return np.asarray(basis, dtype=np.float32)


def _list_lowest(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lowest two-dimensional frequencies but the constant one, as row and column numbers."""
    rows, columns = np.mgrid[:HASH_SIDE, :HASH_SIDE].reshape(2, -1)
    order = np.lexsort((rows, rows + columns))[1 : count + 1]
    return rows[order], columns[order]


_ROWS, _COLUMNS = _list_lowest(N_BITS)
_BASIS = _build_basis(int(max(_ROWS.max(), _COLUMNS.max())) + 1)
_PLACES = np.left_shift(np.uint64(1), np.arange(N_BITS, dtype=np.uint64))


def compute_phash(grey: NDArray[np.float32]) -> int:
    """The hash of a grey picture ``(32, 32)``: which of its 64 lowest frequencies exceed their median.

    An unsigned 64-bit number. The scale of the grey values does not matter. The hash of a picture of one
    colour only says nothing; see ``measure_picture`` for its contrast.
    """
    spectrum = _BASIS @ grey @ _BASIS.T
    low = spectrum[_ROWS, _COLUMNS]
    return int(_PLACES[low > np.median(low)].sum(dtype=np.uint64))
