"""Greedy ensembles: what is picked, by which rows, and who decides."""

from dataclasses import replace

import numpy as np
import pytest

from automl.data.task import Task, TaskType
from automl.evaluation.outcomes import build_outcomes
from automl.search.ensemble import (
    GUARD_SHARE,
    MOST_MEMBERS,
    MOST_RANKED_CELLS,
    Ensemble,
    EnsembleInput,
    build_ensemble,
    split_rows,
)
from automl.search.ensemble_scores import build_measure, compute_auc
from fairness.definitions import compute_score
from fairness.scores import compute_auc_value

N = 1_200


def _task(metric: str = "roc_auc", n_classes: int = 2) -> Task:
    kinds = {0: TaskType.REGRESSION, 2: TaskType.BINARY}
    return Task(
        target="y",
        type=kinds.get(n_classes, TaskType.MULTICLASS),
        metric=metric,
        classes=tuple("abcdef"[:n_classes]),
        positive="b" if n_classes == 2 else None,
    )


def _draw_binary(n_models: int, *, n: int = N, noise: float = 1.5, seed: int = 0):
    """Models with errors of their own: a mean of several is better than each."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.3).astype(np.int64)
    models = {}
    for number in range(n_models):
        share = 1 / (1 + np.exp(-(2 * truth - 1 + rng.normal(0, noise, n))))
        models[number] = np.column_stack([1 - share, share])
    return truth, models


def _build(task, truth, models, **more) -> Ensemble:
    single = more.pop("single", min(models))
    return build_ensemble(
        EnsembleInput(task=task, truth=truth, predictions=models, single=single, **more)
    )


@pytest.mark.parametrize(
    "metric", ["roc_auc", "average_precision", "log_loss", "brier_score", "accuracy", "f1"]
)
def test_models_with_errors_of_their_own_are_better_together(metric):
    ensemble = _build(_task(metric), *_draw_binary(6))
    assert ensemble.is_delivered
    assert len(ensemble.weights) > 2
    assert ensemble.measure == ("log_loss" if metric in ("accuracy", "f1") else metric)
    assert ensemble.picked_by == ("log_loss" if metric == "roc_auc" else ensemble.measure)


@pytest.mark.parametrize("metric", ["rmse", "mse", "r2", "mae", "median_absolute_error", "smape", "mape"])  # fmt: skip
def test_values_are_averaged_too(metric):
    rng = np.random.default_rng(1)
    truth = rng.normal(5, 1, N)
    models = {number: truth + rng.normal(0, 0.5, N) for number in range(5)}
    ensemble = _build(_task(metric, 0), truth, models)
    assert ensemble.is_delivered
    assert set(ensemble.weights) == set(models)


@pytest.mark.parametrize("metric", ["roc_auc_ovr", "f1_macro", "brier_score", "log_loss"])
def test_several_classes(metric):
    assert _build(_task(metric, 4), *_draw_classes(5)).is_delivered


def test_the_guard_rows_are_a_stratified_part_that_picks_nothing():
    ensemble = _build(_task(), *_draw_binary(4))
    assert ensemble.n_guard == pytest.approx(GUARD_SHARE * N, abs=2)
    assert ensemble.n_rows + ensemble.n_guard == N


def test_the_guard_refuses_what_is_only_good_where_it_was_picked():
    """Two models know the picking rows by heart, each its half, and nothing of the guard rows."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, N)
    honest = 1 / (1 + np.exp(-(2 * truth - 1 + rng.normal(0, 0.7, N))))
    models = {2: np.column_stack([1 - honest, honest])}
    given = EnsembleInput(task=_task("log_loss"), truth=truth, predictions=models, single=2)
    own, _ = split_rows(given)
    for number, half in enumerate((own[::2], own[1::2])):
        share = np.full(N, 0.5)
        share[half] = np.clip(truth[half], 0.01, 0.99)
        models[number] = np.column_stack([1 - share, share])
    ensemble = build_ensemble(given)
    assert not ensemble.is_delivered
    assert set(ensemble.weights) != {2}


def test_a_difference_within_its_error_leaves_the_ensemble():
    ensemble = _build(_task(), *_draw_binary(6))
    assert ensemble.guard_error > 0
    within = ensemble.guard_single - 0.9 * ensemble.guard_error
    assert replace(ensemble, guard_score=within).is_delivered
    beyond = ensemble.guard_single - 1.1 * ensemble.guard_error
    assert not replace(ensemble, guard_score=beyond).is_delivered


def test_too_few_rows_to_judge_leave_the_best_model_alone():
    ensemble = _build(_task("log_loss"), *_draw_binary(4, n=40))
    assert ensemble.guard_score is None
    assert not ensemble.is_delivered


def test_a_guard_part_with_one_class_is_judged_by_the_log_loss():
    truth, models = _draw_binary(3, n=200)
    truth[:] = 0
    truth[:2] = 1
    ensemble = _build(_task(), truth, models)
    assert ensemble.guard_single < 0  # a log loss, not an AUC


def test_one_candidate_is_no_ensemble():
    truth, models = _draw_binary(1)
    ensemble = _build(_task(), truth, models)
    assert dict(ensemble.weights) == {0: 1.0}
    assert not ensemble.is_delivered


def test_equal_models_are_one_model():
    truth, models = _draw_binary(1)
    models = {number: models[0].copy() for number in (3, 5, 9)}
    ensemble = _build(_task(), truth, models, single=3)
    assert dict(ensemble.weights) == {3: 1.0}


def test_a_constant_adds_nothing_to_a_ranking_and_breaks_nothing():
    truth, models = _draw_binary(1)
    models[1] = np.full((N, 2), 0.5)
    ensemble = _build(_task("average_precision"), truth, models)
    assert dict(ensemble.weights) == {0: 1.0}


def test_a_twin_must_gain_more_than_noise():
    truth, models = _draw_binary(1)
    rng = np.random.default_rng(4)
    twin = np.clip(models[0] + rng.normal(0, 1e-3, (N, 1)) * np.array([[1, -1]]), 0, 1)
    ensemble = _build(_task("log_loss"), truth, {**models, 1: twin})
    assert len(ensemble.weights) == 1


def test_there_are_never_more_members_than_allowed():
    truth, models = _draw_binary(20, noise=3.0)
    assert len(_build(_task("log_loss"), truth, models).weights) <= MOST_MEMBERS
    assert len(_build(_task("log_loss"), truth, models, most_members=3).weights) == 3


def test_many_rows_are_sampled():
    ensemble = _build(_task("average_precision"), *_draw_binary(3, n=30_000))
    assert ensemble.n_rows + ensemble.n_guard <= MOST_RANKED_CELLS + 2
    ensemble = _build(_task(), *_draw_binary(3, n=30_000))
    assert ensemble.n_rows + ensemble.n_guard == 30_000  # the log loss sorts nothing


@pytest.mark.parametrize(
    "metric", ["rmse", "r2", "mae", "median_absolute_error", "smape", "log_loss", "brier_score", "roc_auc",
               "average_precision", "accuracy"],
)  # fmt: skip
def test_the_value_of_the_guard_rows_is_that_of_the_measure_it_names(metric):
    """People read it beside that name."""
    if metric in ("rmse", "r2", "mae", "median_absolute_error", "smape"):
        task = _task(metric, 0)
        truth = np.random.default_rng(8).normal(3, 1, N)
        models = {number: truth + 0.3 * np.roll(truth, number + 1) for number in range(2)}
    else:
        task = _task(metric)
        truth, models = _draw_binary(2)
    ensemble = _build(task, truth, models)
    _, guard = split_rows(
        EnsembleInput(task=task, truth=truth, predictions=models, single=ensemble.single)
    )
    outcomes = build_outcomes(task, truth[guard], models[ensemble.single][guard])
    assert ensemble.guard_single == pytest.approx(compute_score(ensemble.measure, outcomes))


def test_the_fast_auc_is_the_registrys_with_ties():
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 500)
    score = rng.integers(0, 20, 500) / 20
    assert compute_auc(truth, score) == pytest.approx(compute_auc_value(truth, score), abs=1e-12)


def test_rows_that_weigh_two_count_as_two_rows():
    """Of every measure: weights of 1 and 2 against the rows written twice."""
    truth, models = _draw_binary(3, n=300)
    weight = 1.0 + (np.arange(300) % 3 == 0)
    twice = np.repeat(np.arange(300), weight.astype(int))
    for metric in ("roc_auc", "average_precision", "log_loss", "brier_score"):
        measure = build_measure(_task(metric))
        for model in models.values():
            columns = measure.reduce(truth, model)
            expected = measure.score(truth[twice], columns[twice], None)
            assert measure.score(truth, columns, weight) == pytest.approx(expected)


def test_rows_without_weight_decide_nothing():
    truth, models = _draw_binary(4)
    weight = (np.arange(N) % 2 == 0).astype(float)
    ensemble = _build(_task(), truth, models, weight=weight)
    spoiled = {number: np.where(weight[:, None] > 0, each, 0.5) for number, each in models.items()}
    again = _build(_task(), truth, spoiled, weight=weight)
    assert dict(again.weights) == dict(ensemble.weights)


def _draw_classes(n_models: int, n_classes: int = 4):
    rng = np.random.default_rng(2)
    truth = rng.integers(0, n_classes, N)
    drawn = rng.normal(0, 1, (n_models, N, n_classes)) + 1.2 * np.eye(n_classes)[truth]
    scores = np.exp(drawn) / np.exp(drawn).sum(axis=2, keepdims=True)
    return truth, dict(enumerate(scores))


def test_a_class_without_weight_is_ranked_by_nobody():
    truth, models = _draw_classes(5)
    task, weight = _task("roc_auc_ovr", 4), (truth != 3).astype(float)
    ensemble = _build(task, truth, models, weight=weight)
    assert ensemble.is_delivered
    assert ensemble.measure == "roc_auc_ovr"
    counted, measure = truth != 3, build_measure(task)
    assert measure.score(truth, models[0], weight) == pytest.approx(
        measure.score(truth[counted], models[0][counted], None)
    )
    assert measure.compute_error(truth, models[0], models[1], weight) == pytest.approx(
        measure.compute_error(truth[counted], models[0][counted], models[1][counted])
    )


def test_the_error_of_a_gain_in_auc_is_delongs():
    truth, models = _draw_binary(2)
    measure = build_measure(_task())
    first, second = (measure.reduce(truth, each) for each in models.values())
    gains = []
    rng = np.random.default_rng(7)
    for _ in range(300):
        rows = rng.integers(0, N, N)
        gains.append(
            measure.score(truth[rows], first[rows], None)
            - measure.score(truth[rows], second[rows], None)
        )
    assert measure.compute_error(truth, first, second) == pytest.approx(np.std(gains), rel=0.15)
