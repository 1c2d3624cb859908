import math

import pytest
import torch

from automl.models.tabular.embeddings import (
    CategoricalEmbeddings,
    PiecewiseLinear,
    compute_edges,
)
from automl.models.tabular.layers import build_stack, count_parameters


def test_reference_mlp_has_the_published_number_of_parameters():
    network = build_stack(784, (256, 128, 64), 10, norm="batch", activation="relu", dropout=0.3)
    assert count_parameters(network) == 243_658


def test_a_hundred_residual_layers_lower_the_loss_in_fifty_steps():
    torch.set_num_threads(1)  # two hundred tiny products are not worth a second thread
    torch.manual_seed(0)
    network = build_stack(
        8, (16,) * 101, 1, norm="layer", activation="relu", dropout=0.0, is_residual=True
    )
    x = torch.randn(64, 8)
    y = x[:, :1] - x[:, 1:2]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(50):
        loss = ((network(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("is_residual", [False, True])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_gradients_reach_every_parameter(norm, is_residual):
    torch.manual_seed(0)
    network = build_stack(
        6, (16, 16, 8), 3, norm=norm, activation="gelu", dropout=0.0, is_residual=is_residual
    )
    network(torch.randn(32, 6)).logsumexp(dim=1).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        is_dead_bias = norm == "batch" and name.endswith("linear.bias") and not is_residual
        assert is_dead_bias or parameter.grad.abs().sum() > 0, name


def test_piecewise_code_equals_the_formula():
    layer = PiecewiseLinear(n_features=1, n_bins=2, d_embedding=2)
    layer.fit_edges(torch.tensor([[0.0], [1.0], [3.0]]))  # edges 0, 1, 3
    with torch.no_grad():
        layer.linear_weight.zero_()
        layer.linear_bias.zero_()
        layer.weight.copy_(torch.eye(2)[None])
    out = layer(torch.tensor([[0.5], [2.0], [-1.0], [5.0]]))[:, 0]
    expected = torch.tensor([[0.5, 0.0], [1.0, 0.5], [-1.0, 0.0], [1.0, 2.0]])
    assert torch.allclose(out, expected)


def test_piecewise_starts_as_a_linear_embedding():
    layer = PiecewiseLinear(n_features=2, n_bins=8, d_embedding=4)
    x = torch.randn(50, 2)
    layer.fit_edges(x)
    linear = layer.linear_bias + x[..., None] * layer.linear_weight
    assert torch.allclose(layer(x), linear)


def test_a_constant_feature_is_harmless():
    layer = PiecewiseLinear(n_features=2, n_bins=4, d_embedding=3)
    layer.fit_edges(torch.stack([torch.zeros(20), torch.randn(20)], dim=1))
    assert torch.isfinite(layer(torch.randn(5, 2) * 100)).all()


def test_edges_keep_resolution_beside_a_heavy_value():
    column = torch.cat([torch.zeros(900), torch.linspace(1, 2, 100)])
    edges = compute_edges(column, 10)
    assert edges[0] == 0
    assert edges[-1] == 2
    assert len(edges) >= 9  # plain quantiles would leave one bin for 1..2
    assert (edges.diff() > 0).all()


def test_edges_of_few_values_are_these_values():
    assert compute_edges(torch.tensor([3.0, 1.0, 1.0, 2.0]), 8).tolist() == [1, 2, 3]


def test_edges_of_a_continuous_column_have_equal_mass():
    torch.manual_seed(0)
    column = torch.randn(10_000)
    edges = compute_edges(column, 10)
    counts = torch.histogram(column.double(), edges.double()).hist
    assert len(edges) == 11
    assert counts.min() > 950
    assert counts.max() < 1050


def test_categorical_tables_do_not_share_rows():
    layer = CategoricalEmbeddings(cardinalities=(3, 4), d_embedding=2)
    out = layer(torch.tensor([[2, 0], [0, 3]], dtype=torch.int32))
    assert torch.equal(out[0, 2:], layer.table.weight[3])
    assert torch.equal(out[1, 2:], layer.table.weight[6])


@pytest.mark.parametrize("build", [
    lambda: PiecewiseLinear(n_features=0, n_bins=2, d_embedding=2),
    lambda: CategoricalEmbeddings(cardinalities=(3,), d_embedding=0),
    lambda: build_stack(2, (4,), 1, norm="none", activation="relu", dropout=1.0),
])  # fmt: skip
def test_nonsense_is_refused(build):
    with pytest.raises(ValueError, match=r"\d"):
        build()


def test_hidden_weights_follow_he():
    torch.manual_seed(0)
    first = build_stack(400, (400,), 1, norm="none", activation="relu", dropout=0.0)[0]
    assert first.linear.weight.std().item() == pytest.approx(math.sqrt(2 / 400), rel=0.02)
    assert first.linear.bias.abs().sum() == 0
