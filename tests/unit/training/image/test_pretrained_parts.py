"""Layer-wise rates, soup and running statistics, alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from automl.errors import SpecError
from automl.models.image.pretrained import build_pretrained, number_stages
from automl.training.image.layer_decay import RATE_SHARE, build_groups, set_layer_rates
from automl.training.image.soup import Checkpoint, Checkpoints, average, cook, recompute_norms
from automl.training.image.tuned import parse_tuned
from tests.unit.training.image.pretrained_pictures import build_config, build_pictures

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def network():
    return build_pretrained(build_config("full"), build_pictures().shape)


def test_rates_fall_towards_the_stem(network) -> None:
    network.set_trainable("full")
    groups = build_groups(network, weight_decay=0.1, layer_decay=0.5)
    depths, n_stages = number_stages(network.backbone)
    shares = {id(t): group[RATE_SHARE] for group in groups for t in group["params"]}

    assert len(shares) == len(list(network.parameters()))
    for name, parameter in network.backbone.named_parameters():
        assert shares[id(parameter)] == 0.5 ** (n_stages + 1 - depths[name])
    assert shares[id(network.classifier.weight)] == 1
    decays = {id(t): group["weight_decay"] for group in groups for t in group["params"]}
    assert decays[id(network.backbone.bn1.weight)] == 0
    assert decays[id(network.classifier.bias)] == 0
    assert decays[id(network.backbone.conv_stem.weight)] == 0.1

    optimizer = torch.optim.AdamW(groups, lr=1.0)
    set_layer_rates(optimizer, 0.2)
    rates = {id(t): group["lr"] for group in optimizer.param_groups for t in group["params"]}
    assert rates[id(network.backbone.conv_stem.weight)] == 0.2 * 0.5 ** (n_stages + 1)


def test_only_what_learns_is_in_a_group(network) -> None:
    network.set_trainable("head")
    groups = build_groups(network, weight_decay=0.1, layer_decay=0.5)

    assert {id(t) for group in groups for t in group["params"]} == {
        id(parameter) for parameter in network.classifier.parameters()
    }


def test_a_soup_takes_what_helps_and_leaves_what_does_not() -> None:
    best, helps, harms = (
        Checkpoint(epoch=epoch, score=score, state={"w": torch.tensor([value])})
        for epoch, score, value in ((7, 0.9, 1.0), (3, 0.8, 3.0), (5, 0.7, 99.0))
    )

    def evaluate(state):
        return 1 - abs(float(state["w"]) - 2) / 100, state  # 2 is best

    soup = cook([best, harms, helps], evaluate)

    assert soup.epochs == (3, 7)
    assert float(soup.state["w"]) == 2
    assert soup.score == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=3), st.integers(0, 9))
def test_a_soup_is_never_worse_than_the_best(scores, seed) -> None:
    kept = Checkpoints()
    for epoch, score in enumerate(scores, start=1):
        kept.offer(epoch, score, {"w": torch.tensor([float(epoch)])})
    generator = torch.Generator().manual_seed(seed)

    soup = cook(kept.kept, lambda state: (float(torch.rand(1, generator=generator)), state))

    assert soup.score >= max(scores)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_the_best_few_are_kept_copied(scores) -> None:
    kept = Checkpoints()
    weight = torch.zeros(1)
    for epoch, score in enumerate(scores, start=1):
        weight.fill_(epoch)
        is_best = kept.offer(epoch, score, {"w": weight})
        assert is_best == (score > max(scores[: epoch - 1], default=-1))

    wanted = sorted(enumerate(scores, start=1), key=lambda pair: (-pair[1], pair[0]))[:3]
    assert [(point.epoch, point.score) for point in kept.kept] == wanted
    assert all(float(point.state["w"]) == point.epoch for point in kept.kept)


def test_means_keep_types_and_counters() -> None:
    first = {"w": torch.tensor([1.0]), "n": torch.tensor(4)}
    second = {"w": torch.tensor([2.0]), "n": torch.tensor(9)}

    mean = average([first, second])

    assert mean["w"].dtype is torch.float32
    assert float(mean["w"]) == 1.5
    assert int(mean["n"]) == 4


def test_running_statistics_are_those_of_the_pictures_shown() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3))
    batches = [torch.randn(8, 3, 4, 4) * 5 + 2 for _ in range(4)]

    assert recompute_norms(network, batches) == 1

    shown = torch.cat(batches)
    torch.testing.assert_close(
        network[0].running_mean, shown.mean(dim=(0, 2, 3)), atol=1e-4, rtol=1e-4
    )
    assert network[0].momentum == 0.1
    assert network.training


def test_frozen_norms_keep_their_statistics() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3))
    network.requires_grad_(requires_grad=False)

    assert recompute_norms(network, [torch.ones(2, 3, 4, 4)]) == 0
    assert not network[0].running_mean.any()


@pytest.mark.parametrize(
    "change",
    [
        {"mode.tuned.part": "tail"},
        {"mode.tuned.part.full.layer_decay": 0.0},
        {"mode.tuned.lr": -1.0},
        {"mode.tuned.flip": "upside"},
        {"mode.tuned.soup": "yes"},
    ],
)
def test_foreign_labels_are_refused(change) -> None:
    with pytest.raises(SpecError):
        parse_tuned(build_config("full") | change)


def test_a_gradual_tuning_begins_with_the_head() -> None:
    assert parse_tuned(build_config("gradual", epochs=12)).n_head_epochs == 3
    assert parse_tuned(build_config("gradual", epochs=4)).n_head_epochs == 2
    assert parse_tuned(build_config("gradual", epochs=1)).n_head_epochs == 1
    assert parse_tuned(build_config("full", epochs=12)).n_head_epochs == 0
