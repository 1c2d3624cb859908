"""Numeric and categorical columns as vectors."""

import math

import torch
from torch import Tensor, nn

HEAVY_ROUNDS = 4


class PiecewiseLinear(nn.Module):
    """Encode numeric features against their training quantiles, then map each one linearly.

    Version "B" of the source: a linear embedding of x plus a bias-free linear map of the encoding that
    starts at zero, no activation. Edges are set once from training rows (``fit_edges``).

    Shape: ``(batch, n_features) → (batch, n_features, d_embedding)``
    Source: Gorishniy et al. 2022, "On Embeddings for Numerical Features", eq. 1.

    >>> layer = PiecewiseLinear(n_features=3, n_bins=4, d_embedding=8)
    >>> layer.fit_edges(torch.randn(100, 3))
    >>> layer(torch.randn(5, 3)).shape
    torch.Size([5, 3, 8])
    """

    left: Tensor
    width: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, *, n_features: int, n_bins: int, d_embedding: int) -> None:
        if min(n_features, n_bins, d_embedding) < 1:
            raise ValueError(f"{n_features} features, {n_bins} bins, {d_embedding} dimensions")
        super().__init__()
        self.linear_weight = nn.Parameter(torch.empty(n_features, d_embedding))
        self.linear_bias = nn.Parameter(torch.empty(n_features, d_embedding))
        self.weight = nn.Parameter(torch.zeros(n_features, n_bins, d_embedding))
        for name, value in (("left", 0.0), ("width", 1.0), ("low", 0.0), ("high", 0.0)):
            self.register_buffer(name, torch.full((n_features, n_bins), value))
        bound = 1 / math.sqrt(d_embedding)
        nn.init.uniform_(self.linear_weight, -bound, bound)
        nn.init.uniform_(self.linear_bias, -bound, bound)

    @torch.no_grad()
    def fit_edges(self, x: Tensor) -> None:
        """Choose edges from the training rows ``(n, n_features)``.

        A feature with fewer distinct values than edges uses fewer bins; the rest of its row stays zero.
        """
        n_bins = self.left.shape[1]
        for feature in range(x.shape[1]):
            edges = compute_edges(x[:, feature].detach().cpu(), n_bins).to(self.left)
            used = len(edges) - 1
            if used < 1:  # a constant column says nothing
                continue
            self.left[feature, :used] = edges[:-1]
            self.width[feature, :used] = edges.diff()
            self.high[feature, :used] = 1.0
            self.low[feature, 0] = -math.inf  # the outer bins go on beyond the training range
            self.high[feature, used - 1] = math.inf

    def forward(self, x: Tensor) -> Tensor:
        ratio = (x[..., None] - self.left) / self.width  # (B, F, T)
        code = torch.clamp(ratio, self.low, self.high)  # PLE(x)
        mapped = torch.bmm(code.transpose(0, 1), self.weight).transpose(0, 1)
        return torch.addcmul(self.linear_bias, x[..., None], self.linear_weight) + mapped


def compute_edges(column: Tensor, n_bins: int) -> Tensor:
    """At most ``n_bins + 1`` ascending edges of equal mass, first the minimum and last the maximum.

    Differs from plain quantiles where few values hold most rows: no value counts for more than one bin, so
    that the rest of the range keeps its resolution (a column that is mostly 0).
    """
    values, counts = torch.unique(column, return_counts=True)
    if len(values) <= n_bins + 1:
        return torch.as_tensor(values)
    mass = counts.double()
    for _ in range(HEAVY_ROUNDS):  # cutting the heavy ones lowers the share of a bin, so look again
        mass = mass.clamp(max=mass.sum() / n_bins)
    reached = mass.cumsum(0) - mass
    targets = torch.linspace(0, float(reached[-1]), n_bins + 1, dtype=torch.float64)
    chosen = torch.searchsorted(reached, targets).clamp(max=len(values) - 1)
    return torch.as_tensor(values[torch.unique(chosen)])


class CategoricalEmbeddings(nn.Module):
    """One table per column, concatenated; code 0 (unknown or rare) is an ordinary row.

    Shape: ``(batch, n_columns) → (batch, n_columns * d_embedding)``

    >>> CategoricalEmbeddings(cardinalities=(20, 40), d_embedding=8)(torch.zeros(5, 2).int()).shape
    torch.Size([5, 16])
    """

    offsets: Tensor

    def __init__(self, *, cardinalities: tuple[int, ...], d_embedding: int) -> None:
        if d_embedding < 1 or min(cardinalities) < 1:
            raise ValueError(f"cardinalities {cardinalities}, {d_embedding} dimensions")
        super().__init__()
        self.table = nn.Embedding(sum(cardinalities), d_embedding)
        nn.init.normal_(self.table.weight, std=1 / math.sqrt(d_embedding))
        starts = torch.tensor((0, *cardinalities[:-1])).cumsum(0)
        self.register_buffer("offsets", starts)

    def forward(self, codes: Tensor) -> Tensor:
        return self.table(codes + self.offsets).flatten(1)  # type: ignore[no-any-return]
