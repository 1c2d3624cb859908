"""TabM-mini: many weak copies of one MLP that share all layers but the first scaling and the last map.

Source: Gorishniy et al. 2024, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling".
"""

import math

import torch
from torch import Tensor, nn

from automl.data.views import ViewShape
from automl.models.tabular.inputs import TabularInput
from automl.models.tabular.layers import Layer
from automl.models.tabular.networks import Network
from automl.models.tabular.tabm_config import TabMConfig, parse_tabm
from automl.space.dimensions import Config


class CopiedInput(nn.Module):
    """One row becomes ``n_copies``, each multiplied by factors of its own.

    With embeddings the factors are normal, one for all values of a column; without, they are random signs.

    Shape: ``(batch, d_in) → (batch, n_copies, d_in)``

    >>> CopiedInput(n_copies=4, widths=(3, 3, 1), has_embeddings=True)(torch.randn(5, 7)).shape
    torch.Size([5, 4, 7])
    """

    def __init__(self, *, n_copies: int, widths: tuple[int, ...], has_embeddings: bool) -> None:
        super().__init__()
        if has_embeddings:
            drawn = torch.randn(n_copies, len(widths))
            factors = torch.cat(
                [drawn[:, index, None].expand(-1, width) for index, width in enumerate(widths)],
                dim=1,
            )
        else:
            factors = torch.randint(2, (n_copies, sum(widths))).float() * 2 - 1
        self.factors = nn.Parameter(factors.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        return x[:, None] * self.factors


class CopiedHead(nn.Module):
    """A linear map per copy.

    Shape: ``(batch, n_copies, d_in) → (batch, n_copies, n_outputs)``

    >>> CopiedHead(n_copies=4, d_in=8, n_outputs=2)(torch.randn(5, 4, 8)).shape
    torch.Size([5, 4, 2])
    """

    def __init__(self, *, n_copies: int, d_in: int, n_outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(d_in)
        self.weight = nn.Parameter(torch.empty(n_copies, d_in, n_outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_copies, n_outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.bmm(x.transpose(0, 1), self.weight).transpose(0, 1) + self.bias


class TabMBody(nn.Sequential):
    """The copies, shared layers, and a head per copy.

    Shape: ``(batch, d_in) → (batch, n_copies, n_outputs)``
    """

    def __init__(self, config: TabMConfig, *, widths: tuple[int, ...], n_outputs: int) -> None:
        super().__init__()
        has_embeddings = max(widths, default=1) > 1
        copies = CopiedInput(n_copies=config.n_copies, widths=widths, has_embeddings=has_embeddings)
        self.add_module("copies", copies)
        d_in = sum(widths)
        for index in range(1, config.n_blocks + 1):
            layer = Layer(
                d_in, config.width, norm="none", activation="relu", dropout=config.dropout
            )
            self.add_module(f"layer{index}", layer)
            d_in = config.width
        head = CopiedHead(n_copies=config.n_copies, d_in=d_in, n_outputs=n_outputs)
        self.add_module("head", head)


def build_tabm(config: Config, shape: ViewShape) -> Network:
    """A TabM-mini for these views; weights drawn from torch's current seed."""
    parsed = parse_tabm(config)
    inputs = TabularInput(config=parsed.inputs, shape=shape)
    return Network(inputs, TabMBody(parsed, widths=inputs.widths, n_outputs=shape.n_outputs))
