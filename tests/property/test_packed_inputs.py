import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.models.tabular.embeddings import PiecewiseLinear
from automl.models.tabular.inputs import Batch
from automl.models.tabular.packed.inputs import PackRows, PiecewiseInput
from automl.models.tabular.packed.operations import Pair

# thousandths: numbers closer than float32 can divide by overflow alone as they do in a pack
VALUES = st.one_of(
    st.sampled_from([-1.0, 0.0, 0.5, 2.0]),
    st.floats(-50, 50, allow_nan=False).map(lambda value: round(value, 3)),
)


class Numbers:
    """The inputs of a network that reads nothing but numbers."""

    def __init__(self, n_numeric):
        self.n_numeric, self.categorical = n_numeric, None


def build_layer(x, n_bins, seed):
    torch.manual_seed(seed)
    layer = PiecewiseLinear(n_features=x.shape[1], n_bins=n_bins, d_embedding=3)
    layer.fit_edges(x)
    with torch.no_grad():
        layer.weight.normal_()
    return layer


def stack(layers, name, shape):
    values = torch.zeros(len(layers), *shape)
    for row, layer in zip(values, layers, strict=True):
        own = getattr(layer, name).detach()
        row[tuple(slice(size) for size in own.shape)] = own
    return Pair(value=values, grad=torch.zeros_like(values))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(VALUES, VALUES), min_size=4, max_size=30),
    st.lists(VALUES, min_size=1, max_size=10),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_bins_give_the_piecewise_code_and_its_gradient(rows, further, counts):
    x = torch.tensor(rows)
    new = torch.cat([x, torch.tensor(further)[:, None].expand(-1, 2)])  # beyond the range too
    layers = [build_layer(x, count, seed) for seed, count in enumerate(counts)]
    empty = torch.zeros(len(new), 0)
    source = PackRows(Batch(numeric=new, flags=empty, codes=empty), Numbers(2))
    packed = PiecewiseInput(
        layers,
        linear=stack(layers, "linear_weight", (2, 3)),
        bias=stack(layers, "linear_bias", (2, 3)),
        weight=stack(layers, "weight", (2, max(counts), 3)),
    )
    every = torch.arange(len(new)).expand(2, -1)
    out = packed.forward(new.expand(2, -1, -1), [source] * 2, every, training=True)
    packed.backward(torch.ones_like(out))
    for member, layer in enumerate(layers):
        expected = layer(new)
        expected.sum().backward()
        size = 1 + float(expected.detach().abs().max())
        assert float((out[member] - expected.detach()).abs().max()) < 1e-4 * size
        own = packed.weight.grad[member, :, : counts[member]]
        largest = 1 + float(layer.weight.grad.abs().max())
        assert float((own - layer.weight.grad).abs().max()) < 1e-4 * largest
        assert not packed.weight.grad[member, :, counts[member] :].any()
        unreached = layer.weight.grad == 0
        assert not own[unreached].any()
