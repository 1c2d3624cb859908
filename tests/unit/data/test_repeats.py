"""Rows of a test file that stand in the main file too: every one is found, with the row it repeats."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from automl.data.repeats import find_repeats, note_repeats


@given(st.lists(st.integers(0, 12), max_size=30), st.lists(st.integers(0, 12), max_size=30))
def test_pairs_are_those_that_a_loop_finds(own, tested):
    keys = np.array([*own, *tested], dtype=np.uint64)
    pairs = find_repeats(keys, np.arange(len(own), len(keys)), np.arange(len(own)))
    wanted = [[len(own) + place, own.index(key)] for place, key in enumerate(tested) if key in own]
    assert pairs.tolist() == wanted


def test_few_pairs_are_named_and_many_counted():
    pairs = np.array([[100 + row, row] for row in range(8)])
    (note,) = note_repeats(pairs, 40, n_before_test=100, are_pictures=False)
    assert note.level == "warning"
    assert "8 of 40 rows of the test file also stand in the main file" in note.text
    assert "0 = 0, 1 = 1, 2 = 2, 3 = 3, 4 = 4 and 3 more." in note.text
    assert not list(note_repeats(pairs[:0], 40, n_before_test=100, are_pictures=False))
    (note,) = note_repeats(pairs, 40, n_before_test=100, are_pictures=True)
    assert "copy or near copy" in note.text
