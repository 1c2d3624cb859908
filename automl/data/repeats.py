"""Rows of the test part that models have met before: found by their keys, counted, and named."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from automl.data.dataset import Note

NAMED = 5

Ints = NDArray[np.int64]


def find_repeats(keys: NDArray[np.uint64], tested: Ints, own: Ints) -> Ints:
    """Pairs ``(m, 2)``: a row of ``tested`` and the first row of ``own`` with the same key, in the order of ``tested``."""
    if not len(own) or not len(tested):
        return np.zeros((0, 2), dtype=np.int64)
    known, first = np.unique(keys[own], return_index=True)
    places = np.searchsorted(known, keys[tested]).clip(0, len(known) - 1)
    is_met = known[places] == keys[tested]
    return np.column_stack([tested[is_met], own[first[places[is_met]]]]).astype(np.int64)


def note_repeats(
    pairs: Ints, n_tested: int, *, n_before_test: int, are_pictures: bool
) -> Iterator[Note]:
    """The note about ``find_repeats``; nothing where there is no pair.

    ``n_before_test``: how many rows stand before those of the given test file.
    """
    if not len(pairs):
        return
    if are_pictures:
        what = "pictures of the test part have a copy or near copy in the other parts"
        named = ""
    else:
        what = "rows of the test file also stand in the main file"
        named = f" Rows of the test file and of the main file, counted from 0: {_name(pairs, n_before_test)}."
    text = f"{len(pairs):,} of {n_tested:,} {what}. The test results are a little too good for them.{named}"
    yield Note(code="test_overlap", text=text, level="warning")


def _name(pairs: Ints, first: int) -> str:
    shown = ", ".join(f"{test - first} = {own}" for test, own in pairs[:NAMED].tolist())
    return f"{shown} and {len(pairs) - NAMED:,} more" if len(pairs) > NAMED else shown
