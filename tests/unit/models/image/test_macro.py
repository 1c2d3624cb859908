from itertools import pairwise

import pytest
import torch
from torch import nn

from automl.errors import SpecError
from automl.models.catalog import get_space, render_architecture
from automl.models.image.attention import Attention
from automl.models.image.blocks import Residual
from automl.models.image.layers import Halve, SqueezeExcitation, build_norm, count_groups
from automl.models.image.macro import MacroTransformer, build_macro
from automl.models.image.macro_config import compute_reduction, parse_macro
from automl.models.image.macs import build_on_meta, count_macs
from automl.models.spaces import PRESETS
from automl.space.sampling import flatten
from tests.unit.models.image.shapes import (
    build_config,
    build_shape,
    draw_macro,
    draw_pictures,
    list_unreached,
    wake,
)

KINDS = ("plain", "residual", "bottleneck", "separable", "inverted", "dense", "inception",
         "attention", "mixer")  # fmt: skip


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def test_every_kind_of_block_is_declared():
    assert tuple(get_space("cnn")["block"].branches) == KINDS


def test_labels_are_the_same_in_every_preset_on_a_cpu():
    labels = {tuple(line.label for line in flatten(get_space("cnn", each))) for each in PRESETS}
    assert len(labels) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_the_gradient_reaches_every_parameter(kind, norm):
    config = build_config(kind, norm=norm, squeeze=8, stage2__blocks=2)
    network = build_macro(config, build_shape())
    wake(network)
    assert list_unreached(network, draw_pictures()) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [8, 28, 64, 100])
def test_a_network_reads_the_side_it_was_built_for_and_any_other(kind, side):
    network = build_macro(build_config(kind, last="mixer"), build_shape(side, channels=1)).eval()
    for other in (8, 21, side):
        pictures = draw_pictures(2, other, channels=1)
        features = network.features(pictures)
        assert features.ndim == 4
        torch.testing.assert_close(network(pictures), network.head(features))
        assert network(pictures).shape == (2, 10)


@pytest.mark.parametrize("kind", ["residual", "bottleneck", "inverted"])
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_a_fresh_residual_block_is_the_identity_in_every_stage(kind, norm):
    network = build_macro(build_config(kind, norm=norm, squeeze=8), build_shape())
    blocks = [module for module in network.modules() if isinstance(module, Residual)]
    assert len(blocks) == 3
    for block in blocks:
        width = next(m.weight.shape[0] for m in reversed([*block.modules()]) if hasattr(m, "eps"))
        x = torch.randn(4, width, 6, 6)
        assert torch.equal(block(x), x)


def test_no_convolution_before_a_norm_has_a_bias():
    for kind in KINDS:
        modules = [*build_macro(build_config(kind), build_shape()).modules()]
        for before, after in pairwise(modules):
            if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                assert before.bias is None


def test_a_plain_stage_on_a_whitened_stem_is_the_airbench_group():
    network = build_macro(build_config("plain", stem="whiten"), build_shape())
    leaves = [m for m in network.stages[1].modules() if not [*m.children()]]
    assert [type(m) for m in leaves] == [
        nn.Conv2d, Halve, nn.BatchNorm2d, nn.GELU, nn.Conv2d, nn.BatchNorm2d, nn.GELU,
    ]  # fmt: skip
    assert network.features(draw_pictures()).shape[-2:] == (3, 3)  # 31, 15, 7, 3
    weight = network.stages[2][0][
        0
    ].weight  # 32 channels in: the first 32 filters hand them through
    passed = nn.functional.conv2d(torch.ones(1, 32, 5, 5), weight, padding=1)
    assert torch.allclose(passed[0, :32, 2, 2], torch.ones(32))


def test_tiny_pictures_are_halved_less_often():
    config = build_config("plain")
    sides = {s: build_macro(config, build_shape(s)).features(draw_pictures(2, s)).shape[-1]
             for s in (8, 16, 32)}  # fmt: skip
    assert sides == {8: 3, 16: 3, 32: 3}


def test_large_pictures_shrink_in_the_stem():
    stages = parse_macro(build_config("plain")).stages
    assert [compute_reduction(side, stages) for side in (64, 96, 288)] == [1, 2, 4]
    tokens = parse_macro(build_config("attention")).stages
    assert [compute_reduction(side, tokens) for side in (32, 64, 288)] == [1, 2, 16]


def test_depth_and_kind_are_searched():
    parsed = [parse_macro(draw_macro(seed)) for seed in range(40)]
    assert {len(each.stages) for each in parsed} == {2, 3}
    assert {each.stages[0].kind for each in parsed} == set(KINDS)
    assert {stage.n_blocks for each in parsed for stage in each.stages} == {1, 2}
    assert any(each.stages[-1].kind != each.stages[0].kind for each in parsed)
    deepest = [len(parse_macro(draw_macro(seed, on_gpu=True)).stages) for seed in range(40)]
    assert max(deepest) == 4


def test_whitened_patches_are_uncorrelated_with_deviation_one():
    network = build_macro(build_config("plain", stem="whiten"), build_shape())
    rough = draw_pictures(64)
    smooth = nn.functional.avg_pool2d(rough, 3, stride=1, padding=1) + rough.mean(1, keepdim=True)
    network.fit_inputs(smooth)
    out = network.stem[0](smooth)
    codes = out[:, :12].transpose(0, 1).flatten(1)
    torch.testing.assert_close(codes @ codes.T / codes.shape[1], torch.eye(12), atol=0.06, rtol=0)
    torch.testing.assert_close(out[:, 12:], -out[:, :12])


def test_the_whitening_filters_are_frozen_and_saved():
    network = build_macro(build_config("plain", stem="whiten"), build_shape())
    assert "stem.0.weight" in network.state_dict()
    assert "stem.0.weight" not in dict(network.named_parameters())
    assert "stem.0.bias" in dict(network.named_parameters())


def test_whitening_survives_pictures_without_any_spread():
    network = build_macro(build_config("plain", stem="whiten"), build_shape())
    network.fit_inputs(torch.zeros(5, 3, 32, 32))
    assert network(draw_pictures()).isfinite().all()


def test_fitting_inputs_leaves_other_stems_alone():
    network = build_macro(build_config("plain", stem="conv3"), build_shape())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.fit_inputs(draw_pictures())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_attention_without_positions_follows_a_permutation_of_its_tokens():
    attention = Attention(64, 2)
    tokens, order = torch.randn(3, 9, 64), torch.randperm(9)
    torch.testing.assert_close(attention(tokens[:, order]), attention(tokens)[:, order])


def test_attention_agrees_with_its_weights_and_keeps_heads_apart():
    attention = Attention(64, 2)
    tokens = torch.randn(3, 9, 64)
    weights = attention.compute_weights(tokens)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, 9))
    value = attention._split(tokens)[2]
    joined = (weights @ value).transpose(1, 2).flatten(2)
    torch.testing.assert_close(attention.project(joined), attention(tokens))


def test_only_networks_whose_last_stage_attends_have_attention_maps():
    assert not hasattr(
        build_macro(build_config("attention", last="mixer"), build_shape()), "attention_maps"
    )
    network = build_macro(
        build_config("residual", last="attention", stage3__on__blocks=2), build_shape()
    ).eval()
    assert isinstance(network, MacroTransformer)
    pictures = draw_pictures(2)
    maps, (height, width) = network.attention_maps(pictures), network.features(pictures).shape[-2:]
    assert [each.shape for each in maps] == [(2, 1, height * width, height * width)] * 2
    torch.testing.assert_close(maps[0].sum(-1), torch.ones(2, 1, height * width))


def test_squeeze_excitation_adds_the_computed_parameters():
    def count(module):
        return sum(p.numel() for p in module.parameters())

    plain, squeezed = (
        build_macro(build_config("plain", squeeze=ratio), build_shape()) for ratio in (0, 8)
    )
    added = sum(count(m) for m in squeezed.modules() if isinstance(m, SqueezeExcitation))
    assert count(squeezed) - count(plain) == added
    assert added == sum(2 * w * max(4, w // 8) + w + max(4, w // 8) for w in (16, 32, 32))


def test_group_norm_has_more_than_one_group_and_never_a_channel_alone():
    assert [count_groups(width) for width in (4, 8, 24, 64, 512)] == [1, 2, 6, 16, 32]


def test_group_norm_does_not_look_at_other_pictures():
    norm, x = build_norm("group", 16), torch.randn(4, 16, 3, 3)
    torch.testing.assert_close(norm(x)[:1], norm(x[:1]))


def test_blur_halves_up_and_keeps_a_constant():
    x = torch.ones(1, 4, 7, 7)
    assert torch.equal(Halve("blur")(x), torch.ones(1, 4, 4, 4))
    assert Halve("max")(x).shape[-1] == 3
    assert Halve("max")(x[..., :1, :1]).shape[-1] == 1


def test_foreign_words_are_refused():
    for change in (
        {"norm": "layer"},
        {"activation": "tanh"},
        {"head.pool": "median"},
        {"pool": "mean"},
    ):
        with pytest.raises(SpecError, match=next(iter(change.values()))):
            build_macro({**build_config(), **change}, build_shape())


def test_quick_networks_are_cheap_on_a_cpu():
    networks = [
        build_on_meta(lambda seed=seed: build_macro(draw_macro(seed, "quick"), build_shape()))
        for seed in range(41)
    ]
    macs = sorted(count_macs(network, (3, 32, 32)) for network in networks)
    assert macs[20] < 13e6
    assert macs[-1] < 80e6


def test_dropout_and_scale_are_no_architecture():
    line = render_architecture("cnn", build_config())
    assert line == ("CNN whiten, 3 stages plain 16-32-32 × 1-1-1, 3×3, batch norm, gelu, max pool")
    assert render_architecture("cnn", build_config(head__dropout=0.3, head__scale=0.125)) == line
