"""The words and records at the end of a search."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.worker.result_record import build_leaderboard_row, collect_versions, render_result
from automl.worker.worth import render_gain
from fairness.estimates import Estimate, build_not_estimable


def _difference(value: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=100, method="test")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.001, 0.02, "a measurable gain"),
        (-0.01, 0.02, "no measurable gain"),
        (0.0, 0.02, "no measurable gain"),
        (-0.02, -0.001, "a measurable loss"),
    ],
)
def test_the_gain_follows_from_its_interval(low, high, words):
    text = render_gain("roc_auc", "MLP 3", "Boosted trees (default)", _difference(0.0, low, high))
    assert words in text
    assert "MLP 3 against Boosted trees (default)" in text


def test_a_metric_whose_lower_values_are_better_says_how_to_read_the_sign():
    text = render_gain("rmse", "MLP 3", "Boosted trees (default)", _difference(2.0, 1.0, 3.0))
    assert "lower is better" in text
    assert "gain" in text


def test_a_gain_that_cannot_be_estimated_gives_the_reason():
    text = render_gain("roc_auc", "a", "b", build_not_estimable("one class only"))
    assert "one class only" in text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_a_rendered_result_has_no_nan(value):
    import json

    json.dumps(render_result(value), allow_nan=False)


def test_numbers_stay_what_they_are():
    assert render_result({"a": (1, 2.5, math.nan)}) == {"a": [1, 2.5, None]}


def test_versions_name_the_product_and_what_computes():
    versions = collect_versions()
    assert {"fairloom", "python", "torch", "scikit-learn", "optuna"} <= set(versions)
    assert "absent" not in versions.values()


def test_a_closed_row_shows_no_test_result():
    trial = {
        "name": "MLP 4", "family": "mlp", "number": 4, "architecture": "MLP", "is_network": True,
        "is_baseline": False, "score": 0.9, "parameters": 10, "fit_seconds": 1.0,
        "predict_seconds": 0.1, "device": "cpu:0",
    }  # fmt: skip
    row = build_leaderboard_row(trial)
    assert row["test"] is None
    assert row["select_score"] == 0.9
