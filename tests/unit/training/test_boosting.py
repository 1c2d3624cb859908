import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from automl.data.views import Part, Views
from automl.models.tabular.boosting import MAX_CODE, build_matrix, build_trees_model
from automl.training import boosting
from automl.training.device import derive_seed
from automl.training.epoch import Verb
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
    "learning_rate": 0.2,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 5,
    "l2_regularization": 1.0,
    "max_features": 0.5,
}
TASK = build_task(TaskType.BINARY)
BINARY = build_prepared(TaskType.BINARY)


def run(config=SEARCHED, answer=lambda _: None, **changes):
    return drive(train(BINARY, TASK, build_request("boosting", config, **changes)), answer)


@pytest.mark.parametrize("task_type", TaskType)
def test_the_default_is_exactly_the_library_default(task_type):
    prepared, task = build_prepared(task_type), build_task(task_type)
    trained, epochs = drive(train(prepared, task, build_request("boosting", {})))
    kind = (
        HistGradientBoostingRegressor
        if task_type is TaskType.REGRESSION
        else HistGradientBoostingClassifier
    )
    matrix = build_matrix(prepared.views)
    rows = prepared.parts[Part.TRAIN]
    model = kind(
        random_state=derive_seed(0, 0) % 2**32,
        categorical_features=[True] * 3 + [False] * 3,
    ).fit(matrix[rows], prepared.target[rows])
    if task_type is TaskType.REGRESSION:
        target = prepared.target[rows]
        expected = np.clip(model.predict(matrix), target.min(), target.max())
    else:
        expected = model.predict_proba(matrix)
    assert np.allclose(trained.predictor.predict(prepared.views), expected, rtol=0, atol=1e-12)
    assert len(epochs) == trained.best_epoch == 1


def test_growing_fits_equal_one_fit():
    _, epochs = run(max_epochs=6)
    whole = HistGradientBoostingClassifier(
        random_state=derive_seed(0, 0) % 2**32, early_stopping=False, max_iter=len(epochs) * 25,
        categorical_features=[True] * 3 + [False] * 3, **SEARCHED,
    )  # fmt: skip
    matrix, rows = build_matrix(BINARY.views), BINARY.parts[Part.TRAIN]
    whole.fit(matrix[rows], BINARY.target[rows])
    scorer = Scorer(task=TASK, truth=BINARY.target[BINARY.parts[Part.SELECT]])
    staged = list(whole.staged_predict_proba(matrix[BINARY.parts[Part.SELECT]]))
    for epoch in epochs:
        assert epoch.score == pytest.approx(scorer.compute_score(staged[epoch.number * 25 - 1]))


def test_the_best_epoch_decides_the_number_of_trees(monkeypatch):
    scores = iter([0.5, 0.9, 0.8, 0.7, 0.6])
    monkeypatch.setattr(Scorer, "compute_score", lambda *_: next(scores))
    trained, epochs = run(max_epochs=20)
    assert len(epochs) == 2 + boosting.PATIENCE
    assert trained.best_epoch == 2
    assert len(trained.predictor.trees) == 2 * boosting.EPOCH_ROUNDS


def test_a_refit_has_exactly_the_asked_rounds():
    trained, epochs = run(is_refit=True, max_epochs=5)
    assert len(trained.predictor.trees) == 5 * boosting.EPOCH_ROUNDS
    assert trained.score is None
    assert len(epochs) == 5


@pytest.mark.parametrize("verb", [Verb.PRUNE, Verb.STOP])
def test_verbs_end_a_run(verb):
    trained, epochs = run(answer=lambda _: verb, max_epochs=9)
    assert len(epochs) == 1
    assert trained.was_pruned is (verb is Verb.PRUNE)


def test_a_deadline_that_has_come_leaves_one_epoch():
    trained, epochs = run(deadline=time.monotonic(), max_epochs=9)
    assert len(epochs) == 1
    assert "Time ran out" in trained.warnings[0]


def test_two_runs_are_identical():
    first, second = run()[0], run()[0]
    assert np.array_equal(first.select_prediction, second.select_prediction)


def test_rare_levels_beyond_the_limit_are_pooled_and_unseen_ones_are_missing():
    codes = np.array([[0], [MAX_CODE], [MAX_CODE + 1], [5000]], np.int32)
    empty = np.zeros((4, 0), np.float32)
    views = Views(raw=empty, quantile=empty, robust=empty, standard=empty, codes=codes)
    assert build_matrix(views)[:, 0].tolist() == [0, MAX_CODE, 0, 0]


def test_a_level_not_seen_in_training_equals_a_missing_one_in_the_library():
    rng = np.random.default_rng(0)
    matrix = np.stack([rng.integers(1, 5, 200), rng.normal(size=200)], axis=1)
    target = (matrix[:, 0] > 2).astype(int)
    estimator = HistGradientBoostingClassifier(categorical_features=[True, False], max_iter=20)
    estimator.fit(matrix, target)
    model = build_trees_model(estimator, limits=np.array([0.0, 1]), n_classes=2, threads=1)
    fresh = np.array([[77.0, 0.1], [0.0, -1], [3, np.nan]])
    assert np.allclose(model.link(model.compute_raw(fresh)), estimator.predict_proba(fresh))


def test_a_class_absent_from_training_has_probability_zero():
    prepared, task = build_prepared(TaskType.MULTICLASS), build_task(TaskType.MULTICLASS)
    rows = prepared.parts[Part.TRAIN]
    parts = prepared.parts | {Part.TRAIN: rows[prepared.target[rows] != 1]}
    for family in ("boosting", "linear"):
        request = build_request(family)
        trained, _ = drive(train(replace(prepared, parts=parts), task, request))
        assert trained.select_prediction.shape[1] == 3
        assert trained.select_prediction[:, 1].max() < 1e-6
        assert np.allclose(trained.select_prediction.sum(axis=1), 1)
