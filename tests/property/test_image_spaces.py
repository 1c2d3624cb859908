"""Every configuration of the image spaces builds, runs, and has a line and boxes of its own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.models.catalog import get_space, render_architecture
from automl.models.image.describe import describe_image_network
from automl.models.image.macro import build_macro
from automl.models.image.macro_config import TOKEN_KINDS, parse_macro
from automl.models.image.macs import build_on_meta, count_macs, count_parameters
from automl.models.spaces import PRESETS
from automl.space.sampling import sample, validate_config
from tests.unit.models.image.shapes import Dice, build_shape, draw_macro, draw_pictures

SEEDS = st.integers(0, 2**32)
PLACES = [(preset, on_gpu) for preset in PRESETS for on_gpu in (False, True)]
SIDES = (8, 28, 64, 96)


@pytest.mark.parametrize(("preset", "on_gpu"), PLACES)
def test_200_samples_of_every_preset_build_and_run_at_32_pixels(preset, on_gpu):
    space, dice = get_space("cnn", preset, on_gpu=on_gpu, side=32), Dice(0)
    for index in range(200):
        config = sample(space, dice)
        validate_config(space, config)
        side = 32 if index % 10 else SIDES[index // 10 % len(SIDES)]
        network = build_macro(config, build_shape(side)).train()
        with torch.no_grad():
            logits = network(torch.zeros(2, 3, side, side))
        assert logits.shape == (2, 10)
        assert logits.isfinite().all()


@pytest.mark.parametrize("side", [8, 28, 32, 64])
def test_samples_train_a_step_on_real_pictures(side):
    torch.manual_seed(0)
    for seed in range(8):
        config = draw_macro(100 + seed, "quick", side=side)
        network = build_macro(config, build_shape(side)).to(memory_format=torch.channels_last)
        pictures = draw_pictures(4, side).contiguous(memory_format=torch.channels_last)
        network.fit_inputs(pictures)
        loss = torch.nn.functional.cross_entropy(network(pictures), torch.arange(4))
        loss.backward()
        assert loss.isfinite()
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


@given(seed=SEEDS, place=st.sampled_from(PLACES), side=st.sampled_from(SIDES))
@settings(max_examples=15, deadline=None)
def test_boxes_add_up_to_the_totals(seed, place, side):
    config = draw_macro(seed, place[0], on_gpu=place[1])
    shape = build_shape(side)
    rows = describe_image_network("cnn", config, shape)
    network = build_on_meta(lambda: build_macro(config, shape))
    assert sum(row["parameters"] for row in rows) == count_parameters(network)
    assert sum(row["macs"] for row in rows) == count_macs(network, (3, side, side))
    assert all(row["output"] and row["kind"] for row in rows)


def freeze_architecture(config):
    """What is built, apart from dropout and scale; the squeeze counts where a block has one."""
    parsed = parse_macro(config)
    squeezes = any(stage.kind not in TOKEN_KINDS for stage in parsed.stages)
    style = parsed.style
    return (parsed.stem, parsed.stages, parsed.head_pool, style.kernel, style.norm, style.activation, style.pool,
            style.squeeze if squeezes else 0, style.expansion, style.growth, style.n_layers)  # fmt: skip


@given(seed=SEEDS, place=st.sampled_from(PLACES), data=st.data())
@settings(max_examples=200, deadline=None)
def test_equal_lines_are_equal_architectures(seed, place, data):
    space = get_space("cnn", place[0], on_gpu=place[1])
    first = sample(space, Dice(seed))
    labels = sorted(label for label in first if label in space)
    label = data.draw(st.sampled_from(labels))  # the same but for one value drawn anew
    second = {**first, **_redraw(space, label, data.draw(SEEDS))}
    second = {key: value for key, value in second.items() if not _is_orphan(second, key)}
    validate_config(space, second)
    same_line = render_architecture("cnn", first) == render_architecture("cnn", second)
    assert same_line == (freeze_architecture(first) == freeze_architecture(second))


def _redraw(space, label, seed):
    return sample({label: space[label]}, Dice(seed))


def _is_orphan(config, key):
    """Whether a label hangs below a branch that is not chosen any more."""
    parts = key.split(".")
    return any(
        (parent := ".".join(parts[:end])) in config and config[parent] != parts[end]
        for end in range(1, len(parts))
    )
