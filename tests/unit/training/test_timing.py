"""What a fitted model costs: parameters and the time of 1,000 rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from automl.data.task import TaskType
from automl.models.starts import STARTS
from automl.training.run import train
from automl.training.timing import N_TIMED, N_WARM_UPS, measure
from tests.unit.training.tables import SMALL_MLP, build_prepared, build_request, build_task, drive

PREPARED = build_prepared(TaskType.BINARY)
TASK = build_task(TaskType.BINARY)


def _fit(family, config=None):
    return drive(train(PREPARED, TASK, build_request(family, config, max_epochs=1)))[0]


@pytest.mark.parametrize(
    ("family", "config"), [("linear", None), ("boosting", None), ("mlp", SMALL_MLP)]
)
def test_every_family_is_measured_and_stays_as_it_was(family, config):
    trained, n_threads = _fit(family, config), torch.get_num_threads()
    facts = measure(PREPARED, trained)
    assert facts["parameters"] == trained.n_parameters
    assert 0 < facts["latency_ms"] < 10_000
    assert torch.get_num_threads() == n_threads


def test_a_thousand_rows_are_read_after_a_warming_up(monkeypatch):
    trained, seen = _fit("linear"), []
    predict = type(trained.predictor).predict

    def count(model, views):
        seen.append(len(views))
        return predict(model, views)

    monkeypatch.setattr(type(trained.predictor), "predict", count)
    measure(PREPARED, trained)
    assert seen == [1_000] * (N_WARM_UPS + N_TIMED)


@pytest.mark.parametrize("is_encoded", [False, True])
def test_trees_predict_on_one_thread(is_encoded, monkeypatch):
    config = STARTS["boosting"][0] | {"target_encoding": True} if is_encoded else None
    trained = _fit("boosting", config)
    model = trained.predictor
    trees = replace(model.model if is_encoded else model, threads=4)
    many = replace(trained, predictor=replace(model, model=trees) if is_encoded else trees)
    seen, predict = [], type(trees).predict
    monkeypatch.setattr(
        type(trees),
        "predict",
        lambda self, views: seen.append(self.threads) or predict(self, views),
    )
    measure(PREPARED, many)
    assert set(seen) == {1}
    assert np.isfinite(many.predictor.predict(PREPARED.views)).all()
    assert trees.threads == 4
