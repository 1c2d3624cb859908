"""What a fitted model costs: parameters and the time of 1,000 rows."""

import numpy as np
import pytest
import torch

from automl.data.task import TaskType
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


def test_trees_predict_on_one_thread():
    from dataclasses import replace

    trained = _fit("boosting")
    seen = []
    model = replace(trained.predictor, threads=4)
    predict = type(model).predict
    many = replace(trained, predictor=model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(model),
            "predict",
            lambda self, views: seen.append(self.threads) or predict(self, views),
        )
        measure(PREPARED, many)
    assert set(seen) == {1}
    assert np.isfinite(many.predictor.predict(PREPARED.views)).all()
