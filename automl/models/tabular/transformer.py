"""FT-Transformer: every column becomes a token, and tokens attend to each other.

Source: Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", 3.3.
"""

import math

import torch
from torch import Tensor, nn

from automl.data.views import ViewShape
from automl.models.tabular.inputs import Batch, count_level_flags, split_columns
from automl.models.tabular.networks import Network
from automl.models.tabular.transformer_config import (
    N_HEADS,
    TransformerConfig,
    parse_transformer,
)
from automl.space.dimensions import Config


class Tokenizer(nn.Module):
    """A token per number, missing indicator and category, behind one that collects.

    A number x becomes ``x w + b``; a category the row of its level, ``b`` alone where it is unknown.

    Shape: ``Batch of n rows → (n, 1 + n_columns, d_token)``
    """

    def __init__(self, *, shape: ViewShape, d_token: int) -> None:
        super().__init__()
        narrow, wide = split_columns(shape)
        self.flag_widths = [count_level_flags(shape.cardinalities[index]) for index in narrow]
        cardinalities = [shape.cardinalities[index] for index in wide]
        n_tokens = 1 + shape.n_quantile + len(narrow) + len(wide)
        bound = 1 / math.sqrt(d_token)
        self.number = nn.Parameter(torch.empty(shape.n_quantile, d_token).uniform_(-bound, bound))
        self.flag = nn.Parameter(
            torch.empty(sum(self.flag_widths), d_token).uniform_(-bound, bound)
        )
        self.table = nn.Embedding(sum(cardinalities), d_token)
        nn.init.uniform_(self.table.weight, -bound, bound)
        self.bias = nn.Parameter(torch.empty(n_tokens, d_token).uniform_(-bound, bound))
        self.register_buffer(
            "offsets",
            torch.tensor([0, *cardinalities[:-1]][: len(wide)], dtype=torch.int64).cumsum(0),
        )
        self.offsets: Tensor
        self.d_out = d_token
        self.n_tokens = n_tokens

    def forward(self, batch: Batch) -> Tensor:
        numbers = batch.numeric[..., None] * self.number
        flags = torch.split(batch.flags.to(numbers.dtype), self.flag_widths, dim=1)
        tables = torch.split(self.flag, self.flag_widths)
        narrow = [(part @ table)[:, None] for part, table in zip(flags, tables, strict=True)]
        wide = self.table(batch.codes + self.offsets)
        first = numbers.new_zeros(len(batch), 1, self.d_out)
        return torch.cat([first, numbers, *narrow, wide], dim=1) + self.bias


class Block(nn.Module):
    """Attention and a gated layer (ReGLU), each behind a layer norm and added to its input.

    Shape: ``(batch, n_tokens, d_token) → (batch, n_tokens, d_token)``
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.d_token)
        self.attention = nn.MultiheadAttention(
            config.d_token, N_HEADS, dropout=config.attention_dropout, batch_first=True
        )
        self.hidden_norm = nn.LayerNorm(config.d_token)
        self.gate = nn.Linear(config.d_token, 2 * config.d_hidden)
        self.hidden_dropout = nn.Dropout(config.hidden_dropout)
        self.last = nn.Linear(config.d_hidden, config.d_token)

    def forward(self, x: Tensor) -> Tensor:
        z = self.attention_norm(x)
        x = x + self.attention(z, z, z, need_weights=False)[0]
        value, gate = self.gate(self.hidden_norm(x)).chunk(2, dim=-1)
        return x + self.last(self.hidden_dropout(value * gate.relu()))  # type: ignore[no-any-return]


class Collected(nn.Module):
    """The collecting token of the last block: norm, ReLU, linear.

    Shape: ``(batch, n_tokens, d_token) → (batch, n_outputs)``
    """

    def __init__(self, d_token: int, n_outputs: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_token)
        self.linear = nn.Linear(d_token, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.norm(x[:, 0]).relu())  # type: ignore[no-any-return]


class TransformerNetwork(Network):
    """Tokens instead of one vector, then blocks and a head."""

    def __init__(self, tokens: Tokenizer, body: nn.Sequential) -> None:
        nn.Module.__init__(self)
        self.tokens = tokens
        self.body = body

    def forward(self, batch: Batch) -> Tensor:
        return self.body(self.tokens(batch))  # type: ignore[no-any-return]

    def fit_inputs(self, numeric: Tensor) -> None:
        """Tokens learn nothing from rows before the first step."""


def build_transformer(config: Config, shape: ViewShape) -> TransformerNetwork:
    """An FT-Transformer for these views; weights drawn from torch's current seed."""
    parsed = parse_transformer(config)
    body = nn.Sequential()
    for index in range(1, parsed.n_blocks + 1):
        body.add_module(f"block{index}", Block(parsed))
    body.add_module("head", Collected(parsed.d_token, shape.n_outputs))
    return TransformerNetwork(Tokenizer(shape=shape, d_token=parsed.d_token), body)
