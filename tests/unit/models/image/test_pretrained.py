"""Backbones: facts, networks, weights loaded strictly through the real path."""

import builtins
import socket

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from automl.data.views import ViewShape
from automl.errors import DataError, SpecError
from automl.models.image.backbone_loading import load_weights
from automl.models.image.backbones import BACKBONES, UNKNOWN_LICENCE, get_backbone
from automl.models.image.pretrained import (
    PretrainedTransformer,
    build_pretrained,
    number_stages,
    parse_pretrained,
)
from automl.models.image.weights import import_timm
from tests.unit.training.image.pretrained_pictures import SMALL, VIT, build_config, write_weights

torch.set_num_threads(1)


def build_shape(channels: int = 3) -> ViewShape:
    return ViewShape(
        n_raw=0, n_quantile=0, n_quantile_numeric=0, cardinalities=(), n_outputs=4, side=16,
        channels=channels, image_mean=(0.4, 0.5, 0.6)[:channels], image_std=(0.2, 0.3, 0.1)[:channels],
    )  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def network():
    return build_pretrained(build_config("frozen"), build_shape())


@pytest.mark.parametrize("tag", list(BACKBONES))
def test_facts_are_those_of_timm(tag) -> None:
    backbone, cfg = BACKBONES[tag], timm.get_pretrained_cfg(tag)

    assert cfg is not None
    assert (backbone.mean, backbone.std) == (tuple(cfg.mean), tuple(cfg.std))
    assert backbone.side == cfg.input_size[1]
    assert backbone.licence == (cfg.license or UNKNOWN_LICENCE)
    assert backbone.hub == cfg.hf_hub_id
    assert backbone.fit_side(backbone.side) == backbone.side


def test_the_list_goes_from_small_to_large_and_counts_are_true() -> None:
    for tag in (SMALL, VIT, "resnet18.a1_in1k"):
        with torch.device("meta"):
            body = timm.create_model(tag, pretrained=False, num_classes=0)
        counted = sum(parameter.numel() for parameter in body.parameters()) / 1e6
        assert BACKBONES[tag].millions == pytest.approx(counted, abs=0.06)
    assert len(BACKBONES) <= 15


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("tag", [SMALL, VIT])
def test_any_size_and_both_channels(tag, channels) -> None:
    network = build_pretrained(build_config("frozen", tag), build_shape(channels)).eval()
    with torch.inference_mode():
        for side in (8, 16, 100):
            pictures = torch.randn(2, channels, side, side)
            maps = network.features(pictures)
            assert maps.ndim == 4
            assert network.head(maps).shape == (2, 4)
            assert network.pool(maps).shape == (2, network.d_features)


def test_pictures_are_normalised_with_the_statistics_of_the_backbone(network) -> None:
    pixels = torch.rand(2, 3, 64, 64)
    shape = build_shape()
    mean, std = (torch.tensor(v).reshape(-1, 1, 1) for v in (shape.image_mean, shape.image_std))
    backbone = get_backbone(SMALL)
    own_mean, own_std = (torch.tensor(v).reshape(-1, 1, 1) for v in (backbone.mean, backbone.std))

    adapted = network.adapt((pixels - mean) / std)

    torch.testing.assert_close(adapted, (pixels - own_mean) / own_std, atol=1e-5, rtol=1e-5)


def test_large_batches_go_through_in_pieces(network, monkeypatch) -> None:
    network.eval()
    pictures = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = network.features(pictures)
        monkeypatch.setattr(type(network), "_count_chunk", lambda *_: 2)
        # Pieces take other kernels than the whole: many layers of rounding apart, never a picture apart.
        torch.testing.assert_close(network.features(pictures), whole, atol=1e-3, rtol=1e-3)
    assert (whole[0] - whole[1]).abs().max() > 0.1


def test_attention_maps_are_those_of_the_network(monkeypatch) -> None:
    network = build_pretrained(build_config("frozen", VIT), build_shape()).eval()
    assert isinstance(network, PretrainedTransformer)
    pictures = torch.randn(2, 3, 16, 16)
    seen = []
    block = network.backbone.blocks[3].attn
    block.fused_attn = False
    block.attn_drop.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0]))
    with torch.inference_mode():
        maps = network.attention_maps(pictures)
        seen.clear()
        network.features(pictures)

    assert len(maps) == 12
    assert maps[0].shape == (2, 3, 17, 17)
    torch.testing.assert_close(maps[3].sum(-1), torch.ones(2, 3, 17))
    torch.testing.assert_close(maps[3], seen[0], atol=1e-4, rtol=1e-3)


def test_frozen_parts_stay_in_evaluation_mode(network) -> None:
    network.set_trainable("last_stage")
    network.train()
    depths, n_stages = number_stages(network.backbone)

    assert not network.backbone.bn1.training
    assert network.backbone.blocks[-1].training
    assert {name for name, p in network.backbone.named_parameters() if p.requires_grad} == {
        name for name, depth in depths.items() if depth >= n_stages
    }
    network.set_trainable("full")
    assert network.backbone.bn1.training
    assert network.count_trainable() == sum(p.numel() for p in network.parameters())


def test_weights_are_loaded_through_the_real_path(file, network) -> None:
    load_weights(network, get_backbone(SMALL), file)

    stored = load_file(file)
    for name, tensor in network.backbone.state_dict().items():
        assert torch.equal(tensor, stored[name])


def test_positions_of_a_transformer_fit_another_side(tmp_path) -> None:
    path = write_weights(tmp_path, VIT)
    network = build_pretrained(build_config("frozen", VIT, input_side=96), build_shape())

    load_weights(network, get_backbone(VIT), path)

    assert network.backbone.pos_embed.shape == (1, 37, 192)
    stored = load_file(path)["blocks.0.attn.qkv.weight"]
    assert torch.equal(network.backbone.blocks[0].attn.qkv.weight, stored)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("blocks.0.0.conv.weight"), "lacks the tensor 'blocks.0.0.conv.weight'"),
        (lambda s: s.update(planted=torch.zeros(2)), "foreign tensor 'planted'"),
        (
            lambda s: s.update({"conv_stem.weight": torch.zeros(2, 2)}),
            r"'conv_stem.weight' in the shape \(2, 2\) instead of \(32, 3, 3, 3\)",
        ),
        (lambda s: s["conv_stem.weight"].fill_(float("nan")), "not finite"),
    ],
)
def test_foreign_weights_are_named(file, network, tmp_path, change, words) -> None:
    state = load_file(file)
    change(state)
    path = tmp_path / file.name
    save_file(state, path)

    with pytest.raises(DataError, match=words):
        load_weights(network, get_backbone(SMALL), path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" * 9, b"\x80\x04pickle" * 20])
def test_other_formats_are_refused(network, tmp_path, content) -> None:
    path = tmp_path / f"{SMALL}.safetensors"
    path.write_bytes(content)

    with pytest.raises(DataError, match="safetensors"):
        load_weights(network, get_backbone(SMALL), path)


def test_building_uses_no_network(monkeypatch) -> None:
    def forbid(*_, **__):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", forbid)
    monkeypatch.setattr(socket, "getaddrinfo", forbid)
    build_pretrained(build_config("frozen"), build_shape())


@pytest.mark.parametrize(
    "error",
    [RuntimeError("operator torchvision::nms does not exist\nmore"), ImportError("no timm")],
)
def test_a_timm_that_does_not_fit_costs_one_line(monkeypatch, error) -> None:
    real = builtins.__import__

    def planted(name, *arguments, **keywords):
        if name == "timm":
            raise error
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", planted)
    with pytest.raises(DataError, match="Pretrained networks are left out") as caught:
        import_timm()
    assert "\n" not in caught.value.message


def test_foreign_labels_are_refused() -> None:
    config = build_config("frozen")
    for change in ({"backbone": "resnet9000"}, {"classifier": "tree"}, {"input_side": 4096}):
        with pytest.raises(SpecError):
            parse_pretrained(config | change)
    with pytest.raises(SpecError, match="2"):
        build_pretrained(
            config,
            ViewShape(
                n_raw=0,
                n_quantile=0,
                n_quantile_numeric=0,
                cardinalities=(),
                n_outputs=2,
                side=8,
                channels=2,
                image_mean=(0.5, 0.5),
                image_std=(0.5, 0.5),
            ),
        )


def test_depths_rise_from_stem_to_tail() -> None:
    for tag in (SMALL, VIT, "resnet18.a1_in1k", "convnext_tiny.in12k_ft_in1k"):
        with torch.device("meta"):
            body = timm.create_model(tag, pretrained=False, num_classes=0)
        depths, n_stages = number_stages(body)
        ordered = list(depths.values())
        assert ordered == sorted(ordered)
        assert set(ordered) >= set(range(n_stages + 1))
        assert np.max(ordered) <= n_stages + 1
