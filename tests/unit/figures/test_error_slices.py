"""The picture of errors by cohort: a mark per cohort, the worst on top, names that cannot be markup."""

import numpy as np
import pandas as pd
import pytest

from automl.figures.error_slices import describe_errors, plot_errors, render_error

FRAME = pd.DataFrame(
    {
        "slice": ["city is <b>Kiel</b>; " + "age over 40 to 60; " * 4, "city is Ulm"],
        "n": [400, 4_600], "error": [0.24, 0.12], "low": [0.2, 0.11], "high": [0.28, 0.13],
        "is_worse": [True, False],
    }
)  # fmt: skip


def test_the_worst_stands_on_top_with_another_sign():
    fig = plot_errors(FRAME, 0.13, name="slice", axis="Share of wrong decisions")
    (marks,) = fig.data
    assert list(marks.x) == [0.12, 0.24]
    assert marks.marker.symbol == ("circle", "diamond")
    names = fig.layout.yaxis.ticktext
    assert "&lt;b&gt;" in names[1]
    assert names[1].count("<br>") == 2
    assert fig.layout.shapes[0].x0 == 0.13


def test_the_sentence_has_interval_and_n_and_says_when_there_is_none():
    text = describe_errors(FRAME, name="slice", are_shares=True)
    assert "24.0 % [20.0, 28.0], n = 400" in text
    assert "least where city is Ulm: 12.0 %" in text
    assert describe_errors(FRAME.head(0), name="slice", are_shares=True).startswith("There are no")
    assert describe_errors(FRAME.head(1), name="slice", are_shares=True).startswith("All rows")
    value = {"error": 3.217, "low": None, "high": None, "n": 12}
    assert render_error(value, are_shares=False) == "3.22, n = 12"


def test_cohorts_without_interval_or_test_are_drawn():
    frame = FRAME.drop(columns="is_worse").assign(low=np.nan, high=np.nan)
    fig = plot_errors(frame, None, name="slice", axis="Error")
    assert list(fig.data[0].error_x.array) == [0, 0]
    assert fig.data[0].marker.symbol == ("circle", "circle")
    assert not fig.layout.shapes
    with pytest.raises(KeyError):
        plot_errors(frame, None, name="absent", axis="Error")
