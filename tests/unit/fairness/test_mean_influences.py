"""Intervals of functions of means: those of a bootstrap, without its draws."""

import numpy as np
import pytest

from fairness import estimating
from fairness.columns import LOSSES
from fairness.definitions import METRICS, compute_metric
from fairness.mean_influences import VALUES, compute_mean_influence, find_columns
from fairness.outcomes import Outcomes


def build_classes(k, n=3_000):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, k, n)
    logits = 1.5 * np.eye(k)[truth] + rng.normal(0, 1, (n, k))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if k == 2:
        return Outcomes("binary", truth, None, shares[:, 1])
    return Outcomes("multiclass", truth, None, shares)


def build_values(n=3_000):
    rng = np.random.default_rng(2)
    truth = rng.normal(50, 10, n)
    return Outcomes("regression", truth, truth + rng.normal(0, 4, n))


CASES = (
    *((name, build_classes(2)) for name in (*LOSSES, "mean_prediction")),
    *((name, build_classes(3)) for name in LOSSES),
    *((name, build_values()) for name in VALUES),
)


@pytest.mark.parametrize(("name", "outcomes"), CASES, ids=lambda each: str(each)[:20])
def test_the_interval_is_that_of_a_bootstrap(name, outcomes, monkeypatch):
    drawn = compute_metric(name, outcomes)
    assert "bootstrap" in drawn.method
    monkeypatch.setattr(estimating, "MANY_ROWS", 100)
    found = compute_metric(name, outcomes)
    assert found.method == "normal law of the means"
    assert (found.value, found.n) == (pytest.approx(drawn.value), drawn.n)
    width = drawn.high - drawn.low
    assert found.low == pytest.approx(drawn.low, abs=0.12 * width)
    assert found.high == pytest.approx(drawn.high, abs=0.12 * width)


def test_the_influence_of_a_mean_is_the_distance_from_it():
    outcomes = build_classes(2, n=50)
    value, influence = compute_mean_influence(find_columns("mean_prediction", outcomes))
    assert influence == pytest.approx((outcomes.scores - value) / 50)


def test_a_perfect_forecast_has_no_spread():
    truth = np.arange(30.0)
    for name in ("rmse", "mae"):
        columns = find_columns(name, Outcomes("regression", truth, truth))
        assert not compute_mean_influence(columns)[1].any()


def test_every_metric_of_values_without_a_formula_is_known():
    regression = [row.name for row in METRICS.values() if row.tasks == ("regression",)]
    own = {"median_absolute_error", "d2_absolute_error", "rmse_90"}
    assert set(regression) == own | set(VALUES)
