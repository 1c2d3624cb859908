import pytest
import torch
from torch import nn

from automl.models.catalog import describe_layers, resolve_build
from automl.models.image.classic_space import CLASSICS
from automl.models.image.macs import build_on_meta, compute_costs, count_macs, count_parameters
from tests.unit.models.image.shapes import build_config, build_shape

KEYS = ["stage", "name", "kind", "output", "parameters", "macs", "detail"]


def test_a_macro_network_in_boxes():
    rows = describe_layers("cnn", build_config(), build_shape())
    assert all(list(row) == KEYS for row in rows)
    assert [(row["stage"], row["name"], row["output"]) for row in rows] == [
        ("Stem", "Stem", "24×31×31"),
        ("Stage 1", "Transition", "16×15×15"), ("Stage 1", "Block 1", "16×15×15"),
        ("Stage 2", "Transition", "32×7×7"), ("Stage 2", "Block 1", "32×7×7"),
        ("Stage 3", "Transition", "32×3×3"), ("Stage 3", "Block 1", "32×3×3"),
        ("Head", "Head", "10"),
    ]  # fmt: skip
    second = rows[4]
    assert second["parameters"] == 32 * 32 * 9 + 2 * 32
    assert second["macs"] == 32 * 32 * 9 * 7 * 7


@pytest.mark.parametrize("name", CLASSICS)
def test_boxes_of_classical_networks_add_up(name):
    config, shape = {"name": name, "width": 0.5}, build_shape(64)
    rows = describe_layers("classic", config, shape)
    network = build_on_meta(lambda: resolve_build("classic")(config, shape))
    assert sum(row["parameters"] for row in rows) == count_parameters(network)
    assert sum(row["macs"] for row in rows) == count_macs(network, (3, 64, 64))
    assert all(row["kind"] for row in rows)


def test_a_network_without_boxes_of_its_own_is_shown_by_its_layers():
    rows = describe_layers("small_cnn", {}, build_shape())
    assert [row["kind"] for row in rows] == ["Conv2d", "Conv2d", "Linear", "Linear"]
    assert rows[-1]["output"] == "10"


def test_counting_leaves_a_network_as_it_was():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network[1].eval()  # a frozen norm
    costs = compute_costs(network, (3, 8, 8))
    assert network.training
    assert not network[1].training
    assert not network[0]._forward_hooks
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert costs.macs[""] == costs.macs["0"] == 4 * 3 * 9 * 36
    assert costs.outputs["1"] == (4, 6, 6)


def test_attention_counts_its_products():
    from automl.models.image.attention import Attention

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = Attention(32, 2)

        def forward(self, x):
            return self.attention(x.flatten(2).transpose(1, 2))

    macs = count_macs(build_on_meta(Wrapped), (32, 4, 4))
    assert macs == 16 * 32 * 96 + 16 * 32 * 32 + 2 * 16 * 16 * 32
