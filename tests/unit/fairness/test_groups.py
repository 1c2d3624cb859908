"""Columns to groups: nobody is lost, numbers are cut with visible edges."""

import numpy as np
import pandas as pd
import pytest

from fairness.errors import AuditError
from fairness.groups import MISSING, build_grouping


def test_largest_group_comes_first_and_missing_last():
    grouping = build_grouping("g", pd.Series(["b", "a", "a", None, None, None, "c"]))
    assert grouping.names == ("a", "b", "c", MISSING)
    assert grouping.sizes.tolist() == [2, 1, 1, 3]


def test_numbers_and_their_text_are_one_group():
    grouping = build_grouping("g", pd.Series([1, "1", 2], dtype=object))
    assert grouping.names == ("1", "2")


def test_whole_floats_lose_their_zero():
    assert build_grouping("g", pd.Series([1.0, 2.0, np.nan])).names == ("1", "2", MISSING)


def test_booleans_are_named():
    assert build_grouping("g", pd.Series([True, False, True])).names == ("True", "False")


def test_long_numeric_columns_are_cut_at_quartiles():
    column = pd.Series([*range(1, 101), None], dtype="float64")
    grouping = build_grouping("age", column)
    assert grouping.is_binned
    assert grouping.names == ("1 to 25.75", "over 25.75 to 50.5", "over 50.5 to 75.25", "over 75.25 to 100", MISSING)  # fmt: skip
    assert grouping.sizes.tolist() == [25, 25, 25, 25, 1]
    assert "quartiles" in grouping.note


def test_few_rows_with_a_value_each_are_cut_at_quartiles_too():
    grouping = build_grouping("picture_brightness", pd.Series(np.linspace(0.1, 0.9, 18)))
    assert len(grouping.names) == 4
    assert build_grouping("age", pd.Series([30, 40, 50, 60, 70] * 4)).names[0] == "30"
    assert not build_grouping("children", pd.Series([0, 1, 2, 3])).is_binned


def test_quartiles_that_fall_together_leave_no_empty_group():
    grouping = build_grouping("x", pd.Series([0] * 90 + list(range(1, 31))))
    assert grouping.sizes.min() > 0
    assert grouping.sizes.sum() == 120


def test_unused_levels_of_a_categorical_do_not_appear():
    column = pd.Series(pd.Categorical(["a", "b", "a"], categories=["a", "b", "z"]))
    assert build_grouping("g", column).names == ("a", "b")


def test_an_identifier_is_refused_with_its_count():
    with pytest.raises(AuditError, match="300 different values"):
        build_grouping("name", pd.Series([f"p{i}" for i in range(300)]))


def test_infinite_values_are_refused():
    with pytest.raises(AuditError, match="infinite"):
        build_grouping("x", pd.Series([*map(float, range(30)), np.inf]))


def test_pandas_string_columns_keep_missing_apart():
    grouping = build_grouping("g", pd.Series(["x", None, "y", "x"], dtype="string"))
    assert grouping.names == ("x", "y", MISSING)


def test_long_edges_are_written_short_and_stay_apart():
    column = pd.Series(np.linspace(0.0431373, 0.912345, 101))
    grouping = build_grouping("picture_brightness", column)
    assert grouping.names[0] == "0.0431 to 0.26"
    assert len(set(grouping.names)) == 4
    assert grouping.sizes.tolist() == [26, 25, 25, 25]
    close = pd.Series(np.linspace(0.50001, 0.50009, 101))
    assert len(set(build_grouping("a", close).names)) == 4
