"""Blocks whose positions look at each other: attention and token mixing, on maps of any size."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

MLP_RATIO = 2  # as in CCT; small networks gain nothing from 4
MAX_GRID = 8


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of every position.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def init_linear(linear: nn.Linear) -> nn.Linear:
    """Weights from a normal of deviation 0.02, cut at two deviations; bias 0."""
    nn.init.trunc_normal_(linear.weight, std=0.02)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
    return linear


def build_mlp(width: int, hidden: int, activation: Callable[[], nn.Module]) -> nn.Sequential:
    """Linear, activation, linear over the last axis."""
    return nn.Sequential(
        init_linear(nn.Linear(width, hidden)), activation(), init_linear(nn.Linear(hidden, width))
    )


def count_heads(width: int) -> int:
    """The most heads of 32 or more channels that divide a width."""
    return max((n for n in range(1, max(1, width // 32) + 1) if width % n == 0), default=1)


class Attention(nn.Module):
    """Multi-head self-attention; heads never mix before the projection.

    Shape: ``(n, tokens, d) → (n, tokens, d)``
    Source: Vaswani et al. 2017, "Attention Is All You Need".
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = init_linear(nn.Linear(width, 3 * width))
        self.project = init_linear(nn.Linear(width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = self._split(tokens)
        heads = F.scaled_dot_product_attention(query, key, value)  # (n, heads, tokens, d / heads)
        return self.project(heads.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def compute_weights(self, tokens: Tensor) -> Tensor:
        """What every token looks at, ``(n, heads, tokens, tokens)``; rows sum to 1."""
        query, key, _ = self._split(tokens)
        scale = float(query.shape[-1]) ** -0.5
        return (query @ key.transpose(-2, -1) * scale).softmax(dim=-1)

    def _split(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = self.qkv(tokens).unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        return parts[0], parts[1], parts[2]


class AttentionBlock(nn.Module):
    """Where (a depthwise convolution), attention, then an MLP per position; each is added to its input.

    Positions come from the convolution, so that any resolution works.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    Source: Dosovitskiy et al. 2021 (ViT, pre-norm); positions of Chu et al. 2021, "Conditional Positional
    Encodings for Vision Transformers".
    """

    def __init__(self, width: int, kernel: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.position = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, count_heads(width))
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = build_mlp(width, MLP_RATIO * width, activation)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.position(x)
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + self.attention(self.norm(tokens))
        tokens = tokens + self.mlp(self.mlp_norm(tokens))
        return tokens.transpose(1, 2).unflatten(2, x.shape[-2:])

    def compute_weights(self, x: Tensor) -> Tensor:
        """Attention over the positions of a map, row by row: ``(n, heads, h·w, h·w)``."""
        x = x + self.position(x)
        return self.attention.compute_weights(self.norm(x.flatten(2).transpose(1, 2)))


class MixerBlock(nn.Module):
    """Mix positions with one MLP, channels with another; each is added to its input.

    The MLP over positions works on a grid of ``grid × grid`` cells. A map of another size is averaged into
    the cells and the result is spread back, so that any resolution works.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    Source: Tolstikhin et al. 2021, "MLP-Mixer"; the grid is ours.
    """

    def __init__(self, width: int, grid: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.grid = (grid, grid)
        self.norm = ChannelNorm(width)
        self.mix = build_mlp(grid * grid, max(16, MLP_RATIO * grid * grid), activation)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = build_mlp(width, MLP_RATIO * width, activation)

    def forward(self, x: Tensor) -> Tensor:
        size = tuple(x.shape[-2:])
        cells = self.norm(x)
        if size != self.grid:
            cells = F.adaptive_avg_pool2d(cells, self.grid)
        mixed = self.mix(cells.flatten(2)).unflatten(2, self.grid)
        if size != self.grid:
            mixed = F.interpolate(mixed, size=size, mode="bilinear", align_corners=False)
        x = x + mixed
        tokens = x.permute(0, 2, 3, 1)
        return x + self.mlp(self.mlp_norm(tokens)).permute(0, 3, 1, 2)  # type: ignore[no-any-return]
