"""The typed form of a TabM-mini's configuration."""

from dataclasses import dataclass

from automl.models.tabular.config import InputConfig, parse_inputs, read
from automl.space.dimensions import Config


@dataclass(frozen=True, kw_only=True, slots=True)
class TabMConfig:
    """``n_copies`` of one MLP of ``n_blocks`` layers of one width."""

    inputs: InputConfig
    n_copies: int
    n_blocks: int
    width: int
    dropout: float


def parse_tabm(config: Config) -> TabMConfig:
    """Read a TabM-mini."""
    return TabMConfig(
        inputs=parse_inputs(config),
        n_copies=read(config, "copies", int),
        n_blocks=read(config, "blocks", int),
        width=read(config, "width", int),
        dropout=read(config, "dropout", float),
    )
