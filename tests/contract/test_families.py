"""What every family promises, for every type of task."""

import numpy as np
import pytest

from automl.data.dataset import DataKind
from automl.data.task import TaskType
from automl.data.views import Part
from automl.models.catalog import (
    FAMILIES,
    describe_layers,
    get_space,
    list_families,
    render_architecture,
)
from automl.training.epoch import Verb
from automl.training.predictor import load_predictor
from automl.training.run import train
from fairness.definitions import METRICS
from tests.unit.training.tables import build_prepared, build_request, build_task, drive

pytestmark = pytest.mark.parametrize("task_type", TaskType)
families = pytest.mark.parametrize("family", list_families(DataKind.TABLE))


@families
def test_training_yields_epochs_and_a_model_that_beats_or_equals_a_constant(family, task_type):
    prepared, task = build_prepared(task_type), build_task(task_type)
    trained, epochs = drive(train(prepared, task, build_request(family, max_epochs=8)))
    floor, _ = drive(train(prepared, task, build_request("constant")))
    assert trained.score > floor.score or family == "constant"
    assert [epoch.number for epoch in epochs] == list(range(1, len(epochs) + 1))
    assert trained.score == max(epoch.score for epoch in epochs)
    assert epochs[trained.best_epoch - 1].is_best
    assert trained.n_parameters >= 1
    assert trained.peak_memory_bytes > 0
    assert not trained.was_pruned
    own = trained.metrics[task.metric]
    assert trained.score == pytest.approx(own * METRICS[task.metric].sign)


@families
def test_saved_and_loaded_it_predicts_the_same(family, task_type, tmp_path):
    prepared, task = build_prepared(task_type), build_task(task_type)
    trained, _ = drive(train(prepared, task, build_request(family, max_epochs=2)))
    trained.save(tmp_path / "model")
    loaded = load_predictor(tmp_path / "model")
    assert loaded.family == family
    select = prepared.views.take(prepared.parts[Part.SELECT])
    assert np.array_equal(loaded.predict(select), trained.predictor.predict(select))
    assert np.allclose(loaded.predict(select), trained.select_prediction, rtol=1e-6)


@families
def test_probabilities_are_probabilities(family, task_type):
    prepared, task = build_prepared(task_type), build_task(task_type)
    trained, _ = drive(train(prepared, task, build_request(family, max_epochs=2)))
    prediction = trained.predictor.predict(prepared.views)
    assert prediction.dtype == np.float64
    assert np.isfinite(prediction).all()
    if task_type is TaskType.REGRESSION:
        assert prediction.shape == (len(prepared.views),)
        return
    assert prediction.shape == (len(prepared.views), len(task.classes))
    assert prediction.min() >= 0
    assert np.allclose(prediction.sum(axis=1), 1)


@families
def test_a_refit_has_no_score_and_learns_from_more_rows(family, task_type):
    prepared, task = build_prepared(task_type), build_task(task_type)
    request = build_request(family, max_epochs=2, is_refit=True)
    trained, epochs = drive(train(prepared, task, request))
    assert trained.score is None
    assert not trained.metrics
    assert len(trained.select_prediction) == 0
    assert all(epoch.score is None for epoch in epochs)


@families
def test_it_is_pruned_when_told(family, task_type):
    prepared, task = build_prepared(task_type), build_task(task_type)
    trained, epochs = drive(train(prepared, task, build_request(family)), lambda _: Verb.PRUNE)
    assert len(epochs) == 1
    assert trained.was_pruned
    assert trained.score == epochs[0].score


@families
def test_two_runs_are_equal(family, task_type):
    prepared, task = build_prepared(task_type), build_task(task_type)
    runs = [drive(train(prepared, task, build_request(family, max_epochs=2))) for _ in range(2)]
    assert np.array_equal(runs[0][0].select_prediction, runs[1][0].select_prediction)
    assert [epoch.score for epoch in runs[0][1]] == [epoch.score for epoch in runs[1][1]]


@families
def test_it_is_described_without_being_built(family, task_type):
    known = FAMILIES[family]
    assert task_type in known.tasks
    assert known.title
    assert known.summary.endswith(".")
    assert render_architecture(family, known.default)
    layers = describe_layers(family, known.default, build_prepared(task_type).shape)
    assert bool(layers) is known.is_network
    assert isinstance(get_space(family), dict)
