import numpy as np
import pytest
import torch

from automl.data.views import Part
from automl.training.predictor import load_predictor, save_predictor
from automl.training.run import train
from tests.unit.training.image.pictures import TASK, build_prepared, build_request
from tests.unit.training.tables import drive

PREPARED = build_prepared()
RICH = {
    "flip": "random",
    "translate": 0.125,
    "cutout": 0.25,
    "mix": "cutmix",
    "mix.cutmix.alpha": 1.0,
    "policy": "trivial",
    "label_smoothing": 0.1,
    "ema": True,
    "tta": "flip",
    "epochs": 4,
}


def run_small(config=None, answer=lambda _: None, **changes):
    return drive(train(PREPARED, TASK, build_request(config=config, **changes)), answer)


def test_it_learns_and_a_saved_model_predicts_the_same(tmp_path):
    trained, epochs = run_small(max_epochs=12)
    assert epochs[-1].train_loss < 0.7 * epochs[0].train_loss
    assert trained.score > 0.7
    assert trained.metrics["accuracy"] == pytest.approx(trained.score)
    save_predictor(trained.predictor, tmp_path)
    select = PREPARED.views.take(PREPARED.parts[Part.SELECT])
    again = load_predictor(tmp_path).predict(select)
    assert np.array_equal(again, trained.select_prediction)
    assert again.shape == (len(select), 3)
    assert np.allclose(again.sum(axis=1), 1)


def test_two_runs_are_bit_identical_whatever_happens_in_between():
    first, _ = run_small(RICH)

    def disturb(epoch):
        torch.rand(epoch.number)

    second, _ = run_small(RICH, answer=disturb)
    assert np.array_equal(first.select_prediction, second.select_prediction)
    for name, array in first.predictor.to_arrays().items():
        assert np.array_equal(array, second.predictor.to_arrays()[name]), name
    third, _ = run_small(RICH, seed=1)
    assert not np.array_equal(first.select_prediction, third.select_prediction)
