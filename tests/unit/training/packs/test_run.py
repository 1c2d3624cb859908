import numpy as np
import pytest

from automl.errors import SpecError, TrainingDiverged
from automl.training.epoch import Verb
from automl.training.packs.records import PackAnswer
from automl.training.run import train
from tests.unit.training.packs.drive import SGD, drive_pack, vary
from tests.unit.training.tables import (
    SMALL_MLP,
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

BINARY, TASK = build_prepared(TaskType.BINARY), build_task(TaskType.BINARY)
QUIET = SMALL_MLP | {"dropout": 0.0}


def request(seed=0, **changes):
    return build_request("mlp", QUIET | changes, seed=seed, max_epochs=4)


def find_gap(one, other, scale):
    return np.abs(one.select_prediction - other.select_prediction).max() / scale


@pytest.mark.parametrize(
    ("task_type", "family", "norms", "changes"),
    [
        (TaskType.BINARY, "mlp", ("none", "layer"), {}),
        (TaskType.MULTICLASS, "mlp", ("none", "layer"), {"residual": True}),
        (TaskType.REGRESSION, "mlp", ("layer",), {"embedding": "none"}),
        (TaskType.BINARY, "mlp", ("layer",), {"embedding": "pbld"}),
        (TaskType.MULTICLASS, "resnet", ("layer",), {"embedding": "periodic"}),
    ],
)
def test_a_member_equals_the_network_trained_alone(task_type, family, norms, changes):
    prepared, task = build_prepared(task_type), build_task(task_type)
    requests = vary(family, task_type, norms, **changes)
    ended, epochs, _ = drive_pack(prepared, task, requests)
    for number, one in requests.items():
        alone, alone_epochs = drive(train(prepared, task, one))
        assert find_gap(alone, ended[number], prepared.target_scale) < 1e-4, one.config
        assert ended[number].best_epoch == alone.best_epoch
        assert ended[number].n_parameters == alone.n_parameters
        assert ended[number].score == pytest.approx(alone.score, rel=1e-4)
        for own, other in zip(epochs[number], alone_epochs, strict=True):
            assert own.learning_rate == other.learning_rate
            assert own.train_loss == pytest.approx(other.train_loss, rel=1e-4)
            assert own.gradient_norm == pytest.approx(other.gradient_norm, rel=1e-2)
            assert own.update_ratio == pytest.approx(other.update_ratio, rel=1e-2)


def test_a_wild_member_is_reported_and_leaves_the_others_as_they_were():
    wild = {k: v for k, v in QUIET.items() if ".adamw." not in k} | SGD | {"optimizer.sgd.lr": 1e30}
    others = {1: request(1), 3: request(3, depth=1)}
    alone, _, _ = drive_pack(BINARY, TASK, others | {2: request(2)})
    beside, epochs, _ = drive_pack(
        BINARY, TASK, others | {2: build_request("mlp", wild, max_epochs=4)}
    )
    assert isinstance(beside[2], TrainingDiverged)
    assert "at step 2" in str(beside[2])
    assert 2 not in epochs
    for number in others:
        assert len(epochs[number]) == 4
        # after the first epoch the pack is smaller, which may round its products differently
        assert find_gap(alone[number], beside[number], 1.0) < 1e-5


@pytest.mark.parametrize("verb", [Verb.PRUNE, Verb.STOP])
def test_a_verb_ends_its_member_with_the_best_so_far(verb):
    def answer(step):
        epoch = step.epochs.get(5)
        return PackAnswer(verbs={5: verb}) if epoch and epoch.number == 2 else None

    ended, epochs, _ = drive_pack(BINARY, TASK, {5: request(5), 6: request(6)}, answer)
    assert (len(epochs[5]), len(epochs[6])) == (2, 4)
    assert ended[5].was_pruned is (verb is Verb.PRUNE)
    assert (ended[5].n_epochs, ended[6].n_epochs) == (2, 4)
    assert ended[5].score == max(epoch.score for epoch in epochs[5])


def test_who_joins_is_trained_as_from_the_start_and_disturbs_nobody():
    def answer(step):
        started = 1 in step.epochs and step.epochs[1].number == 2
        return PackAnswer(joins={9: request(9, depth=1)}) if started else None

    ended, epochs, yielded = drive_pack(BINARY, TASK, {1: request(1), 2: request(2)}, answer)
    assert [sorted(step.epochs) for step in yielded] == [[1, 2]] * 2 + [[1, 2, 9]] * 2 + [[9]] * 2
    for number in (1, 2, 9):
        alone, _ = drive(train(BINARY, TASK, request(number, depth=1 if number == 9 else 3)))
        assert len(epochs[number]) == 4
        assert find_gap(alone, ended[number], 1.0) < 1e-4


def test_who_cannot_be_trained_ends_at_once_and_a_stranger_is_refused():
    loss = {"loss": "mse"}
    ended, epochs, _ = drive_pack(BINARY, TASK, {1: request(1), 2: request(2, **loss)})
    assert isinstance(ended[2], SpecError)
    assert len(epochs[1]) == 4
    with pytest.raises(SpecError, match="do not share"):
        drive_pack(
            BINARY, TASK, {1: request(1)}, lambda _: PackAnswer(joins={2: request(2, width=64)})
        )
