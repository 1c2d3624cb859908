"""A screen counts what the network really has, and does not change the training after it."""

import pytest
import torch
from torch import nn

from automl.errors import SpecError
from automl.models.catalog import FAMILIES, resolve_build
from automl.training import screening
from automl.training.run import train
from automl.training.screening import probe_step, screen
from tests.unit.training import tables
from tests.unit.training.image.pictures import build_prepared, build_request

PREPARED = build_prepared(n=160, side=16)
TASK = tables.build_task(tables.TaskType.MULTICLASS)


@pytest.mark.parametrize("family", ["small_cnn", "cnn"])
def test_counts_are_those_of_the_built_network(family):
    config = FAMILIES[family].default
    found = screen(PREPARED, TASK, build_request(family, config))
    network = resolve_build(family)(config, PREPARED.shape)
    assert found.parameters == sum(weight.numel() for weight in network.parameters())
    assert found.macs > found.parameters / 10
    assert found.latency_ms > 0
    assert found.proxy > 0
    assert found.picture_seconds > 0


def test_two_screens_count_and_probe_the_same():
    request = build_request("cnn", FAMILIES["cnn"].default, seed=3)
    first, second = (screen(PREPARED, TASK, request) for _ in range(2))
    assert (first.parameters, first.macs, first.proxy) == (
        second.parameters, second.macs, second.proxy,
    )  # fmt: skip


def test_the_probe_sees_every_class_and_every_network_the_same():
    prepared = build_prepared(n=600, side=8, in_order=True)
    requests = [build_request("small_cnn", {}, seed=seed) for seed in (1, 2)]
    batches = [
        screening._take_batch(prepared, request, torch.device("cpu")) for request in requests
    ]
    counts = torch.bincount(batches[0][1], minlength=3)
    assert counts.min() >= 0.15 * len(batches[0][1]), counts  # about a third of the pictures each
    for first, second in zip(*batches, strict=True):
        assert torch.equal(first, second)


def test_training_after_a_screen_is_training_without_one():
    request = build_request("small_cnn", {}, max_epochs=1)
    plain, _ = tables.drive(train(PREPARED, TASK, request))
    screen(PREPARED, TASK, request)
    after, _ = tables.drive(train(PREPARED, TASK, request))
    assert plain.score == after.score


def test_a_gradient_that_is_no_number_is_the_weakest():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, pictures):
            return pictures.flatten(1)[:, :3] * self.weight / 0

    pictures = torch.ones(4, 3, 8, 8)
    proxy, seconds = probe_step(Broken(), pictures, torch.zeros(4, dtype=torch.int64))
    assert proxy == 0.0
    assert seconds >= 0


def test_a_slow_network_is_timed_three_times_only(monkeypatch):
    monkeypatch.setattr(screening, "MOST_SECONDS", 0.0)
    calls = []
    screening._repeat(lambda: calls.append(1), 25, torch.device("cpu"))
    assert len(calls) == screening.LEAST_TIMED


def test_a_table_is_not_screened():
    prepared = tables.build_prepared(tables.TaskType.MULTICLASS)
    with pytest.raises(SpecError, match="no pictures"):
        screen(prepared, TASK, build_request("small_cnn", {}))
