"""Paired differences and tiers: copies share one, a clearly worse model does not."""

import numpy as np
import pytest
from sklearn import metrics as reference

from automl.data.task import Task, TaskType
from automl.errors import SpecError
from automl.evaluation.calibration import fit_temperature
from automl.evaluation.calibration_table import compute_calibration_table
from automl.evaluation.comparison import ComparisonInput, compute_difference, compute_tiers
from automl.evaluation.outcomes import build_outcomes
from automl.evaluation.row_scores import compute_row_scores
from fairness.definitions import compute_score

BINARY = Task(
    target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes"
)
THREE = Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c"))
PRICE = Task(target="y", type=TaskType.REGRESSION, metric="rmse")


def two_columns(p):
    return np.column_stack([1 - p, p])


def build_binary(n=1_500, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, n)
    truth = (rng.random(n) < 1 / (1 + np.exp(-scores))).astype(np.int64)

    def predict(noise):
        return two_columns(1 / (1 + np.exp(-(scores + rng.normal(0, noise, n)))))

    good = predict(0.3)
    return truth, {"worse": predict(6), "good": good, "copy": good.copy(), "near": predict(0.32)}


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "accuracy", "f1", "average_precision"])
def test_tiers(metric):
    truth, predictions = build_binary()
    standings = compute_tiers(
        ComparisonInput(task=BINARY, truth=truth, predictions=predictions, metric=metric)
    )
    tiers = {each.name: each.tier for each in standings}
    assert tiers["good"] == tiers["copy"] == 1
    assert tiers["near"] == 1
    assert tiers["worse"] == 2
    scores = [each.score for each in standings]
    assert scores == sorted(scores, reverse=True)


def test_difference_is_signed_and_antisymmetric():
    truth, predictions = build_binary()
    given = ComparisonInput(task=BINARY, truth=truth, predictions=predictions, metric="log_loss")
    forth = compute_difference(given, "good", "worse")
    back = compute_difference(given, "worse", "good")
    loss = {name: reference.log_loss(truth, predictions[name][:, 1]) for name in ("good", "worse")}
    assert forth.value == pytest.approx(loss["worse"] - loss["good"])
    assert forth.value > 0
    assert forth.low > 0
    assert (back.value, back.low, back.high) == pytest.approx(
        (-forth.value, -forth.high, -forth.low)
    )


def test_a_copy_differs_by_exactly_nothing():
    truth, predictions = build_binary()
    for metric in ("roc_auc", "brier_score"):
        given = ComparisonInput(task=BINARY, truth=truth, predictions=predictions, metric=metric)
        same = compute_difference(given, "good", "copy")
        assert (same.value, same.low, same.high) == (0, 0, 0)


def test_regression_and_three_classes():
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1, 400)
    values = {"near": truth + rng.normal(0, 0.3, 400), "far": truth + rng.normal(0, 1, 400)}
    for metric in ("rmse", "mae", "r2", "median_absolute_error"):
        given = ComparisonInput(task=PRICE, truth=truth, predictions=values, metric=metric)
        assert [(each.name, each.tier) for each in compute_tiers(given)] == [
            ("near", 1),
            ("far", 2),
        ]
    p = rng.dirichlet(np.ones(3), 400)
    labels = (p.cumsum(axis=1) > rng.random((400, 1))).argmax(axis=1)
    given = ComparisonInput(
        task=THREE,
        truth=labels,
        predictions={"p": p, "flat": np.full_like(p, 1 / 3)},
        metric="log_loss",
    )
    assert [each.tier for each in compute_tiers(given)] == [1, 2]


def test_an_unknown_metric_is_named():
    with pytest.raises(SpecError, match="rmse"):
        ComparisonInput(task=BINARY, truth=np.zeros(1), predictions={}, metric="rmse")


@pytest.mark.parametrize(
    ("task", "metric"),
    [(BINARY, name) for name in ("accuracy", "log_loss", "brier_score")]
    + [(THREE, name) for name in ("accuracy", "log_loss", "brier_score")]
    + [(PRICE, name) for name in ("rmse", "mae", "r2")],
)
def test_row_scores_are_the_registry_s_scores(task, metric):
    rng = np.random.default_rng(2)
    if task is PRICE:
        truth, prediction = rng.normal(5, 2, 90), rng.normal(5, 2, 90)
    else:
        truth = rng.integers(len(task.classes), size=90)
        prediction = rng.dirichlet(np.ones(len(task.classes)), 90)
    outcomes = build_outcomes(task, truth, prediction)
    cheap = compute_row_scores(metric, outcomes)
    assert cheap.combine(cheap.parts.mean(axis=0)) == pytest.approx(compute_score(metric, outcomes))


def test_calibration_table_before_and_after():
    rng = np.random.default_rng(3)
    scores = rng.normal(0, 1.5, 4_000)
    truth = (rng.random(4_000) < 1 / (1 + np.exp(-scores))).astype(np.int64)
    sharp = two_columns(1 / (1 + np.exp(-2 * scores)))
    fitted = fit_temperature(truth[:1_000], sharp[:1_000])
    table = compute_calibration_table(BINARY, truth[1_000:], sharp[1_000:], fitted)
    assert list(table.before) == ["log_loss", "brier_score", "ece", "roc_auc", "accuracy"]
    assert table.after["log_loss"].value < table.before["log_loss"].value
    assert table.after["ece"].value < table.before["ece"].value
    for name in ("roc_auc", "accuracy"):
        assert table.after[name].value == table.before[name].value
    value = table.to_json()
    assert value["temperature"] == pytest.approx(2, rel=0.15)
    assert value["after"]["brier_score"]["low"] < value["after"]["brier_score"]["high"]
    assert value["ece_null"]["after"]["high"] > value["ece_null"]["after"]["mean"] > 0
    with pytest.raises(SpecError):
        compute_calibration_table(PRICE, truth, sharp, fitted)
