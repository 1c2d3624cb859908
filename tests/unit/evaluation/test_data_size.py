"""Sizes, nested shares and what changes from one to the next."""

import numpy as np
import pytest

from automl.data.task import Task, TaskType
from automl.evaluation.data_size import SizeRun, compute_points, list_sizes, order_rows

PRICE = Task(target="y", type=TaskType.REGRESSION, metric="rmse")


def test_sizes_double_up_to_all_rows_and_leave_out_the_few():
    assert list_sizes(3_200) == (200, 400, 800, 1_600, 3_200)
    assert list_sizes(200) == (50, 100, 200)
    assert list_sizes(30) == (30,)


def test_every_prefix_keeps_the_shares_of_the_classes():
    rows = np.arange(100, 500)
    labels = np.repeat([0, 1, 2], [300, 80, 20])
    ordered = order_rows(rows, labels, seed=3)
    assert sorted(ordered) == rows.tolist()
    for size in (20, 50, 100, 200):
        counts = np.bincount(labels[ordered[:size] - 100], minlength=3)
        assert counts == pytest.approx(size * np.array([0.75, 0.2, 0.05]), abs=1)
    assert (order_rows(rows, labels, seed=3) == ordered).all()
    assert (order_rows(rows, labels, seed=4) != ordered).any()
    assert sorted(order_rows(rows, None, seed=0)) == rows.tolist()


def test_changes_are_paired_in_the_direction_of_the_metric_and_skip_what_failed():
    rng = np.random.default_rng(0)
    truth, noise = rng.normal(size=500), rng.normal(size=500)
    runs = [
        SizeRun(n_rows=50, prediction=truth + noise, seconds=1.0),
        SizeRun(n_rows=100, prediction=None, seconds=0.5, failure="Too few rows."),
        SizeRun(n_rows=200, prediction=truth + 0.9 * noise, seconds=2.0),
    ]
    first, failed, last = compute_points(PRICE, truth, runs)
    assert first.change is None
    assert (failed.value, failed.failure) == (None, "Too few rows.")
    assert last.change == pytest.approx(last.value - first.value)
    assert last.change_low <= last.change <= last.change_high < 0  # a loss falls
    paired = last.change_high - last.change_low
    assert paired < 0.2 * (last.high - last.low)  # the same rows, nearly the same errors
