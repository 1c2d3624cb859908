import pytest
import torch
from torch import nn

from automl.models.catalog import FAMILIES, resolve_build
from automl.models.tabular.config import PlanConfig
from automl.training.optimisers import build_optimizer, set_rates
from tests.unit.training.tables import SMALL_MLP, TaskType, build_prepared


def build_plan(optimizer, learning_rate=0.05):
    return PlanConfig(
        optimizer=optimizer, learning_rate=learning_rate, weight_decay=0.1, schedule="constant",
        n_epochs=10,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_each_lowers_a_convex_loss_tenfold(name):
    torch.manual_seed(0)
    layer = nn.Linear(4, 1)
    x, y = torch.randn(64, 4), torch.randn(64, 4) @ torch.ones(4, 1) * 0 + 3.0
    optimizer = build_optimizer(layer, build_plan(name))
    losses = []
    for _ in range(150):
        loss = ((layer(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10


@pytest.mark.parametrize("family", ["mlp", "resnet"])
def test_biases_norms_and_tables_do_not_decay(family):
    config = SMALL_MLP | {"norm": "batch"} if family == "mlp" else FAMILIES[family].default
    network = resolve_build(family)(config, build_prepared(TaskType.BINARY).shape)
    decay, plain = build_optimizer(network, build_plan("adamw")).param_groups
    assert (decay["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    decayed = {names[id(parameter)] for parameter in decay["params"]}
    free = {names[id(parameter)] for parameter in plain["params"]}
    assert decayed | free == set(names.values())
    assert not any(name.endswith("bias") or "norm" in name or "table" in name for name in decayed)
    assert "inputs.numeric.weight" in decayed


def test_parts_of_a_realmlp_have_rates_of_their_own_and_decay_follows_its_schedule():
    config = FAMILIES["realmlp"].default | {"first_rate": 0.5, "embedding_rate": 0.2}
    network = resolve_build("realmlp")(config, build_prepared(TaskType.BINARY).shape)
    optimizer = build_optimizer(network, build_plan("adamw"))
    set_rates(optimizer, 1.0, 0.25)
    groups = {
        id(parameter): group for group in optimizer.param_groups for parameter in group["params"]
    }
    rates = {name: groups[id(p)]["lr"] for name, p in network.named_parameters()}
    decays = {name: groups[id(p)]["weight_decay"] for name, p in network.named_parameters()}
    assert rates["body.scale.weight"] == config["scale_rate"]
    assert (rates["body.layer1.weight"], rates["body.layer1.bias"]) == (0.5, 0.05)
    assert (rates["body.layer2.weight"], rates["body.layer2.bias"]) == (1.0, 0.1)
    assert (rates["body.activation1.mix"], rates["inputs.numeric.frequency"]) == (0.1, 0.2)
    assert decays["body.layer2.weight"] == 0.1 * 0.25
    assert {
        decays[n] for n in ("body.layer2.bias", "body.scale.weight", "body.activation1.mix")
    } == {0.0}


def test_the_rate_is_set_for_all_groups():
    optimizer = build_optimizer(nn.Linear(2, 2), build_plan("sgd"))
    set_rates(optimizer, 0.25)
    assert {group["lr"] for group in optimizer.param_groups} == {0.25}


def test_a_foreign_optimiser_is_refused():
    with pytest.raises(ValueError, match="'lion'"):
        build_optimizer(nn.Linear(2, 2), build_plan("lion"))
