import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from automl.data.views import Part
from automl.training.packs import steps as pack_steps
from automl.training.packs.pack import Pack
from automl.training.packs.records import PackRequest
from automl.training.run import train
from automl.training.scoring import Scorer
from tests.unit.training.packs.drive import drive_pack, vary
from tests.unit.training.tables import (
    SMALL_MLP,
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

BINARY, TASK = build_prepared(TaskType.BINARY), build_task(TaskType.BINARY)
NORMS = ("none", "batch", "layer")


def start_pack(requests, n_epochs=2):
    pack = Pack(BINARY, TASK, PackRequest(members=requests))
    for _ in range(n_epochs):
        pack.train_epoch()
    return pack, pack._program


def get_rows(program):
    storage = program.storage
    return (storage.value, storage.first, storage.second)


@pytest.mark.parametrize("family", ["mlp", "resnet"])
def test_padding_stays_exactly_zero(family):
    _, program = start_pack(vary(family, TaskType.BINARY, NORMS[family == "resnet" :]))
    layout = program.layout
    own = torch.zeros_like(program.storage.value)
    for member in range(len(program.places)):
        state = layout.read(program.storage.value, member)
        layout.write(own, member, {name: torch.ones_like(value) for name, value in state.items()})
    assert 0 < int((own == 0).sum()) < own.numel()
    for rows in get_rows(program):
        assert not rows[own == 0].any()
        assert rows[own == 1].any()


def test_who_stays_when_others_leave_keeps_every_bit():
    pack, program = start_pack(vary("mlp", TaskType.BINARY, NORMS))
    before = {number: program.take_snapshot(place) for place, number in enumerate(pack._order)}
    kept = pack._order[2::3][-4:]  # none of the deepest
    for number in set(pack._order) - set(kept):
        del pack.members[number]
    smaller = pack._build_program()
    assert smaller is not program
    assert smaller.layout.slots.keys() < program.layout.slots.keys()
    for place, number in enumerate(pack._order):
        old, new = before[number], smaller.take_snapshot(place)
        assert old.n_updates == new.n_updates == 24
        for name in ("weights", "first", "second", "statistics"):
            one, other = getattr(old, name), getattr(new, name)
            assert one.keys() == other.keys()
            assert all(torch.equal(one[key], other[key]) for key in one), name


def test_neighbours_and_places_change_nothing_dropout_included():
    base = SMALL_MLP | {"dropout": 0.3, "norm": "layer"}
    mine = {
        3: build_request("mlp", base, seed=3),
        5: build_request("mlp", base | {"width": 24}, seed=5),
    }
    strangers = {
        1: build_request("mlp", base | {"depth": 1, "activation": "relu", "dropout": 0.5}, seed=1),
        8: build_request("mlp", base | {"depth": 4, "norm": "none", "dropout": 0.0}, seed=8),
    }
    few, _, _ = drive_pack(BINARY, TASK, mine)
    many, _, _ = drive_pack(BINARY, TASK, strangers | {7: replace(mine[3]), 2: replace(mine[5])})
    for here, there in ((3, 7), (5, 2)):
        gap = np.abs(few[here].select_prediction - many[there].select_prediction).max()
        assert gap < 1e-4
    again, _, _ = drive_pack(BINARY, TASK, mine)
    assert all(np.array_equal(few[n].select_prediction, again[n].select_prediction) for n in mine)


def test_dropout_drops_its_share_and_keeps_the_mean():
    _, program = start_pack({1: build_request("mlp", SMALL_MLP | {"dropout": 0.3})}, 1)
    layer = program.body.layers[0].dropout
    dropped = layer.forward(torch.ones(1, 4000, 32), program._draw)
    share = float((dropped == 0).float().mean())
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / dropped.numel()) ** 0.5
    assert float(dropped.max()) == pytest.approx(1 / 0.7, rel=1e-4)


def test_batch_norm_learns_as_alone():
    """With SGD to the last digits; AdamW makes full steps of the rounding noise that is the gradient of a bias
    before batch norm, so only what does not depend on that is compared."""
    requests = vary("mlp", TaskType.BINARY, ("batch",))
    ended, epochs, _ = drive_pack(BINARY, TASK, requests)
    for number, one in requests.items():
        alone, alone_epochs = drive(train(BINARY, TASK, one))
        losses = [epoch.train_loss for epoch in epochs[number]]
        assert losses == pytest.approx([epoch.train_loss for epoch in alone_epochs], rel=1e-4)
        if one.config["optimizer"] == "sgd":
            gap = np.abs(alone.select_prediction - ended[number].select_prediction).max()
            assert gap < 1e-4


def test_a_last_batch_of_one_row_is_left_out_by_batch_norm_only():
    parts = BINARY.parts | {Part.TRAIN: BINARY.parts[Part.TRAIN][:65]}
    prepared = replace(BINARY, parts=parts)
    requests = {
        index: build_request("mlp", SMALL_MLP | {"norm": norm, "dropout": 0.0}, max_epochs=2)
        for index, norm in enumerate(NORMS)
    }
    _, epochs, _ = drive_pack(prepared, TASK, requests)
    for number, one in requests.items():
        _, alone = drive(train(prepared, TASK, one))
        for own, other in zip(epochs[number], alone, strict=True):
            assert own.learning_rate == other.learning_rate
            assert own.train_loss == pytest.approx(other.train_loss, rel=1e-4)
            assert own.update_ratio == pytest.approx(other.update_ratio, rel=1e-3)


def test_patience_ends_a_member_and_the_best_epoch_is_restored(monkeypatch):
    seen = []

    def fall(self, prediction):
        seen.append(prediction.copy())
        return -float(len(seen))

    monkeypatch.setattr(Scorer, "compute_score", fall)
    request = build_request("mlp", SMALL_MLP | {"epochs": 40}, max_epochs=40)
    ended, epochs, _ = drive_pack(BINARY, TASK, {1: request})
    assert len(epochs[1]) == 17
    assert [epoch.is_best for epoch in epochs[1]] == [True] + [False] * 16
    assert (ended[1].best_epoch, ended[1].n_epochs) == (1, 17)
    assert np.allclose(ended[1].select_prediction, seen[0], atol=1e-6)


def test_a_deadline_in_the_first_epoch_still_gives_models(monkeypatch):
    monkeypatch.setattr(pack_steps, "CHECK_STEPS", 1)
    late = time.monotonic() - 1
    requests = {
        seed: build_request("mlp", SMALL_MLP, seed=seed, batch_size=8, deadline=late)
        for seed in (1, 2)
    }
    ended, epochs, _ = drive_pack(BINARY, TASK, requests)
    for number in requests:
        assert len(epochs[number]) == 1
        assert ended[number].score == epochs[number][0].score
        assert ended[number].warnings[0] == "Time ran out in epoch 1 of 6."


def test_time_is_shared_out_and_waiting_is_nobodys():
    started = time.monotonic()

    def wait(step):
        time.sleep(0.2)

    requests = {seed: build_request("mlp", SMALL_MLP, seed=seed, max_epochs=2) for seed in (1, 2)}
    ended, epochs, yielded = drive_pack(BINARY, TASK, requests, wait)
    worked = time.monotonic() - started - 0.2 * len(yielded)
    assert sum(one.fit_seconds for one in ended.values()) < worked
    for number, one in ended.items():
        assert one.fit_seconds == pytest.approx(sum(e.seconds for e in epochs[number]))
