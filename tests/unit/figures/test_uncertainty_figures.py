"""Coverage by group, sizes of sets, and right decisions by share decided: drawn and said as the frames have them."""

import numpy as np
import pandas as pd
import pytest

from automl.evaluation.review import compute_coverage_accuracy
from automl.evaluation.uncertainty import compute_sizes
from automl.figures.coverage_accuracy import describe_coverage_accuracy, plot_coverage_accuracy
from automl.figures.group_shares import (
    MOST_ROWS,
    describe_abstention,
    describe_coverage,
    plot_group_shares,
)
from automl.figures.set_sizes import describe_set_sizes, plot_set_sizes
from fairness.group_shares import compute_group_shares
from fairness.groups import Grouping, build_grouping
from fairness.template import PALETTE


def build_shares(holds: list[bool], groups: list[str]) -> pd.DataFrame:
    grouping = build_grouping("team", pd.Series(groups))
    table = compute_group_shares(np.array(holds), [grouping])
    return table[table["attribute"] == "team"].reset_index(drop=True)


def test_shares_count_all_rows_and_every_group_and_leave_out_what_does_not_count() -> None:
    grouping = build_grouping("team", pd.Series(["a", "a", "b", "b", "b"]))
    holds = np.array([True, False, True, True, False])
    table = compute_group_shares(holds, [grouping])
    assert table[["attribute", "group", "n", "k"]].to_numpy().tolist() == [
        ["", "all rows", 5, 3], ["team", "b", 3, 2], ["team", "a", 2, 1],
    ]  # fmt: skip
    among = np.array([False, False, True, True, True])
    table = compute_group_shares(holds, [grouping], among)
    assert table["n"].tolist() == [3, 3, 0]
    assert pd.isna(table["share"].iloc[2])


def test_a_group_without_rows_keeps_its_line_and_has_no_dot() -> None:
    grouping = Grouping("team", ("a", "<b>", "c"), np.array([0, 0, 2]))
    table = compute_group_shares(np.array([True, False, True]), [grouping])
    part = table[table["attribute"] == "team"]
    fig = plot_group_shares(part, title="Rows, %", reference=(0.9, "stated 90.0 %"))
    assert list(fig.data[0].y) == [0, 2]
    assert list(fig.layout.yaxis.ticktext) == ["a", "&lt;b&gt;", "c"]
    assert fig.layout.shapes[0].x0 == pytest.approx(90)
    assert tuple(fig.layout.template.layout.colorway) == PALETTE
    assert "1 of 2" in fig.data[0].customdata[0]


def test_the_axis_says_where_it_does_not_begin_at_zero() -> None:
    high = build_shares([True] * 95 + [False] * 5, ["a"] * 100)
    fig = plot_group_shares(high, title="Rows, %", reference=(0.9, "stated"))
    assert fig.layout.xaxis.title.text == "Rows, % (from 80 %)"
    low = build_shares([True, False], ["a", "a"])
    fig = plot_group_shares(low, title="Rows, %", reference=(0.9, "stated"))
    assert fig.layout.xaxis.title.text == "Rows, %"
    assert fig.layout.xaxis.range[0] == -1


def test_many_groups_are_cut_in_the_figure_only() -> None:
    names = [f"g{number:03}" for number in range(60)]
    part = build_shares([True] * 60, names)
    fig = plot_group_shares(part, title="x", reference=(0.9, "stated"))
    assert len(fig.data[0].y) == MOST_ROWS
    assert len(part) == 60


def test_sentences_count_the_groups_that_hold_the_stated_share() -> None:
    part = build_shares([True] * 90 + [False] * 10 + [True] * 40 + [False] * 60, ["a"] * 100 + ["b"] * 100)  # fmt: skip
    text = describe_coverage(part, 0.9)
    assert text.startswith(
        "In 1 of 2 groups the 95 % interval of what was measured reaches the stated 90.0 %."
    )
    banded = describe_coverage(part, 0.9, (0.45, 0.95))
    assert banded.startswith("In 2 of 2 groups")
    assert "leaves of the stated 90.0 % (shaded, 45.0 % to 95.0 %)" in banded
    fig = plot_group_shares(part, title="x", reference=(0.9, "stated"), band=(0.85, 0.95))
    assert (fig.layout.shapes[0].x0, fig.layout.shapes[0].x1) == pytest.approx((85, 95))
    assert "Lowest for b, 40.0 % [" in text
    assert "(n = 100)" in text
    assert describe_abstention(part.iloc[:1]).startswith("a, 90.0 % [")
    assert describe_coverage(part.iloc[:0], 0.9) == "No group has test rows."


def test_sizes_say_how_often_one_class_is_right_and_how_many_are_empty() -> None:
    sets = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 0]], dtype=bool)
    frame = compute_sizes(sets, np.array([True, True, False, True, False]))
    text = describe_set_sizes(frame)
    assert text.startswith("60.0 % of the sets hold one class (n = 3), the true one in 66.7 % [")
    assert "20.0 % of the sets hold no class (n = 1)" in text
    fig = plot_set_sizes(frame)
    assert list(fig.data[0].x) == ["none", "1", "2"]
    assert list(fig.data[0].y) == [20, 60, 20]
    full = compute_sizes(np.ones((4, 2), dtype=bool), np.ones(4, dtype=bool))
    assert describe_set_sizes(full) == "No set holds one class; no set is empty."


def test_the_curve_has_a_band_per_part_and_reads_the_surest_half() -> None:
    confidence, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, False])
    curve = compute_coverage_accuracy(confidence, right)
    frame = pd.concat([curve.assign(series="calibrate part"), curve.assign(series="test part")])
    fig = plot_coverage_accuracy(frame, 0.75)
    assert [trace.name for trace in fig.data if trace.name] == ["calibrate part", "test part"]
    assert fig.layout.shapes[0].x0 == 75
    text = describe_coverage_accuracy(frame)
    assert text.startswith("test part: 50.0 % [")
    assert "of the surest 50.0 %, those from a confidence of 0.800 on, 100.0 % [" in text
    assert describe_coverage_accuracy(frame.iloc[:0]) == "There are no decisions to count."
