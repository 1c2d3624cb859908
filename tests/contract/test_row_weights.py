"""Every family learns from rows by their weight."""

from dataclasses import replace

import numpy as np
import pytest

from automl.data.dataset import DataKind
from automl.data.task import TaskType
from automl.data.views import Part
from automl.models.catalog import list_families
from automl.training.run import train
from tests.unit.training.tables import build_prepared, build_request, build_task, drive

families = pytest.mark.parametrize("family", list_families(DataKind.TABLE))


@families
@pytest.mark.parametrize("task_type", TaskType)
def test_rows_without_weight_teach_nothing(family, task_type):
    """Their targets are shuffled: with weight 0 that changes nothing, with weight 1 it does."""
    prepared = build_prepared(task_type)
    silent = prepared.parts[Part.TRAIN][::3]
    target = prepared.target.copy()
    target[silent] = np.random.default_rng(1).permutation(target[silent])
    weight = np.ones(len(target))
    weight[silent] = 0.0
    request = build_request(family, max_epochs=2)

    def predict(**changes):
        trained, _ = drive(train(replace(prepared, **changes), build_task(task_type), request))
        return trained.select_prediction

    assert np.allclose(predict(weight=weight), predict(weight=weight, target=target), rtol=1e-6)
    is_fooled = not np.allclose(predict(), predict(target=target), rtol=1e-6)
    assert is_fooled or family == "constant"


@families
def test_scores_and_losses_of_the_select_part_follow_the_weights(family):
    prepared, task = build_prepared(TaskType.BINARY), build_task(TaskType.BINARY, "accuracy")
    select = prepared.parts[Part.SELECT]
    weight = np.where(prepared.target == 1, 5.0, 1.0)
    request = build_request(family, max_epochs=2)
    trained, epochs = drive(train(replace(prepared, weight=weight), task, request))
    decided = trained.select_prediction[:, 1] >= 0.5
    right = decided == (prepared.target[select] == 1)
    by_hand = np.average(right, weights=weight[select])
    assert trained.score == pytest.approx(by_hand)
    assert trained.metrics["accuracy"] == pytest.approx(by_hand)
    chosen = trained.select_prediction[np.arange(len(select)), prepared.target[select]]
    loss = -np.average(np.log(chosen), weights=weight[select])
    assert epochs[trained.best_epoch - 1].select_loss == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("family", ["constant", "linear"])
@pytest.mark.parametrize("task_type", TaskType)
def test_a_weight_of_two_is_the_row_twice(family, task_type):
    prepared = build_prepared(task_type)
    rows = prepared.parts[Part.TRAIN]
    weight = np.ones(len(prepared.target))
    weight[rows[::2]] = 2.0
    twice = {**prepared.parts, Part.TRAIN: np.sort(np.concatenate([rows, rows[::2]]))}
    config = {"C": 1e4} if family == "linear" else {}  # the penalty knows rows, not weights
    request = build_request(family, config)
    weighted, repeated = (
        drive(train(each, build_task(task_type), request))[0].select_prediction
        for each in (replace(prepared, weight=weight), replace(prepared, parts=twice))
    )
    off = np.abs(weighted - repeated).mean()
    assert off <= (0.03 * repeated.std() if family == "linear" else 1e-9)
