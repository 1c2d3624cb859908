import pytest
import torch
from torch import nn

from automl.models.image.recipe_space import parse_recipe
from automl.training.image.averaging import WeightAverage
from automl.training.image.muon import Muon, orthogonalise
from automl.training.image.optimisers import RATE, build_optimisers, sort_parameters


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 40), (2, 40, 16)])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_singular_values_come_near_to_one(shape, precision):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = orthogonalise(matrices, precision).float()
    values = torch.linalg.svdvals(found)
    assert found.shape == shape
    assert 0.5 < float(values.min()) <= float(values.max()) < 1.35


def test_a_step_holds_the_norm_and_goes_down():
    torch.manual_seed(0)
    layer, teacher = nn.Conv2d(4, 8, 3, bias=False), nn.Conv2d(4, 8, 3, bias=False)
    nn.init.orthogonal_(teacher.weight)
    optimiser = Muon([layer.weight], lr=0.05)
    pictures = torch.randn(32, 4, 6, 6)
    goal = teacher(pictures).detach()
    losses = []
    for _ in range(40):
        loss = ((layer(pictures) - goal) ** 2).mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    assert layer.weight.norm().item() == pytest.approx(8**0.5, rel=0.1)


def test_matrices_of_one_shape_are_moved_as_if_alone():
    def move(together):
        generator = torch.Generator().manual_seed(0)
        weights = [nn.Parameter(torch.randn(6, 3, 3, 3, generator=generator)) for _ in range(3)]
        for weight in weights:
            weight.grad = torch.randn(weight.shape, generator=generator)
        for group in [weights] if together else [[weight] for weight in weights]:
            Muon(group, lr=0.1).step()
        return torch.stack([weight.detach() for weight in weights])

    assert torch.allclose(move(together=True), move(together=False), atol=1e-5)


def build_network():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 6, 1),
        nn.Flatten(), nn.Linear(24, 16), nn.Linear(16, 3),
    )  # fmt: skip


def test_every_parameter_has_one_role():
    network = build_network()
    network[0].bias.requires_grad_(False)  # noqa: FBT003 (torch's signature)
    roles = sort_parameters(network)
    assert {id(w) for w in roles.hidden} == {id(network[i].weight) for i in (0, 3, 5)}
    assert {id(w) for w in roles.decayed} == {id(network[i].weight) for i in (2, 6)}
    assert all(tensor.ndim == 1 for tensor in roles.free)
    n_all = len(roles.hidden) + len(roles.decayed) + len(roles.free)
    assert n_all == sum(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("name", ["muon", "sgd", "adamw"])
def test_each_optimiser_learns_and_leaves_biases_without_decay(name):
    torch.manual_seed(0)
    network = build_network()
    recipe = parse_recipe(
        {
            "optimizer": name,
            f"optimizer.{name}.lr": {"muon": 0.05, "sgd": 0.05, "adamw": 5e-3}[name],
            f"optimizer.{name}.weight_decay": 0.1,
        }
    )
    optimisers = build_optimisers(network, recipe)
    for member in optimisers._members:
        for group in member.param_groups:
            if any(tensor.ndim == 1 for tensor in group["params"]):
                assert group["weight_decay"] == 0
    pictures, target = torch.randn(64, 3, 6, 6), torch.randint(3, (64,))
    losses = []
    for step in range(30):
        loss = nn.functional.cross_entropy(network(pictures), target)
        loss.backward()
        optimisers.step(1 - step / 30)
        losses.append(loss.item())
        assert all(p.grad is None for p in network.parameters())
    assert losses[-1] < losses[0]
    group = optimisers._members[0].param_groups[0]
    assert group["lr"] == pytest.approx(group[RATE] / 30)


def test_an_average_follows_at_once_and_slows_down():
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    average = WeightAverage(network, decay=0.9)
    with torch.no_grad():
        network[0].weight.fill_(5.0)
        network[1].num_batches_tracked.fill_(7)
    start = float(average.state["0.weight"])
    average.update(network)
    kept = 2 / 11
    assert float(average.state["0.weight"]) == pytest.approx(kept * start + (1 - kept) * 5)
    assert int(average.state["1.num_batches_tracked"]) == 7
    for _ in range(200):
        average.update(network)
    assert float(average.state["0.weight"]) == pytest.approx(5, abs=1e-4)
    with pytest.raises(ValueError, match="decay"):
        WeightAverage(network, decay=1.0)
