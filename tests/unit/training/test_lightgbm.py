import time
from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from automl.data.task import Task
from automl.data.views import Part, Prepared, Views, ViewShape
from automl.models.tabular.boosting import build_matrix
from automl.models.tabular.lightgbm import build_lightgbm, read_trees
from automl.training.device import derive_seed
from automl.training.epoch import Verb
from automl.training.lightgbm import MAX_EMPTY_ROUNDS, PATIENCE, LightGBMRun
from automl.training.run import train
from automl.training.scoring import Scorer
from tests.unit.training.tables import (
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

SEARCHED = {
    "learning_rate": 0.05,
    "num_leaves": 12,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "min_data_in_leaf": 3,
    "lambda_l1": 0.1,
    "lambda_l2": 1.0,
    "extra_trees": False,
    "cat_l2": 0.5,
    "cat_smooth": 1.0,
    "max_cat_to_onehot": 4,
    "min_data_per_group": 5,
}
TASK = build_task(TaskType.BINARY)
BINARY = build_prepared(TaskType.BINARY)


def run(config=SEARCHED, answer=lambda _: None, **changes):
    return drive(train(BINARY, TASK, build_request("lightgbm", config, **changes)), answer)


def build_small(numbers, target, task_type=TaskType.BINARY, codes=None) -> tuple[Prepared, Task]:
    """Numbers and codes as they are; every row in train and select."""
    raw = np.asarray(numbers, dtype=np.float32).reshape(len(target), -1)
    codes = np.zeros((len(target), 0), np.int32) if codes is None else codes
    rows, filled = np.arange(len(target)), np.nan_to_num(raw)
    cardinalities = tuple(int(column.max()) + 1 for column in codes.T)
    prepared = Prepared(
        views=Views(raw=raw, quantile=filled, robust=filled, standard=filled, codes=codes),
        target=np.asarray(target),
        parts=dict.fromkeys(Part, rows),
        shape=ViewShape(
            n_raw=raw.shape[1], n_quantile=raw.shape[1], n_quantile_numeric=raw.shape[1],
            cardinalities=cardinalities, n_outputs=1 if task_type is TaskType.REGRESSION else 2,
        ),
    )  # fmt: skip
    return prepared, build_task(task_type)


def predict_like_the_library(prepared, task, request):
    """The run's model, and what its own booster says of the same rows."""
    training = LightGBMRun(prepared, task, request)
    for epoch in range(1, training.n_epochs + 1):
        training.grow(epoch)
    expected = training.booster.predict(build_matrix(prepared.views))
    return training.require_model(), expected * training.scale + training.mean


@pytest.mark.parametrize("task_type", TaskType)
@pytest.mark.parametrize("config", [{}, SEARCHED, SEARCHED | {"extra_trees": True}])
def test_its_trees_predict_what_the_library_predicts(task_type, config):
    prepared, task = build_prepared(task_type, n_rows=800), build_task(task_type)
    request = build_request("lightgbm", config, max_epochs=4)
    model, expected = predict_like_the_library(prepared, task, request)
    predicted = model.predict(prepared.views)
    if task_type is TaskType.REGRESSION:
        assert np.allclose(predicted, np.clip(expected, *model.limits), rtol=1e-12)
        return
    expected = expected if expected.ndim == 2 else np.stack([1 - expected, expected], axis=1)
    assert np.allclose(predicted, expected, rtol=0, atol=1e-12)


def test_missing_zero_unseen_and_far_away_go_where_the_library_sends_them():
    rng = np.random.default_rng(1)
    n_rows = 3000
    numbers = rng.normal(size=(n_rows, 3))
    numbers[rng.random(n_rows) < 0.2, 0] = np.nan  # column 1 has none missing, column 2 many zeros
    numbers[rng.random(n_rows) < 0.5, 2] = 0.0
    codes = np.stack([rng.integers(0, 250, n_rows), rng.integers(1, 4, n_rows)], axis=1)
    signal = (codes[:, 0] % 7 < 3) + (codes[:, 1] == 2) + np.nan_to_num(numbers[:, 0], nan=2.0)
    target = (signal + numbers[:, 2] > 1.0).astype(int)
    booster = build_lightgbm(
        SEARCHED, np.hstack([codes, numbers]), target,
        weight=None, n_codes=2, n_classes=2, seed=0, threads=1,
    )  # fmt: skip
    for _ in range(60):
        booster.update()
    trees = read_trees(booster, 0, scale=1.0)
    assert any(tree.raw_left_cat_bitsets.shape[0] for tree in trees)
    strange = np.array([0.0, -0.0, 1e-40, -1e-36, np.nan, 1e300, -1e300])
    fresh = np.column_stack([rng.integers(0, 255, 4000), rng.integers(0, 9, 4000),
                             *(rng.choice(strange, 4000) for _ in range(3))])  # fmt: skip
    known, columns = np.zeros((5, 8), np.uint32), np.arange(5, dtype=np.uint32)
    raw = sum(tree.predict(fresh, known, columns, 1) for tree in trees)
    assert np.abs(raw - booster.predict(fresh, raw_score=True)).max() < 1e-10


def test_the_default_is_the_library_default():
    trained, epochs = run({})
    matrix, rows = build_matrix(BINARY.views), BINARY.parts[Part.TRAIN]
    parameters = {"objective": "binary", "verbosity": -1, "deterministic": True, "num_threads": 1,
                  "force_col_wise": True, "seed": derive_seed(0, 0) % 2**31,
                  "min_data_in_leaf": len(rows) // 20}  # fmt: skip
    data = lightgbm.Dataset(matrix[rows], BINARY.target[rows], categorical_feature=[0, 1, 2])
    expected = lightgbm.train(parameters, data, num_boost_round=100).predict(matrix)
    assert np.allclose(trained.predictor.predict(BINARY.views)[:, 1], expected, rtol=0, atol=1e-12)
    assert len(epochs) == trained.best_epoch == 1
    assert trained.warnings == (
        "A leaf needs 12 rows instead of 20: there are only 240 to learn from.",
    )
    large = build_prepared(TaskType.BINARY, n_rows=1000)
    assert not drive(train(large, TASK, build_request("lightgbm", {})))[0].warnings


def test_the_best_epoch_decides_the_number_of_trees(monkeypatch):
    scores = iter([0.5, 0.9, 0.8, 0.7, 0.6])
    monkeypatch.setattr(Scorer, "compute_score", lambda *_: next(scores))
    trained, epochs = run(max_epochs=20)
    assert len(epochs) == 2 + PATIENCE
    assert trained.best_epoch == 2
    assert len(trained.predictor.trees) == 50


def test_ten_classes_do_not_grow_ten_times_as_many_trees():
    prepared, task = build_prepared(TaskType.MULTICLASS), build_task(TaskType.MULTICLASS)
    several = LightGBMRun(prepared, task, build_request("lightgbm", SEARCHED, max_epochs=400))
    one = LightGBMRun(BINARY, TASK, build_request("lightgbm", SEARCHED, max_epochs=400))
    assert (one.n_epochs, several.n_epochs) == (400, 133)


def test_small_steps_have_more_patience():
    slow = LightGBMRun(BINARY, TASK, build_request("lightgbm", SEARCHED | {"learning_rate": 0.01}))
    fast = LightGBMRun(BINARY, TASK, build_request("lightgbm", SEARCHED | {"learning_rate": 0.2}))
    assert (slow.patience, fast.patience) == (12, PATIENCE)


def test_a_refit_has_exactly_the_asked_rounds():
    trained, epochs = run(is_refit=True, max_epochs=5)
    assert len(trained.predictor.trees) == 125
    assert len(epochs) == 5


@pytest.mark.parametrize("verb", [Verb.PRUNE, Verb.STOP])
def test_verbs_end_a_run(verb):
    trained, epochs = run(answer=lambda _: verb, max_epochs=9)
    assert len(epochs) == 1
    assert trained.was_pruned is (verb is Verb.PRUNE)


def test_a_deadline_that_has_come_leaves_one_round():
    trained, epochs = run(deadline=time.monotonic(), max_epochs=9)
    assert len(epochs) == len(trained.predictor.trees) == 1
    assert trained.warnings[-1] == "Time ran out in epoch 1 of 9."
    trained, _ = run({}, deadline=time.monotonic())
    assert trained.warnings[-1] == "Time ran out after 1 of 100 rounds."


def test_a_searched_configuration_takes_a_part_of_the_time_a_refit_all_of_it():
    deadline = time.monotonic() + 1000
    for changes, most in (({}, 250), ({"is_refit": True}, 1000)):
        request = build_request("lightgbm", SEARCHED, deadline=deadline, **changes)
        assert LightGBMRun(BINARY, TASK, request).most_seconds == pytest.approx(most, rel=0.1)
    assert LightGBMRun(BINARY, TASK, build_request("lightgbm", SEARCHED)).has_time()


@pytest.mark.parametrize("numbers", [np.ones(60), np.full(60, np.nan)])
def test_a_column_that_says_nothing_gives_the_prior_and_ends(numbers):
    prepared, task = build_small(numbers, (np.arange(60) % 4 == 0).astype(int))
    for config in ({}, SEARCHED):
        trained, epochs = drive(train(prepared, task, build_request("lightgbm", config)))
        assert len(epochs) == 1
        assert np.allclose(trained.select_prediction, [0.75, 0.25])
    refit = build_request("lightgbm", SEARCHED, is_refit=True, max_epochs=3)
    assert len(drive(train(prepared, task, refit))[1]) == 3


def test_a_draw_of_columns_without_a_split_does_not_end_it():
    rng = np.random.default_rng(0)
    numbers = np.column_stack([rng.normal(size=300), np.arange(300) % 2])
    numbers[1:, 1] = 0.0  # hardly ever useful, but drawn every other time
    prepared, task = build_small(numbers, (numbers[:, 0] > 0).astype(int))
    request = build_request("lightgbm", SEARCHED | {"feature_fraction": 0.4}, max_epochs=2)
    training = LightGBMRun(prepared, task, request)
    training.grow(1)
    assert len(training.require_model().trees) == 25
    assert training.n_empty < MAX_EMPTY_ROUNDS


@pytest.mark.parametrize("config", [{}, SEARCHED | {"min_data_in_leaf": 40}])
def test_twelve_rows_of_one_column_are_learned_from(config):
    prepared, task = build_small(np.arange(12), (np.arange(12) > 5).astype(int))
    trained, _ = drive(train(prepared, task, build_request("lightgbm", config)))
    assert (trained.select_prediction.argmax(axis=1) == prepared.target).all()
    assert "instead of" in trained.warnings[0]


def test_a_rare_class_is_found():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(20_000, 3))
    target = (numbers[:, 0] + 0.3 * rng.normal(size=20_000) > 3.3).astype(int)
    assert 5 <= target.sum() <= 20
    prepared, task = build_small(numbers, target)
    for config in ({}, SEARCHED):
        trained, _ = drive(train(prepared, task, build_request("lightgbm", config)))
        assert roc_auc_score(target, trained.select_prediction[:, 1]) > 0.9


def test_values_beyond_float32_are_learned():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=400)
    target = 1e60 * numbers
    prepared, task = build_small(numbers, target, TaskType.REGRESSION)
    prepared = replace(prepared, target_mean=float(target.mean()), target_scale=float(target.std()))
    trained, _ = drive(train(prepared, task, build_request("lightgbm", {})))
    assert np.corrcoef(trained.select_prediction / 1e60, numbers)[0, 1] > 0.95


def test_a_class_absent_from_training_has_probability_zero():
    prepared, task = build_prepared(TaskType.MULTICLASS), build_task(TaskType.MULTICLASS)
    rows = prepared.parts[Part.TRAIN]
    parts = prepared.parts | {Part.TRAIN: rows[prepared.target[rows] != 1]}
    request = build_request("lightgbm")
    trained, _ = drive(train(replace(prepared, parts=parts), task, request))
    assert trained.select_prediction[:, 1].max() == 0
    assert np.allclose(trained.select_prediction.sum(axis=1), 1)
