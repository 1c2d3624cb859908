"""Figures of explanations: what is drawn, what the sentence says."""

import numpy as np
import pandas as pd
import pytest

from automl.figures.effects import describe_effect, plot_effect, select_effect
from automl.figures.permutation import describe_permutation, plot_permutation
from automl.figures.shapley import (
    compute_shapley_summary,
    compute_waterfall,
    describe_shapley_bars,
    describe_swarm,
    describe_waterfall,
    plot_shapley_bars,
    plot_swarm,
    plot_waterfall,
)

LOSSES = pd.DataFrame(
    {
        "label": ["age", "age + months", "job <b>", "noise"],
        "kind": ["column", "set", "column", "column"],
        "value": [0.2, 0.19, 0.05, 0.001],
        "low": [0.15, 0.12, 0.03, -0.002],
        "high": [0.25, 0.26, 0.07, 0.004],
        "spread": [0.01] * 4,
        "n": [500] * 4,
        "reason": [""] * 4,
    }
)


def test_bars_of_losses_have_intervals_and_sets_are_hatched():
    fig = plot_permutation(LOSSES, "ROC AUC")
    (bars,) = fig.data
    assert list(bars.y) == ["noise", "job &lt;b&gt;", "age + months", "age"]
    assert list(bars.marker.pattern.shape) == ["", "", "/", ""]
    assert bars.error_x.array[-1] == 0.25 - 0.2


def test_the_sentence_names_the_leading_columns_their_intervals_and_n():
    text = describe_permutation(LOSSES, "ROC AUC", 10, [["age", "months"]])
    assert "n = 500 test rows" in text
    assert "age 0.20 [0.15, 0.25]" in text or "age 0.200 [0.150, 0.250]" in text
    assert "Of 3 columns, 1 has an interval that covers 0" in text
    assert "age, months" in text
    assert "have intervals" in describe_permutation(LOSSES.assign(low=-1.0), "ROC AUC", 10, [])


def build_shap(n_columns=3, n_rows=8):
    rng = np.random.default_rng(0)
    lines = [
        {
            "row_id": 10 * row, "column": f"c{column}", "cell": f"{row} <i>", "output": "yes",
            "position": np.nan if column == 1 else row / (n_rows - 1),
            "value": (column + 1) * (row - 3) / 10 + rng.normal() / 100, "error": 0.01,
        }
        for row in range(n_rows) for column in range(n_columns)
    ]  # fmt: skip
    return pd.DataFrame(lines)


def test_shap_bars_and_dots_show_sizes_places_and_n():
    frame = build_shap()
    summary = compute_shapley_summary(frame, "yes")
    assert summary["column"].tolist() == ["c2", "c1", "c0"]
    assert ((summary["low"] < summary["value"]) & (summary["value"] < summary["high"])).all()
    assert list(plot_shapley_bars(summary, "probability").data[0].y) == ["c0", "c1", "c2"]
    text = describe_shapley_bars(summary, "yes", "the mean")
    assert "n = 8 test rows" in text
    assert "counted from the mean" in text
    assert "±0.0196" in text
    swarm = plot_swarm(frame, summary, "yes", "probability")
    assert [trace.marker.symbol for trace in swarm.data] == [None, "diamond", None]
    for place, trace in enumerate(swarm.data):
        assert len(trace.x) == 8
        assert np.abs(np.asarray(trace.y) - place).max() <= 0.4
    assert "largest quarter of c2" in describe_swarm(frame, summary, "yes")


def test_the_waterfall_ends_at_the_prediction_and_sums_up_what_is_small():
    steps = compute_waterfall(build_shap(n_columns=14), 70, "yes")
    fig = plot_waterfall(steps, 0.5, "Probability of yes")
    (bars,) = fig.data
    assert len(bars.x) == 11
    assert bars.y[0] == "4 further columns"
    assert bars.y[-1] == "c13 = 7 &lt;i&gt;"
    assert 0.5 + sum(bars.x) == pytest.approx(0.5 + steps["value"].sum())
    text = describe_waterfall(steps, 0.5, 0.9, ("yes", "the mean", 70))
    assert "Row 70" in text
    assert "0.900" in text


def build_effect(kind):
    labels = ["1", "2", "3"] if kind == "numeric" else ["nurse", "smith", "clerk"]
    lines = [
        {"kind": "average", "row_id": -1, "value": v, "low": v - 0.1, "high": v + 0.1, "n": 50}
        for v in (0.2, 0.4, 0.8)
    ]
    lines += [
        {"kind": "curve", "row_id": row, "value": v, "low": np.nan, "high": np.nan, "n": 1}
        for row in (4, 5) for v in (0.1, 0.4, 0.9)
    ]  # fmt: skip
    if kind == "numeric":
        lines += [
            {"kind": "local", "row_id": -1, "value": v, "low": np.nan, "high": np.nan, "n": 50}
            for v in (0.2, 0.3, 0.5)
        ]
    each = {"column": "c", "output": "yes"}
    return pd.DataFrame(
        [{**each, **line, "label": labels[i % 3], "place": i % 3} for i, line in enumerate(lines)]
    )


def test_an_effect_is_a_line_with_a_band_over_numbers_and_dots_over_levels():
    numbers = select_effect(build_effect("numeric"), "c", "yes")
    fig = plot_effect(numbers, "numeric", "Probability of yes")
    assert [trace.name for trace in fig.data] == [
        "single rows", "95 % interval", "average", "local effects",
    ]  # fmt: skip
    assert list(fig.data[2].x) == [1, 2, 3]
    text = describe_effect(numbers, "Probability of yes")
    assert "n = 50 test rows" in text
    assert "at 3" in text
    assert "reach over 0.300" in text
    levels = build_effect("categorical")
    fig = plot_effect(levels, "categorical", "Probability of yes")
    assert [trace.mode for trace in fig.data] == ["markers", "markers"]
    assert fig.layout.xaxis.type == "category"
    assert "Local effects" not in describe_effect(levels, "Probability of yes")
