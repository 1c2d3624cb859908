import math

import pytest
import torch

from automl.models.tabular.ntk import NTKLinear, ParametricActivation, Scale


def test_a_fitted_layer_has_deviation_one_and_bends_inside_the_data():
    torch.manual_seed(0)
    x = torch.randn(500, 6) * torch.tensor([1, 5, 0.1, 2, 1, 30])
    layer = NTKLinear(6, 16)
    layer.fit(x)
    out = layer(x)
    assert torch.allclose(out.std(dim=0, correction=0), torch.ones(16), atol=1e-5)
    assert (out.min(dim=0).values < 0).all()
    assert (out.max(dim=0).values > 0).all()


def test_it_is_a_linear_map_divided_by_the_root_of_its_width():
    layer = NTKLinear(4, 3)
    expected = torch.ones(2, 4) @ layer.weight.T / 2 + layer.bias
    assert torch.allclose(layer(torch.ones(2, 4)), expected)
    assert layer.scale == 1 / math.sqrt(4)


@pytest.mark.parametrize("n_rows", [1, 3])
def test_constant_inputs_leave_weights_as_they_are(n_rows):
    layer = NTKLinear(4, 3)
    before = layer.weight.clone()
    layer.fit(torch.ones(n_rows, 4))
    assert torch.equal(layer.weight, before)
    assert torch.isfinite(layer.bias).all()


def test_an_activation_mixes_with_the_identity():
    x = torch.tensor([[-1.0, 2.0]])
    layer = ParametricActivation("relu", 2)
    assert layer(x).tolist() == [[0, 2]]
    with torch.no_grad():
        layer.mix.fill_(0.25)
    assert layer(x).tolist() == [[-0.75, 2]]


def test_scales_begin_at_one():
    x = torch.randn(3, 4)
    assert torch.equal(Scale(4, rate_factor=6.0)(x), x)
