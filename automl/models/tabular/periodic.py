"""Periodic embeddings of numeric columns."""

import math

import torch
from torch import Tensor, nn


def _draw_uniform(*shape: int, bound: float) -> nn.Parameter:
    return nn.Parameter(nn.init.uniform_(torch.empty(*shape), -bound, bound))


class Periodic(nn.Module):
    """Cosines and sines of each feature at learned frequencies, a linear map per feature, ReLU ("PLR").

    Shape: ``(batch, n_features) → (batch, n_features, d_embedding)``
    Source: Gorishniy et al. 2022, "On Embeddings for Numerical Features", 3.3.

    >>> layer = Periodic(n_features=3, n_frequencies=8, d_embedding=4, sigma=0.1)
    >>> layer(torch.randn(5, 3)).shape
    torch.Size([5, 3, 4])
    """

    def __init__(
        self,
        *,
        n_features: int,
        n_frequencies: int,
        d_embedding: int,
        sigma: float,
        rate_factor: float = 1.0,
    ) -> None:
        if min(n_features, n_frequencies, d_embedding) < 1 or sigma <= 0:
            raise ValueError(f"{n_features} features, {n_frequencies} frequencies, sigma {sigma}")
        super().__init__()
        self.rate_factors = dict.fromkeys(("frequency", "weight", "bias"), rate_factor)
        bound = 1 / math.sqrt(2 * n_frequencies)
        self.frequency = nn.Parameter(sigma * torch.randn(n_features, n_frequencies))
        self.weight = _draw_uniform(n_features, 2 * n_frequencies, d_embedding, bound=bound)
        self.bias = _draw_uniform(n_features, d_embedding, bound=bound)

    @property
    def d_embedding(self) -> int:
        """Values per feature."""
        return self.bias.shape[1]

    def forward(self, x: Tensor) -> Tensor:
        angle = 2 * math.pi * x[..., None] * self.frequency  # (B, F, k)
        wave = torch.cat([angle.cos(), angle.sin()], dim=2)
        mapped = torch.bmm(wave.transpose(0, 1), self.weight).transpose(0, 1)
        return (mapped + self.bias).relu()


class PBLD(nn.Module):
    """Shifted cosines of each feature at learned frequencies, mapped linearly, beside the feature itself.

    Of ``d_embedding`` values per feature the first is x; no activation.

    Shape: ``(batch, n_features) → (batch, n_features, d_embedding)``
    Source: Holzmüller et al. 2024, "Better by Default" (RealMLP), appendix A.2.

    >>> layer = PBLD(n_features=3, n_frequencies=8, d_embedding=4, sigma=0.1)
    >>> layer(torch.randn(5, 3)).shape
    torch.Size([5, 3, 4])
    """

    def __init__(
        self,
        *,
        n_features: int,
        n_frequencies: int,
        d_embedding: int,
        sigma: float,
        rate_factor: float = 1.0,
    ) -> None:
        if min(n_features, n_frequencies, d_embedding - 1) < 1 or sigma <= 0:
            raise ValueError(f"{n_features} features, {d_embedding} dimensions, sigma {sigma}")
        super().__init__()
        names = ("frequency", "shift", "weight", "bias")
        self.rate_factors = dict.fromkeys(names, rate_factor)
        bound = 1 / math.sqrt(n_frequencies)
        self.frequency = nn.Parameter(sigma * torch.randn(n_features, n_frequencies))
        self.shift = _draw_uniform(n_features, n_frequencies, bound=math.pi)
        self.weight = _draw_uniform(n_features, n_frequencies, d_embedding - 1, bound=bound)
        self.bias = _draw_uniform(n_features, d_embedding - 1, bound=bound)

    @property
    def d_embedding(self) -> int:
        """Values per feature, the feature itself among them."""
        return self.bias.shape[1] + 1

    def forward(self, x: Tensor) -> Tensor:
        angle = 2 * math.pi * x[..., None] * self.frequency + self.shift  # (B, F, k)
        mapped = torch.bmm(angle.cos().transpose(0, 1), self.weight).transpose(0, 1)
        return torch.cat([x[..., None], mapped + self.bias], dim=2)
