"""Blocks whose positions look at each other: attention and token mixing, on maps of any size."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

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


def to_tokens(x: Tensor) -> Tensor:
    """``(n, d, h, w) → (n, h·w, d)``, row by row."""
    return x.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """``(n, h·w, d) → (n, d, h, w)``."""
    n_rows, _, width = tokens.shape
    return tokens.transpose(1, 2).reshape(n_rows, width, *size)


class Attention(nn.Module):
    """Multi-head self-attention; heads never mix before the projection.

    Shape: ``(n, tokens, d) → (n, tokens, d)``
    Source: Vaswani et al. 2017, "Attention Is All You Need".
    """

    def __init__(self, width: int, n_heads: int) -> None:
        if width % n_heads:
            raise ValueError(f"{n_heads} heads do not divide a width of {width}.")
        super().__init__()
        self.n_heads = n_heads
        self.qkv = init_linear(nn.Linear(width, 3 * width))
        self.project = init_linear(nn.Linear(width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = self._split(tokens)
        heads = functional.scaled_dot_product_attention(query, key, value)  # (n, heads, t, d_head)
        projected: Tensor = self.project(heads.transpose(1, 2).flatten(2))
        return projected

    def compute_weights(self, tokens: Tensor) -> Tensor:
        """What every token looks at, ``(n, heads, tokens, tokens)``; rows sum to 1."""
        query, key, _ = self._split(tokens)
        scale = float(query.shape[-1]) ** -0.5
        scores: Tensor = query @ key.transpose(-2, -1) * scale
        return scores.softmax(dim=-1)

    def _split(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        joined: Tensor = self.qkv(tokens)
        n_rows, n_tokens, width = tokens.shape
        parts = joined.reshape(n_rows, n_tokens, 3, self.n_heads, width // self.n_heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind()
        return query, key, value


class EncoderBlock(nn.Module):
    """Attention, then an MLP per token, each after a norm and added to its input.

    Shape: ``(n, tokens, d) → (n, tokens, d)``
    Source: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words" (pre-norm).
    """

    def __init__(
        self, width: int, n_heads: int, hidden: int, activation: Callable[[], nn.Module] = nn.GELU
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, n_heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = build_mlp(width, hidden, activation)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(self.norm(tokens))
        mixed: Tensor = tokens + self.mlp(self.mlp_norm(tokens))
        return mixed

    def compute_weights(self, tokens: Tensor) -> Tensor:
        """Attention of these tokens, ``(n, heads, tokens, tokens)``."""
        return self.attention.compute_weights(self.norm(tokens))


class AttentionBlock(nn.Module):
    """Where things are (a depthwise convolution added to the map), then an encoder block.

    Positions come from the convolution, so that any resolution works.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    Source: Chu et al. 2021, "Conditional Positional Encodings for Vision Transformers".
    """

    def __init__(self, width: int, kernel: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.position = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.encoder = EncoderBlock(width, count_heads(width), MLP_RATIO * width, activation)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.encoder(to_tokens(x + self.position(x)))
        return to_map(tokens, (x.shape[2], x.shape[3]))

    def compute_weights(self, x: Tensor) -> Tensor:
        """Attention over the positions of a map, row by row: ``(n, heads, h·w, h·w)``."""
        return self.encoder.compute_weights(to_tokens(x + self.position(x)))


class MixerBlock(nn.Module):
    """Mix positions with one MLP, channels with another; each after a norm and added to its input.

    The MLP over positions works on a grid of ``grid × grid`` cells. A map of another size is averaged into
    the cells and the result is spread back, so that any resolution works. ``hidden``: units of the two MLPs.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    Source: Tolstikhin et al. 2021, "MLP-Mixer"; the grid is ours.
    """

    def __init__(
        self,
        width: int,
        grid: int,
        hidden: tuple[int, int],
        activation: Callable[[], nn.Module] = nn.GELU,
    ) -> None:
        super().__init__()
        self.grid = (grid, grid)
        self.norm = ChannelNorm(width)
        self.mix = build_mlp(grid * grid, hidden[0], activation)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = build_mlp(width, hidden[1], activation)

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[2], x.shape[3])
        cells = self.norm(x)
        if size != self.grid:
            cells = functional.adaptive_avg_pool2d(cells, self.grid)
        mixed = self.mix(cells.flatten(2)).unflatten(2, self.grid)
        if size != self.grid:
            mixed = functional.interpolate(mixed, size=size, mode="bilinear", align_corners=False)
        x = x + mixed
        tokens = x.permute(0, 2, 3, 1)
        out: Tensor = x + self.mlp(self.mlp_norm(tokens)).permute(0, 3, 1, 2)
        return out
