import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from automl.data.task import TaskType
from automl.data.views import Part
from automl.errors import SpecError, TrainingDiverged
from automl.models.catalog import FAMILIES
from automl.models.image.recipe_space import parse_recipe
from automl.training.epoch import Verb
from automl.training.image import run as loop
from automl.training.image.run import ImageRun
from automl.training.predictor import load_predictor, save_predictor
from automl.training.run import train
from automl.training.scoring import Scorer
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


@pytest.mark.parametrize("scores", [[0.1, 0.9, 0.3, 0.2], [0.9, 0.1, 0.1, 0.1]])
def test_the_best_epoch_is_restored_when_the_epoch_limit_ends_a_run(monkeypatch, scores):
    seen = []

    def fake(self, prediction):
        seen.append(prediction.copy())
        return scores[min(len(seen), 4) - 1]

    monkeypatch.setattr(Scorer, "compute_score", fake)
    trained, epochs = run_small({"ema": True}, max_epochs=4)
    best = int(np.argmax(scores))
    assert trained.best_epoch == best + 1
    assert [epoch.is_best for epoch in epochs].count(True) == len(
        set(np.maximum.accumulate(scores))
    )
    # epochs are scored in bfloat16 where the processor has it, models predict in float32
    assert np.allclose(trained.select_prediction, seen[best], atol=0.02)


def test_patience_ends_a_run_that_does_not_improve(monkeypatch):
    calls = iter(range(1000))
    monkeypatch.setattr(Scorer, "compute_score", lambda *_: -float(next(calls)))
    trained, epochs = run_small({"epochs": 40}, max_epochs=40)
    assert len(epochs) == 1 + loop.PATIENCE
    assert trained.best_epoch == 1


@pytest.mark.parametrize("verb", [Verb.PRUNE, Verb.STOP])
def test_verbs_end_a_run_with_its_best(verb):
    trained, epochs = run_small(answer=lambda epoch: verb if epoch.number == 2 else Verb.CONTINUE)
    assert len(epochs) == 2
    assert trained.was_pruned is (verb is Verb.PRUNE)
    assert trained.score == pytest.approx(max(epoch.score for epoch in epochs), abs=0.05)


def test_a_deadline_in_the_first_epoch_still_gives_a_model():
    trained, epochs = run_small(deadline=time.monotonic() - 1)
    assert len(epochs) == 1
    assert trained.score is not None
    assert "Time ran out in epoch 1" in trained.warnings[0]


def test_waiting_for_the_driver_is_not_fit_time():
    started = time.monotonic()
    trained, _ = run_small(answer=lambda _: time.sleep(0.5), max_epochs=2)
    assert trained.fit_seconds < time.monotonic() - started - 0.9


def test_a_refit_trains_exactly_as_long_as_told_on_both_parts():
    trained, epochs = run_small(is_refit=True, max_epochs=3)
    assert (trained.n_epochs, trained.best_epoch, trained.score) == (3, 3, None)
    assert all(epoch.score is None and epoch.select_loss is None for epoch in epochs)
    assert trained.select_prediction.shape == (0, 3)
    request = build_request(is_refit=True)
    run = ImageRun(PREPARED, TASK, request, parse_recipe(request.config))
    assert len(run.pictures) == len(PREPARED.parts[Part.TRAIN]) + len(PREPARED.parts[Part.SELECT])


def test_a_shorter_run_cuts_the_schedule_and_never_squeezes_it():
    _, long = run_small(max_epochs=4)
    _, short = run_small(max_epochs=2)
    assert [epoch.learning_rate for epoch in short] == [epoch.learning_rate for epoch in long[:2]]


def test_a_huge_rate_diverges_and_the_next_trial_starts_clean():
    clean, _ = run_small(max_epochs=2)
    wild = {"optimizer": "sgd", "optimizer.sgd.lr": 1e30, "optimizer.sgd.weight_decay": 0.0}
    with pytest.raises(TrainingDiverged, match="not finite"):
        run_small(wild)
    with pytest.raises(TrainingDiverged, match="not finite"):
        run_small(wild, is_refit=True, max_epochs=1)
    again, _ = run_small(max_epochs=2)
    assert np.array_equal(clean.select_prediction, again.select_prediction)


def test_streamed_pictures_give_the_numbers_of_resident_ones(monkeypatch):
    resident, _ = run_small(RICH, max_epochs=2)
    monkeypatch.setattr("automl.training.image.data.compute_free_bytes", lambda _: 0)
    streamed, _ = run_small(RICH, max_epochs=2)
    assert np.array_equal(resident.select_prediction, streamed.select_prediction)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "muon", "optimizer.muon.lr": 0.1, "optimizer.muon.weight_decay": 1e-3},
        {"schedule": "one_cycle", "mix": "mixup", "mix.mixup.alpha": 0.2},
        {"schedule": "linear", "policy": "rand", "flip": "alternating"},
        {"resolution": "progressive", "tta": "six"},
    ],
)
def test_every_part_of_a_recipe_trains(changes):
    trained, epochs = run_small(changes, max_epochs=2)
    assert all(math.isfinite(epoch.train_loss) for epoch in epochs)
    assert trained.predictor.tta == changes.get("tta", "none")


@pytest.mark.parametrize("channels", [1, 3])
def test_the_searched_network_starts_from_its_default(channels, tmp_path):
    prepared = build_prepared(200, side=8, channels=channels)
    config = {**FAMILIES["cnn"].default, "epochs": 2}
    trained, _ = drive(train(prepared, TASK, build_request("cnn", config)))
    (filters,) = (
        a for a in trained.predictor.to_arrays().values() if a.shape[1:] == (channels, 2, 2)
    )
    assert (
        np.count_nonzero(filters) > 0.9 * filters.size
    )  # fitted; before that they are single pixels
    save_predictor(trained.predictor, tmp_path)
    select = prepared.views.take(prepared.parts[Part.SELECT])
    assert np.array_equal(load_predictor(tmp_path).predict(select), trained.select_prediction)


def test_a_table_and_a_number_are_refused():
    table = replace(PREPARED, views=replace(PREPARED.views, images=None))
    with pytest.raises(SpecError, match="no pictures"):
        next(train(table, TASK, build_request()))
    number = replace(TASK, type=TaskType.REGRESSION, metric="rmse", classes=())
    with pytest.raises(SpecError, match="classes"):
        next(train(PREPARED, number, build_request()))


def test_a_refit_cut_in_its_last_epoch_is_none():
    """Only whole epochs count: one step of the only epoch is no final model."""
    trained, _ = run_small(is_refit=True, max_epochs=1, deadline=time.monotonic() - 1)
    assert trained.n_epochs == 0
    assert "Time ran out in epoch 1 of 1" in trained.warnings[0]
