"""Which pictures are copies of each other, pixel by pixel or nearly."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.images.hashing import find_near_pairs

Ints = NDArray[np.int64]

NEAR_BITS = 4
FLAT_CONTRAST = 0.02  # below it a hash is noise
MAX_LIGHT_STEP = 0.1  # near copies differ little in brightness and contrast
MAX_FAMILY_SHARE = 0.05
MIN_FAMILY = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """Numbers per picture: equal ``exact`` have equal pixels, equal ``near`` look alike.

    ``near`` joins look-alikes of look-alikes. Where that would make families of over 5 % of all pictures,
    the hash cannot tell them apart: ``n_merged`` pictures are in such, and ``near`` is ``exact`` there.
    """

    exact: Ints
    near: Ints
    n_merged: int = 0


def find_copies(taken: pa.Table) -> Copies:
    """Copies among the rows of ``originals.parquet`` that were taken, in their order."""
    exact = number_values(taken.column("sha256"))
    first = np.unique(exact, return_index=True)[1]
    near = _join(taken, first)[exact]
    sizes = np.bincount(near, minlength=1)
    is_merged = sizes[near] > max(MIN_FAMILY, MAX_FAMILY_SHARE * len(near))
    is_merged &= np.bincount(exact, minlength=1)[exact] < sizes[near]
    near = np.where(is_merged, near.max(initial=0) + 1 + exact, near)
    return Copies(exact=exact, near=renumber(near), n_merged=int(is_merged.sum()))


def _join(taken: pa.Table, first: Ints) -> Ints:
    """A family number for each different picture."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    hashes = read_hashes(taken)[first]
    brightness = read_numbers(taken, "brightness")[first]
    contrast = read_numbers(taken, "contrast")[first]
    clear = np.flatnonzero(contrast >= FLAT_CONTRAST)
    clear = clear[np.argsort(brightness[clear], kind="stable")]  # chains of equal hashes by light
    left, right = clear[find_near_pairs(hashes[clear], NEAR_BITS)].T
    is_alike = (np.abs(brightness[left] - brightness[right]) <= MAX_LIGHT_STEP) & (
        np.abs(contrast[left] - contrast[right]) <= MAX_LIGHT_STEP
    )
    ones = np.ones(int(is_alike.sum()), dtype=np.int8)
    shape = (len(first), len(first))
    graph = coo_matrix((ones, (left[is_alike], right[is_alike])), shape=shape)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def read_hashes(taken: pa.Table) -> NDArray[np.uint64]:
    """The column ``phash`` as unsigned numbers, stored as int64 or uint64."""
    return np.asarray(taken.column("phash").to_numpy()).astype(np.uint64, copy=False)


def read_numbers(taken: pa.Table, name: str) -> NDArray[np.float64]:
    """A column of numbers."""
    return np.asarray(taken.column(name).cast(pa.float64()).to_numpy(), dtype=np.float64)


def number_values(column: pa.ChunkedArray) -> Ints:
    """Equal numbers for equal values from 0 without a gap; a missing one is a value too."""
    codes = column.combine_chunks().dictionary_encode().indices
    return renumber(np.asarray(pc.fill_null(codes, -1).to_numpy(), dtype=np.int64))


def renumber(numbers: Ints) -> Ints:
    """The same groups, numbered from 0 without a gap."""
    return np.unique(numbers, return_inverse=True)[1].reshape(-1).astype(np.int64)
