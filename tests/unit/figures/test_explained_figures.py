"""Figures of explanations: what is drawn, what the sentence says."""

import pandas as pd

from automl.figures.permutation import describe_permutation, plot_permutation

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
