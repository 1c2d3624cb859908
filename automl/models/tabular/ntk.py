"""Layers in neural-tangent parametrisation, with weights fitted to a first batch of rows."""

import math

import torch
from torch import Tensor, nn

from automl.models.tabular.layers import ACTIVATIONS

N_BIAS_ROWS = 5
BIAS_RATE = 0.1
MIX_RATE = 0.1


class NTKLinear(nn.Module):
    """``x W^T / sqrt(d_in) + b`` with standard normal W; the bias learns ten times slower.

    Shape: ``(batch, d_in) → (batch, d_out)``
    Source: Holzmüller et al. 2024, "Better by Default" (RealMLP), 3.2.

    >>> NTKLinear(4, 8)(torch.randn(5, 4)).shape
    torch.Size([5, 8])
    """

    def __init__(self, d_in: int, d_out: int, *, rate_factor: float = 1.0) -> None:
        super().__init__()
        self.scale = 1 / math.sqrt(max(1, d_in))
        self.rate_factors = {"weight": rate_factor, "bias": BIAS_RATE * rate_factor}
        self.weight = nn.Parameter(torch.randn(d_out, d_in))
        self.bias = nn.Parameter(torch.zeros(d_out))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Deviation 1 for every unit on these rows ``(n, d_in)``; its bias puts a few of them at its bend.

        Each bias is minus a random convex combination of five values of its unit.
        """
        values = nn.functional.linear(x, self.weight * self.scale)
        deviation = values.std(dim=0, correction=0)
        deviation = torch.where(deviation > 0, deviation, 1.0)
        self.weight.div_(deviation[:, None])
        rows = torch.randint(len(x), (N_BIAS_ROWS, len(self.bias)), device=x.device)
        shares = torch.empty(rows.shape, device=x.device).exponential_()
        chosen = (values / deviation).gather(0, rows)
        self.bias.copy_(-(chosen * shares / shares.sum(dim=0)).sum(dim=0))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight * self.scale, self.bias)


class Scale(nn.Module):
    """A learned factor per input, 1 at first: features are weighed before they are mixed.

    Shape: ``(batch, width) → (batch, width)``
    """

    def __init__(self, width: int, *, rate_factor: float) -> None:
        super().__init__()
        self.rate_factors = {"weight": rate_factor}
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class ParametricActivation(nn.Module):
    """``x + a (act(x) - x)`` with a learned ``a`` per unit, 1 at first.

    Shape: ``(batch, width) → (batch, width)``
    """

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.rate_factors = {"mix": MIX_RATE}
        self.activation = ACTIVATIONS[name]()
        self.mix = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.lerp(x, self.activation(x), self.mix.to(x.dtype))
