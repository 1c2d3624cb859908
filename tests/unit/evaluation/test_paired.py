"""Differences of two models on the same rows, from predictions as they were kept."""

import numpy as np
import pandas as pd
import pytest

from automl.data.task import Task, TaskType
from automl.errors import DataError
from automl.evaluation import paired
from automl.evaluation.outputs import build_output_frame, decode_labels
from automl.evaluation.paired import (
    compute_mcnemar_test,
    compute_paired_difference,
    read_outcomes,
)
from automl.evaluation.resampling import draw_scores
from fairness.definitions import compute_score

BINARY = Task(
    target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="no"
)
THREE = Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c"))
PRICE = Task(target="y", type=TaskType.REGRESSION, metric="rmse")


def build_pair(task, n=900, seed=0):
    """Predictions of a good and a worse model, as ``predictions.parquet`` has them."""
    rng = np.random.default_rng(seed)
    if task.type is TaskType.REGRESSION:
        truth = rng.normal(50, 10, n)
        values = [truth + rng.normal(0, noise, n) for noise in (2.0, 2.4)]
        return [pd.DataFrame({"truth": truth, "prediction": each}) for each in values]
    k = len(task.classes)
    truth = rng.integers(0, k, n)
    frames = []
    for skill in (2.0, 1.2):
        logits = skill * np.eye(k)[truth] + rng.normal(0, 1, (n, k))
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        frame = build_output_frame(task, shares)
        frame.insert(0, "truth", decode_labels(task, truth))
        frames.append(frame)
    return frames


@pytest.mark.parametrize(
    ("task", "metric"),
    [
        (BINARY, "f1"), (BINARY, "accuracy"), (BINARY, "recall"), (BINARY, "roc_auc"), (BINARY, "log_loss"),
        (BINARY, "average_precision"), (THREE, "f1_macro"), (THREE, "log_loss"), (THREE, "roc_auc_ovr"),
        (PRICE, "rmse"), (PRICE, "r2"), (PRICE, "median_absolute_error"),
    ],
)  # fmt: skip
def test_an_interval_is_that_of_a_bootstrap_of_rows(task, metric, monkeypatch):
    first, second = (read_outcomes(task, frame) for frame in build_pair(task))
    draws = draw_scores(metric, {"a": first, "b": second}, seed=1)
    low, high = np.percentile(draws["a"] - draws["b"], [2.5, 97.5])
    for most in (paired.MANY_ROWS, 100):  # and as a large part is treated
        monkeypatch.setattr(paired, "MANY_ROWS", most)
        found = compute_paired_difference(metric, first, second)
        assert found.value == pytest.approx(
            compute_score(metric, first) - compute_score(metric, second)
        )
        assert found.low == pytest.approx(low, abs=0.12 * (high - low))
        assert found.high == pytest.approx(high, abs=0.12 * (high - low))
        assert found.n == 900


def test_a_model_against_itself_differs_by_nothing():
    for task, metric in ((BINARY, "f1"), (THREE, "log_loss"), (PRICE, "mae")):
        same = read_outcomes(task, build_pair(task)[0])
        found = compute_paired_difference(metric, same, same)
        assert (found.value, found.low, found.high) == (0, 0, 0)
    assert compute_mcnemar_test(
        *[read_outcomes(BINARY, build_pair(BINARY)[0])] * 2
    ) == paired.McNemar(only_first=0, only_second=0, p_value=1.0)


def test_the_decisions_are_those_that_were_kept():
    frame = build_pair(BINARY)[0]
    frame["prediction"] = "yes"  # whatever threshold was stored with the model
    assert read_outcomes(BINARY, frame).decisions.sum() == 0  # "no" is positive


def test_mcnemar_counts_rows_that_one_model_alone_decides_right():
    first, second = build_pair(THREE)
    found = compute_mcnemar_test(read_outcomes(THREE, first), read_outcomes(THREE, second))
    right = [frame["truth"] == frame["prediction"] for frame in (first, second)]
    assert (found.only_first, found.only_second) == (
        (right[0] & ~right[1]).sum(),
        (~right[0] & right[1]).sum(),
    )
    assert found.p_value < 0.001


def test_other_rows_and_strange_labels_are_refused():
    first, second = build_pair(BINARY)
    with pytest.raises(ValueError, match="same rows"):
        compute_paired_difference(
            "f1", read_outcomes(BINARY, first), read_outcomes(BINARY, second.iloc[::-1])
        )
    with pytest.raises(DataError, match="perhaps"):
        read_outcomes(BINARY, first.assign(prediction="perhaps"))
    with pytest.raises(DataError, match="probability_yes"):
        read_outcomes(BINARY, first.drop(columns="probability_yes"))
