import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from automl.data.views import Part
from automl.errors import DataError, SpecError, TrainingDiverged
from automl.models.tabular.config import PATIENCE
from automl.training import network as loop
from automl.training.epoch import Verb
from automl.training.network import NetworkRun
from automl.training.run import train
from automl.training.scoring import Scorer
from tests.unit.training.tables import (
    SMALL_MLP,
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

BINARY = build_prepared(TaskType.BINARY)
TASK = build_task(TaskType.BINARY)


def run_mlp(config=SMALL_MLP, answer=lambda _: None, **changes):
    return drive(train(BINARY, TASK, build_request("mlp", config, **changes)), answer)


def test_loss_goes_down_and_the_score_beats_chance():
    trained, epochs = run_mlp(max_epochs=10)
    assert epochs[-1].train_loss < 0.8 * epochs[0].train_loss
    assert trained.score > 0.85
    assert trained.metrics["roc_auc"] == pytest.approx(trained.score)
    assert [epoch.number for epoch in epochs] == list(range(1, 11))


def test_two_runs_are_bit_identical_whatever_happens_in_between():
    first, _ = run_mlp(SMALL_MLP | {"dropout": 0.3, "norm": "batch"})

    def disturb(epoch):
        torch.rand(epoch.number)
        np.random.default_rng().random()

    second, _ = run_mlp(SMALL_MLP | {"dropout": 0.3, "norm": "batch"}, answer=disturb)
    assert np.array_equal(first.select_prediction, second.select_prediction)
    for name, array in first.predictor.to_arrays().items():
        assert np.array_equal(array, second.predictor.to_arrays()[name]), name


def test_another_seed_gives_another_network():
    first, _ = run_mlp(max_epochs=1)
    second, _ = run_mlp(max_epochs=1, seed=1)
    assert not np.array_equal(first.select_prediction, second.select_prediction)


@pytest.mark.parametrize("scores", [[0.1, 0.9, 0.3, 0.2], [0.9, 0.1, 0.1, 0.1]])
def test_the_best_epoch_is_restored_when_the_epoch_limit_ends_a_run(monkeypatch, scores):
    seen = []

    def fake(self, prediction):
        seen.append(prediction.copy())
        return scores[len(seen) - 1]

    monkeypatch.setattr(Scorer, "compute_score", fake)
    trained, epochs = run_mlp(max_epochs=4)
    best = int(np.argmax(scores))
    assert trained.best_epoch == best + 1
    assert trained.score == scores[best]
    assert [epoch.is_best for epoch in epochs].count(True) == len(
        set(np.maximum.accumulate(scores))
    )
    assert np.array_equal(trained.select_prediction, seen[best])


def test_patience_ends_a_run_that_does_not_improve(monkeypatch):
    calls = iter(range(1000))
    monkeypatch.setattr(Scorer, "compute_score", lambda *_: -float(next(calls)))
    config = SMALL_MLP | {"epochs": 40}
    trained, epochs = run_mlp(config, max_epochs=40)
    assert len(epochs) == 1 + PATIENCE
    assert trained.best_epoch == 1


@pytest.mark.parametrize("verb", [Verb.PRUNE, Verb.STOP])
def test_verbs_end_a_run_with_its_best(verb):
    trained, epochs = run_mlp(answer=lambda epoch: verb if epoch.number == 2 else Verb.CONTINUE)
    assert len(epochs) == 2
    assert trained.was_pruned is (verb is Verb.PRUNE)
    assert trained.score == max(epoch.score for epoch in epochs)


def test_a_deadline_in_the_first_epoch_still_gives_a_model(monkeypatch):
    monkeypatch.setattr(loop, "CHECK_STEPS", 1)
    trained, epochs = run_mlp(batch_size=8, deadline=time.monotonic() - 1)
    assert len(epochs) == 1
    assert trained.score is not None
    assert "Time ran out in epoch 1" in trained.warnings[0]


def test_waiting_for_the_driver_is_not_fit_time():
    def wait(epoch):
        time.sleep(0.3 if epoch.number == 1 else 0)

    trained, _ = run_mlp(answer=wait, max_epochs=2)
    assert trained.fit_seconds < 0.3


def test_a_refit_trains_exactly_as_long_as_told_on_both_parts():
    trained, epochs = run_mlp(is_refit=True, max_epochs=3)
    assert (trained.n_epochs, trained.best_epoch, trained.score) == (3, 3, None)
    assert all(epoch.score is None and epoch.select_loss is None for epoch in epochs)
    assert trained.select_prediction.shape == (0, 2)
    run = NetworkRun(BINARY, TASK, build_request("mlp", SMALL_MLP, is_refit=True))
    assert len(run.rows) == len(BINARY.parts[Part.TRAIN]) + len(BINARY.parts[Part.SELECT])


def test_a_shorter_run_cuts_the_schedule_and_never_squeezes_it():
    _, long = run_mlp(max_epochs=6)
    _, short = run_mlp(max_epochs=3)
    assert [epoch.learning_rate for epoch in short] == [epoch.learning_rate for epoch in long[:3]]


def test_a_huge_rate_diverges_and_the_next_trial_starts_clean():
    clean, _ = run_mlp(max_epochs=2)
    wild = SMALL_MLP | {
        "optimizer": "sgd",
        "optimizer.sgd.lr": 1e30,
        "optimizer.sgd.weight_decay": 0.0,
    }
    with pytest.raises(TrainingDiverged, match=r"at step \d+"):
        run_mlp(wild)
    again, _ = run_mlp(max_epochs=2)
    assert np.array_equal(clean.select_prediction, again.select_prediction)


@pytest.mark.parametrize(
    ("n_train", "batch_size", "n_steps"), [(65, 64, 1), (66, 64, 2), (64, 64, 1)]
)
def test_a_last_batch_of_one_row_is_dropped_with_batch_norm(n_train, batch_size, n_steps):
    parts = BINARY.parts | {Part.TRAIN: BINARY.parts[Part.TRAIN][:n_train]}
    prepared = replace(BINARY, parts=parts)
    request = build_request("mlp", SMALL_MLP | {"norm": "batch"}, batch_size=batch_size)
    run = NetworkRun(prepared, TASK, request)
    run.train_epoch(1, loop.WorkClock(None))
    assert run.n_steps_done == n_steps


def test_without_batch_norm_the_last_row_is_used():
    prepared = replace(BINARY, parts=BINARY.parts | {Part.TRAIN: BINARY.parts[Part.TRAIN][:65]})
    run = NetworkRun(prepared, TASK, build_request("mlp", SMALL_MLP))
    run.train_epoch(1, loop.WorkClock(None))
    assert run.n_steps_done == 2


def test_regression_predicts_in_the_uploaded_unit_within_the_training_range():
    prepared = build_prepared(TaskType.REGRESSION)
    task = build_task(TaskType.REGRESSION)
    trained, epochs = drive(train(prepared, task, build_request("mlp", SMALL_MLP, max_epochs=12)))
    train_target = prepared.target[prepared.parts[Part.TRAIN]]
    assert trained.select_prediction.shape == (len(prepared.parts[Part.SELECT]),)
    assert train_target.min() <= trained.select_prediction.min()
    assert trained.select_prediction.max() <= train_target.max()
    assert -trained.score < train_target.std()
    assert epochs[-1].select_loss < 1  # standardised: the mean alone has 1


def test_clipping_is_counted():
    config = SMALL_MLP | {"optimizer.adamw.lr": 1e-2}
    _, epochs = run_mlp(config)
    assert all(0 <= epoch.clipped <= 1 and math.isfinite(epoch.train_loss) for epoch in epochs)


def test_gradient_norms_and_the_size_of_an_update_are_measured():
    _, epochs = run_mlp(max_epochs=3)
    for epoch in epochs:
        assert 0 < epoch.gradient_norm <= epoch.gradient_norm_max
        assert 1e-5 < epoch.update_ratio < 0.2
    _, slow = run_mlp(SMALL_MLP | {"optimizer.adamw.lr": 1e-6}, max_epochs=1)
    assert slow[0].update_ratio < 1e-4 < epochs[0].update_ratio


def test_an_epoch_that_was_cut_has_no_last_update(monkeypatch):
    monkeypatch.setattr(loop, "CHECK_STEPS", 1)
    _, epochs = run_mlp(batch_size=8, deadline=time.monotonic() - 1)
    assert epochs[0].update_ratio is None
    assert epochs[0].gradient_norm > 0


@pytest.mark.parametrize("changes", [{"max_epochs": 0}, {"batch_size": 1}, {"threads": 0}])
def test_nonsense_requests_are_refused(changes):
    with pytest.raises(SpecError):
        run_mlp(**changes)


def test_one_class_in_training_is_named():
    rows = np.flatnonzero(BINARY.target == 1)
    parts = BINARY.parts | {Part.TRAIN: rows[:20].astype(np.int64)}
    with pytest.raises(DataError, match="'y'"):
        drive(train(replace(BINARY, parts=parts), TASK, build_request("mlp", SMALL_MLP)))
