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


def find_near_pairs(hashes: NDArray[np.uint64], most_bits: int = 4) -> NDArray[np.int64]:
    """Pairs ``(m, 2)`` of indices whose hashes differ in at most ``most_bits`` bits; of equal ones a chain.

    Equal hashes are joined first to second, second to third and so on, not each with each. With one band of
    bits more than may differ, some band is equal: only those are compared, so that 100,000 take seconds.
    """
    order = np.argsort(hashes, kind="stable")
    is_same = hashes[order][1:] == hashes[order][:-1]
    chain = np.column_stack([order[:-1][is_same], order[1:][is_same]])
    first = order[np.concatenate([[True], ~is_same])] if len(order) else order
    found = [_find_in_band(hashes[first], band, most_bits) for band in _list_bands(most_bits + 1)]
    pairs = np.unique(np.concatenate(found), axis=0) if found else np.zeros((0, 2), dtype=np.int64)
    joined = np.sort(np.concatenate([chain, first[pairs]]), axis=1)
    return np.asarray(joined[np.lexsort((joined[:, 1], joined[:, 0]))], dtype=np.int64)


def _list_bands(count: int) -> list[np.uint64]:
    """Masks that share out the bits in turn: neighbours tell least about each other, and so fill buckets."""
    return [_PLACES[start::count].sum(dtype=np.uint64) for start in range(count)]


def _find_in_band(hashes: NDArray[np.uint64], band: np.uint64, most_bits: int) -> NDArray[np.int64]:
    """Close pairs that agree in one band; memory is linear however full a bucket is."""
    order = np.argsort(hashes & band, kind="stable")
    ordered = hashes[order]
    keys = ordered & band
    alive = np.arange(len(order))
    found = [np.zeros((0, 2), dtype=np.int64)]
    for distance in range(1, len(order)):
        alive = alive[alive < len(order) - distance]
        alive = alive[keys[alive] == keys[alive + distance]]
        if not len(alive):
            break
        other = alive + distance
        close = np.bitwise_count(ordered[alive] ^ ordered[other]) <= most_bits
        found.append(np.sort(np.column_stack([order[alive[close]], order[other[close]]]), axis=1))
    return np.concatenate(found)
