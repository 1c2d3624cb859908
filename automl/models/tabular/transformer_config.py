"""The typed form of an FT-Transformer's configuration, and where it is offered."""

from dataclasses import dataclass

from automl.models.tabular.config import read
from automl.space.dimensions import Config

N_HEADS = 8
MOST_COLUMNS = 60
MOST_ROWS = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformerConfig:
    """``n_blocks`` of attention and a gated layer of width ``d_hidden`` over tokens of ``d_token``."""

    n_blocks: int
    d_token: int
    d_hidden: int
    attention_dropout: float
    hidden_dropout: float


def parse_transformer(config: Config) -> TransformerConfig:
    """Read an FT-Transformer; the gated layer is 4/3 as wide as a token."""
    d_token = read(config, "width", int)
    return TransformerConfig(
        n_blocks=read(config, "blocks", int),
        d_token=d_token,
        d_hidden=round(d_token * 4 / 3),
        attention_dropout=read(config, "attention_dropout", float),
        hidden_dropout=read(config, "hidden_dropout", float),
    )
