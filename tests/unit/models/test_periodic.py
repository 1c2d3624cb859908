import math

import pytest
import torch

from automl.models.tabular.periodic import PBLD, Periodic

SIZES = {"n_features": 2, "n_frequencies": 3, "d_embedding": 4, "sigma": 0.5}


def test_periodic_is_its_formula():
    layer = Periodic(**SIZES)
    x = torch.tensor([[0.3, -1.2]])
    angle = 2 * math.pi * layer.frequency[1] * -1.2
    wave = torch.cat([angle.cos(), angle.sin()])
    expected = (wave @ layer.weight[1] + layer.bias[1]).relu()
    assert torch.allclose(layer(x)[0, 1], expected, atol=1e-6)


def test_pbld_is_its_formula_beside_the_number_itself():
    layer = PBLD(**SIZES)
    x = torch.tensor([[0.3, -1.2]])
    wave = (2 * math.pi * layer.frequency[0] * 0.3 + layer.shift[0]).cos()
    expected = wave @ layer.weight[0] + layer.bias[0]
    out = layer(x)[0, 0]
    assert float(out[0].detach()) == pytest.approx(0.3)
    assert torch.allclose(out[1:], expected, atol=1e-6)
    assert layer.d_embedding == 4


@pytest.mark.parametrize("kind", [Periodic, PBLD])
def test_frequencies_have_the_deviation_that_was_asked_for(kind):
    torch.manual_seed(0)
    layer = kind(n_features=50, n_frequencies=64, d_embedding=4, sigma=3.0)
    assert float(layer.frequency.detach().std()) == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize("kind", [Periodic, PBLD])
@pytest.mark.parametrize("change", [{"sigma": 0.0}, {"n_frequencies": 0}, {"n_features": 0}])
def test_nonsense_is_refused(kind, change):
    with pytest.raises(ValueError, match=r"sigma"):
        kind(**SIZES | change)
