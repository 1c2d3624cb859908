import pytest
import torch
from torch import nn

from automl.errors import SpecError
from automl.models.catalog import get_space, render_architecture
from automl.models.image.classic import Plan, build_classic
from automl.models.image.classic_early import Inception
from automl.models.image.classic_mobile import InvertedResidual, Row, ShuffleUnit
from automl.models.image.classic_residual import BasicBlock, PreActBlock
from automl.models.image.classic_space import CLASSICS, find_caution
from automl.models.image.classic_tokens import Tokens, build_mixer, build_vit, choose_patch
from automl.models.image.macs import build_on_meta, count_macs, count_parameters
from automl.models.image.weights import import_timm
from automl.space.dimensions import Choice
from tests.unit.models.image.shapes import build_shape, draw_pictures, list_unreached, wake


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def build_named(name, side, n_outputs=1000, channels=3, width=1.0):
    shape = build_shape(side, channels, n_outputs)
    return build_on_meta(lambda: build_classic({"name": name, "width": width}, shape))


@pytest.mark.parametrize(
    ("name", "side", "n_outputs", "n_parameters"),
    [
        ("alexnet", 227, 1000, 60_965_224),
        ("resnet18", 224, 1000, 11_689_512),
        ("resnet18", 32, 10, 11_173_962),
        ("se_resnet18", 224, 1000, 11_778_592),
        ("wrn16_4", 32, 10, 2_748_890),
        ("densenet_bc", 224, 1000, 7_978_856),
        ("densenet_bc", 32, 10, 176_122),
        ("mobilenet_v1", 224, 1000, 4_231_976),
        ("mobilenet_v2", 224, 1000, 3_504_872),
        ("mobilenet_v3_small", 224, 1000, 2_542_856),
        ("shufflenet_v2", 224, 1000, 2_278_604),
        ("efficientnet_b0", 224, 1000, 5_288_548),
    ],
)
def test_parameters_are_those_of_the_papers(name, side, n_outputs, n_parameters):
    assert count_parameters(build_named(name, side, n_outputs)) == n_parameters


def test_lenet_5_has_61706_parameters():
    assert count_parameters(build_named("lenet5", 32, 10, channels=1)) == 61_706


def test_vit_b16_lacks_only_the_class_token_and_its_position():
    plan = Plan(side=224, channels=3, n_outputs=1000)
    ours = build_on_meta(
        lambda: build_vit(plan, Tokens(width=768, n_layers=12, n_heads=12, hidden=3072))
    )
    assert count_parameters(ours) == 86_567_656 - 2 * 768


@pytest.mark.parametrize(
    ("width", "n_layers", "hidden", "n_parameters"),
    [(512, 8, (256, 2048), 18_528_264), (768, 12, (384, 3072), 59_880_472)],
)
def test_mixers_have_the_parameters_of_the_paper(width, n_layers, hidden, n_parameters):
    plan = Plan(side=224, channels=3, n_outputs=1000)
    ours = build_on_meta(lambda: build_mixer(plan, width, n_layers, hidden))
    assert count_parameters(ours) == n_parameters


@pytest.mark.parametrize(
    ("name", "n_parameters"),
    [
        ("vgg16", 138_357_544),
        ("vgg16_bn", 138_365_992),
        ("resnet50", 25_557_032),
        ("vit_base_patch16_224", 86_567_656),
        ("swin_tiny_patch4_window7_224", 28_288_354),
    ],
)
def test_what_only_timm_offers_has_the_published_size(name, n_parameters):
    timm = import_timm()
    network = build_on_meta(lambda: timm.create_model(name, pretrained=False))
    assert count_parameters(network) == n_parameters


@pytest.mark.parametrize(
    ("name", "macs"), [("resnet18", 1_814_073_344), ("mobilenet_v2", 300_774_272)]
)
def test_multiply_adds_are_the_published_ones(name, macs):
    assert count_macs(build_named(name, 224), (3, 224, 224)) == macs


def test_vgg_keeps_the_convolutions_of_the_original():
    convolutions = [m for m in build_named("vgg11_bn", 224).modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [64, 128, 256, 256, 512, 512, 512, 512]
    assert sum(c.weight.numel() for c in convolutions) == 9_217_728


@pytest.mark.parametrize("name", CLASSICS)
def test_every_name_reads_any_side_and_the_gradient_reaches_all(name):
    shape = build_shape(28, channels=1)
    network = build_classic({"name": name, "width": 0.25}, shape)
    wake(network)
    assert list_unreached(network, draw_pictures(4, 28, channels=1)) == []
    network.eval()
    for side in (8, 28, 40):
        assert network(draw_pictures(2, side, channels=1)).shape == (2, 10)


@pytest.mark.parametrize("name", CLASSICS)
@pytest.mark.parametrize("side", [8, 64, 96, 288])
def test_every_name_is_built_for_any_side(name, side):
    network = build_named(name, side, 7, width=0.5)
    for other in (8, side):
        assert network(torch.empty(2, 3, other, other, device="meta")).shape == (2, 7)


@pytest.mark.parametrize("name", CLASSICS)
def test_a_smaller_width_is_a_smaller_network(name):
    sizes = [count_parameters(build_named(name, 32, 10, width=w)) for w in (0.25, 0.5, 1.0)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1] / 2 < sizes[2] / 4


def test_small_pictures_keep_their_pixels_in_the_stem():
    small, large = (build_named("resnet18", side, 10) for side in (95, 96))
    assert small.body.stem(torch.empty(1, 3, 32, 32, device="meta")).shape[-1] == 32
    assert large.body.stem(torch.empty(1, 3, 96, 96, device="meta")).shape[-1] == 24


@pytest.mark.parametrize(
    "block",
    [
        PreActBlock(16, 16, stride=1),
        InvertedResidual(
            16,
            Row(kernel=3, expanded=32, width=16, stride=1, activation="relu", hidden=4),
            nn.Sigmoid,
        ),
    ],
)
def test_a_fresh_residual_block_is_the_identity(block):
    x = torch.randn(4, 16, 5, 5)
    assert torch.equal(block(x), x)


def test_a_fresh_basic_block_is_the_identity_before_its_last_relu():
    x = torch.randn(4, 16, 5, 5)
    for squeeze in (0, 8):
        assert torch.equal(BasicBlock(16, 16, stride=1, squeeze=squeeze)(x), x.relu())


def test_an_inception_block_is_not_linear_and_its_branches_add_up():
    block = Inception(16, (4, 4, 8, 4, 8, 12)).eval()
    x = torch.randn(2, 16, 6, 6)
    assert block(x).shape[1] == 4 + 8 + 8 + 12
    assert not torch.allclose(block(-x), -block(x), atol=1e-3)


def test_shuffle_interleaves_both_halves():
    unit = ShuffleUnit(8, 8, stride=1, changes=False).eval()
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(unit(x)[:, ::2], x[:, :4])


def test_alexnet_has_groups_and_local_response_norm():
    network = build_named("alexnet", 227)
    groups = [m.groups for m in network.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in network.modules() if isinstance(m, nn.LocalResponseNorm)]
    assert groups == [1, 2, 1, 2, 2]
    assert [(n.size, n.alpha, n.beta, n.k) for n in norms] == [(5, 1e-4, 0.75, 2.0)] * 2


def test_patches_divide_the_sides_that_are_stored():
    sides = (8, 28, 32, 64, 96, 128, 160, 192, 224, 256, 288)
    assert all(side % choose_patch(side) == 0 for side in sides)
    assert choose_patch(32) == 4
    assert choose_patch(224) == 16


@pytest.mark.parametrize("name", ["vit_tiny", "cct7"])
def test_transformers_show_their_attention(name):
    network = build_classic({"name": name, "width": 0.25}, build_shape(28)).eval()
    pictures = draw_pictures(2, 28)
    maps, features = network.attention_maps(pictures), network.features(pictures)
    n_tokens = features.shape[2] * features.shape[3]
    assert len(maps) == len(network.blocks)
    for each in maps:
        assert each.shape[2:] == (n_tokens, n_tokens)
        torch.testing.assert_close(each.sum(-1), torch.ones(each.shape[:3]))


def test_slow_learners_are_named_where_pictures_are_few():
    space = get_space("classic")
    assert "ViT tiny and MLP-Mixer tiny" in find_caution(space, 12_000)
    assert "12,000" in find_caution(space, 12_000)
    assert find_caution(space, 60_000) == ""
    assert find_caution({**space, "name": Choice(options=("resnet18",))}, 100) == ""
    assert find_caution({}, 100) == ""


def test_the_line_names_the_width_where_it_is_not_the_original():
    assert render_architecture("classic", {"name": "resnet18", "width": 1.0}) == "ResNet-18"
    line = render_architecture("classic", {"name": "resnet18", "width": 0.25, "epochs": 3})
    assert line == "ResNet-18, width × 0.25"


def test_foreign_names_and_widths_are_refused():
    with pytest.raises(SpecError, match="'lenet9'"):
        build_classic({"name": "lenet9", "width": 1.0}, build_shape())
    with pytest.raises(SpecError, match=r"9\.0"):
        build_classic({"name": "lenet5", "width": 9.0}, build_shape())


def test_the_space_offers_every_name():
    assert get_space("classic")["name"].options == tuple(CLASSICS)
    assert 1.0 not in get_space("classic")["width"].options
    assert 1.0 in get_space("classic", on_gpu=True)["width"].options
