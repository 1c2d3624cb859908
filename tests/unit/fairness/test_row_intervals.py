"""Intervals from draws of rows: wide enough, on the side where the tail is, and honest where there are none."""

import numpy as np
import pytest

from fairness.definitions import compute_metric, compute_metrics
from fairness.outcomes import Outcomes

ROWS = np.random.default_rng(0)


def compute(name, errors, **more):
    """A metric of a regression whose truth is 0."""
    return compute_metric(name, Outcomes("regression", np.zeros(len(errors)), errors, **more))


def test_a_mean_is_as_uncertain_as_its_standard_error():
    errors = ROWS.normal(size=2_000)
    estimate = compute("mean_residual", errors)
    assert estimate.high - estimate.low == pytest.approx(
        2 * 1.96 * errors.std() / np.sqrt(2_000), rel=0.1
    )
    assert estimate.method == "studentised row bootstrap, 1,000 draws"


def test_a_long_tail_widens_the_side_where_it_lies():
    estimate = compute("mae", ROWS.exponential(size=60) ** 2)
    assert estimate.high - estimate.value > 1.5 * (estimate.value - estimate.low)
    assert estimate.low > 0


def test_the_root_of_an_interval_is_the_interval_of_the_root():
    errors = ROWS.normal(size=80)
    square, root = compute("mse", errors), compute("rmse", errors)
    assert (root.value**2, root.low**2, root.high**2) == pytest.approx(
        (square.value, square.low, square.high)
    )


def test_equal_rows_leave_no_doubt():
    same = compute("mae", np.full(50, 2.0))
    assert (same.value, same.low, same.high) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(("rare", "least", "most"), [(1, 2, 6), (2, 3, 5), (9, 1.7, 2.3)])
def test_few_rows_that_make_the_mean_widen_it_with_measure(rare, least, most):
    """Of so many events among 1,000 rows an exact Poisson interval ends at 5.6, 3.6 and 1.9 times the number."""
    errors = np.append(np.full(1_000 - rare, 1e-9), np.ones(rare))
    estimate = compute("mae", errors)
    assert least < estimate.high / estimate.value < most
    assert 0 <= estimate.low < estimate.value


def test_intervals_stay_where_the_metric_can_be():
    y = np.array([0, 1] * 4)
    score = np.array([0.99, 0.6, 0.01, 0.9, 0.02, 0.97, 0.03, 0.001])
    found = compute_metrics(
        ("brier_score", "log_loss", "mean_prediction"), Outcomes("binary", y, None, score)
    )
    for estimate in found.values():
        assert 0 <= estimate.low < estimate.value < estimate.high
    assert found["brier_score"].high <= 1
    assert found["mean_prediction"].high <= 1


def test_the_share_of_positive_labels_is_chance_too():
    """Drawn within each label, this interval would have no width at all."""
    y = np.repeat([0, 1], [160, 40])
    brier = compute_metric("brier_score", Outcomes("binary", y, None, np.full(200, 0.1)))
    error = (0.81 - 0.01) * np.sqrt(0.2 * 0.8 / 200)
    assert brier.high - brier.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_average_precision_is_measured_on_the_logit_scale():
    y = ROWS.integers(0, 2, 60)
    near = compute_metric("average_precision", Outcomes("binary", y, None, y + ROWS.normal(0, 0.5, 60)))  # fmt: skip
    assert 0 < near.low < near.value < near.high < 1
    assert near.value - near.low > near.high - near.value
    perfect = compute_metric("average_precision", Outcomes("binary", y, None, y.astype(float)))
    assert (perfect.value, perfect.low) == (1.0, None)
    assert "separated" in perfect.reason


def test_weights_are_drawn_with_their_rows():
    errors = ROWS.normal(size=300) ** 2
    plain = compute("mae", errors)
    even = compute("mae", errors, weight=np.full(300, 3.0))
    assert even.value == pytest.approx(plain.value)
    assert even.high - even.low == pytest.approx(plain.high - plain.low, rel=0.15)
    heavy = compute("mae", errors, weight=np.where(np.arange(300) < 20, 30.0, 1.0))
    assert heavy.high - heavy.low > 2 * (plain.high - plain.low)
    assert "effective rows" in heavy.method


@pytest.mark.parametrize("tiny", [9.5e-105, 1e-154, 1e-200, 5e-324])
def test_true_values_next_to_zero_overflow_nothing(tiny):
    """Relative errors of 1e104 have squares of their squares in a standard error."""
    for truth, forecast in (([0, tiny], [0, 1.0]), ([tiny, 1.0, 2.0], [1.0, 1e6, 2.0])):
        values = np.asarray(truth), np.asarray(forecast)
        found = compute_metrics(
            ("rmspe", "mape", "r2", "d2_absolute_error", "rmse"), Outcomes("regression", *values)
        )
        for estimate in found.values():
            ends = (estimate.value, estimate.low, estimate.high)
            assert all(end is None or np.isfinite(end) for end in ends)
