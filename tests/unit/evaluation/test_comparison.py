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
from automl.evaluation.resampling import build_resampler
from fairness.definitions import compute_score, list_metrics
from fairness.intervals import compute_mcnemar, compute_paired_auc_delong

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


def test_chance_alone_splits_no_tier_however_many_models_are_compared():
    # 40 models of one skill: single 95 % intervals would set some aside, corrected tests hardly ever do.
    split = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 2, 300)
        rows = {
            f"m{i}": two_columns(np.clip(0.5 * truth + 0.5 * rng.random(300), 0, 1))
            for i in range(40)
        }
        given = ComparisonInput(task=BINARY, truth=truth, predictions=rows, metric="brier_score")
        standings = compute_tiers(given)
        split += standings[-1].tier > 1
        assert standings[0].p_value == 1
        assert (standings[0].difference.value, standings[0].difference.high) == (0, 0)
    assert split <= 4  # the best of 40 is chosen as leader, so a little above 5 %


def test_accuracy_is_compared_by_mcnemar():
    truth = np.ones(200, dtype=np.int64)
    right = two_columns(np.full(200, 0.9))
    few, many = right.copy(), right.copy()
    few[:5] = [0.9, 0.1]
    many[:30] = [0.9, 0.1]
    given = ComparisonInput(
        task=BINARY, truth=truth, predictions={"right": right, "few": few, "many": many},
        metric="accuracy",
    )  # fmt: skip
    found = {each.name: each for each in compute_tiers(given)}
    assert [found[name].tier for name in ("right", "few", "many")] == [1, 1, 2]
    assert {each.test for each in found.values()} == {"mcnemar"}
    assert found["few"].p_value == pytest.approx(
        2 / 2**5
    )  # exact; the larger of two, so not doubled
    assert found["many"].p_value == pytest.approx(2 * compute_mcnemar(30, 0)[1])
    assert found["many"].difference.value == pytest.approx(-0.15)


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


def list_cases():
    return [
        (task, metric.name)
        for task in (BINARY, THREE, PRICE)
        for metric in list_metrics(task.type.value)
        if metric.sign
    ]


@pytest.mark.parametrize(("task", "metric"), list_cases())
def test_a_draw_is_scored_as_the_registry_scores_its_rows(task, metric):
    rng = np.random.default_rng(2)
    if task is PRICE:
        truth, prediction = rng.normal(5, 2, 90), rng.normal(5, 2, 90)
    else:
        truth = rng.integers(len(task.classes), size=90)
        prediction = rng.dirichlet(np.ones(len(task.classes)), 90).round(1)  # with ties
        prediction /= prediction.sum(axis=1, keepdims=True)
    outcomes = build_outcomes(task, truth, prediction, mape_floor=0.5)
    resample = build_resampler(metric, outcomes)
    rows = rng.integers(90, size=90)
    times = np.stack([np.ones(90), np.bincount(rows, minlength=90)])
    drawn = build_outcomes(task, truth[rows], prediction[rows], mape_floor=0.5)
    expected = [compute_score(metric, outcomes), compute_score(metric, drawn)]
    np.testing.assert_allclose(resample(times), expected)


@pytest.mark.parametrize("seed", range(3))
def test_auc_difference_is_delong_s(seed):
    truth, predictions = build_binary(400, seed)
    given = ComparisonInput(task=BINARY, truth=truth, predictions=predictions, metric="roc_auc")
    got = compute_difference(given, "good", "worse")
    wanted = compute_paired_auc_delong(truth, predictions["good"][:, 1], predictions["worse"][:, 1])
    assert (got.value, got.low, got.high) == pytest.approx((wanted.value, wanted.low, wanted.high))


def test_three_class_auc_has_tiers():
    rng = np.random.default_rng(5)
    p = rng.dirichlet(np.ones(3), 900)
    labels = (p.cumsum(axis=1) > rng.random((900, 1))).argmax(axis=1)
    predictions = {"p": p, "copy": p.copy(), "noise": rng.dirichlet(np.ones(3), 900)}
    given = ComparisonInput(task=THREE, truth=labels, predictions=predictions, metric="roc_auc_ovr")
    assert [each.tier for each in compute_tiers(given)] == [1, 1, 2]


def test_a_model_that_flags_nobody_is_not_tied_with_the_best():
    truth, predictions = build_binary()
    flat = np.tile([0.9, 0.1], (len(truth), 1))
    given = ComparisonInput(
        task=BINARY,
        truth=truth,
        predictions={"good": predictions["good"], "flat": flat},
        metric="precision",
    )
    assert [(each.name, each.tier) for each in compute_tiers(given)] == [("good", 1), ("flat", 2)]


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
