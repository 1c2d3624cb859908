"""One configuration trained fold by fold: what is predicted, scored, reported and ended."""

import time
from dataclasses import replace

import numpy as np
import pytest

from automl.data.folds import build_folds
from automl.data.split_plan import build_split_plan
from automl.data.splits import SplitRequest
from automl.data.views import Part
from automl.models.catalog import FAMILIES
from automl.training.epoch import Verb
from automl.training.rows import build_scorer
from automl.training.run import train
from tests.unit.training.tables import (
    SMALL_MLP,
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

N_FOLDS = 3
TASK = build_task(TaskType.BINARY)


def divide(task_type=TaskType.BINARY, target=None):
    prepared = build_prepared(task_type)
    prepared = prepared if target is None else replace(prepared, target=target)
    rows = np.sort(np.concatenate([prepared.parts[Part.TRAIN], prepared.parts[Part.SELECT]]))
    request = SplitRequest(
        target=prepared.target,
        task_type=task_type,
        plan=build_split_plan(test_given=False, group=None),
    )
    folds = tuple(
        replace(
            prepared,
            parts={**prepared.parts, Part.TRAIN: fold.train, Part.SELECT: fold.stop},
            held=fold.held,
        )
        for fold in build_folds(request, rows, N_FOLDS)
    )
    return replace(prepared, folds=folds)


BINARY = divide()


@pytest.mark.parametrize("task_type", list(TaskType))
@pytest.mark.parametrize("family", ["constant", "linear", "lightgbm", "mlp"])
def test_the_score_is_that_of_all_rows_together(family, task_type):
    prepared, task = divide(task_type), build_task(task_type)
    config = SMALL_MLP if family == "mlp" else FAMILIES[family].default
    trained, epochs = drive(train(prepared, task, build_request(family, config)))
    scorer = build_scorer(prepared, task, prepared.judged)
    assert len(trained.select_prediction) == len(prepared.judged) == 320
    assert trained.score == pytest.approx(scorer.compute_score(trained.select_prediction))
    closing = [epoch for epoch in epochs if epoch.closes_fold]
    assert [epoch.rung for epoch in closing] == [1, 2, 3]
    assert all(epoch.rung == 0 for epoch in epochs if not epoch.closes_fold)
    assert trained.n_epochs == len(epochs) - N_FOLDS
    assert not trained.was_pruned
    first = prepared.folds[0]
    mine = np.isin(prepared.judged, first.held)
    again = trained.predictor.predict(first.views.take(first.held))
    np.testing.assert_allclose(trained.select_prediction[mine], again)
    own = build_scorer(first, task, first.held).compute_score(again)
    assert closing[0].fold_score == pytest.approx(own)


def test_rows_that_are_predicted_neither_teach_nor_stop():
    first = BINARY.folds[0]
    poisoned = BINARY.target.copy()
    poisoned[first.held] = 1 - poisoned[first.held]
    other = replace(
        BINARY,
        target=poisoned,
        folds=tuple(replace(fold, target=poisoned) for fold in BINARY.folds),
    )
    request = build_request("mlp", SMALL_MLP)
    clean, spoiled = (drive(train(each, TASK, request))[0] for each in (BINARY, other))
    mine = np.isin(BINARY.judged, first.held)
    np.testing.assert_array_equal(clean.select_prediction[mine], spoiled.select_prediction[mine])
    assert not np.allclose(clean.select_prediction[~mine], spoiled.select_prediction[~mine])


def test_columns_encoded_by_the_target_are_encoded_within_each_fold():
    config = SMALL_MLP | {"target_encoding": True}
    first = BINARY.folds[0]
    poisoned = BINARY.target.copy()
    poisoned[first.held] = 1 - poisoned[first.held]
    folds = tuple(replace(fold, target=poisoned) for fold in BINARY.folds)
    other = replace(BINARY, target=poisoned, folds=folds)
    request = build_request("mlp", config, max_epochs=2)
    clean, spoiled = (drive(train(each, TASK, request))[0] for each in (BINARY, other))
    mine = np.isin(BINARY.judged, first.held)
    np.testing.assert_array_equal(clean.select_prediction[mine], spoiled.select_prediction[mine])


def test_early_stopping_does_not_flatter_what_learns_from_noise():
    """The best epoch on its own rows would score well above one half; rows that stopped nothing do not."""
    flattered, honest = [], []
    for seed in range(4):
        target = np.random.default_rng(seed).integers(0, 2, len(BINARY.target))
        request = build_request("mlp", SMALL_MLP, max_epochs=25)
        trained, epochs = drive(train(divide(target=target), TASK, request))
        honest.append(trained.score)
        flattered.append(max(epoch.score for epoch in epochs))
    assert np.mean(honest) == pytest.approx(0.5, abs=0.07)
    assert np.mean(flattered) > 0.57


def test_a_verb_ends_the_trial_between_folds_and_within_one():
    request = build_request("mlp", SMALL_MLP)
    pruned, epochs = drive(
        train(BINARY, TASK, request), lambda epoch: Verb.PRUNE if epoch.rung == 2 else None
    )
    assert pruned.was_pruned
    assert epochs[-1].rung == 2
    assert len(pruned.select_prediction) < len(BINARY.judged)
    stopped, epochs = drive(
        train(BINARY, TASK, request), lambda epoch: Verb.STOP if epoch.fold == 2 else None
    )
    assert stopped.was_pruned
    assert [epoch.fold for epoch in epochs][-1] == 2
    assert "Only 2 of 3 folds were trained." in stopped.warnings


def test_the_time_is_shared_among_the_folds():
    late, _ = drive(
        train(BINARY, TASK, build_request("mlp", SMALL_MLP, deadline=time.monotonic() - 1))
    )
    assert late.was_pruned
    assert np.isfinite(late.score)
    whole, epochs = drive(
        train(BINARY, TASK, build_request("constant", {}, deadline=time.monotonic() + 60))
    )
    assert not whole.was_pruned
    assert [epoch.fold for epoch in epochs if epoch.closes_fold] == [1, 2, 3]


def test_a_refit_knows_no_folds():
    trained, epochs = drive(
        train(BINARY, TASK, build_request("mlp", SMALL_MLP, max_epochs=3, is_refit=True))
    )
    assert [epoch.fold for epoch in epochs] == [None] * 3
    assert trained.score is None
