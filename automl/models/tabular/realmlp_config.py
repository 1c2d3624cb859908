"""The typed form of a RealMLP's configuration."""

import math
from dataclasses import dataclass

from automl.models.tabular.config import InputConfig, PlanConfig, parse_columns, read
from automl.space.dimensions import Config

BETA1 = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class RealMLPConfig:
    """Layers of one width; ``scale_rate`` and ``first_rate`` multiply the learning rate of those parts."""

    inputs: InputConfig
    n_layers: int
    width: int
    activation: str
    dropout: float
    scale_rate: float
    first_rate: float


def parse_realmlp(config: Config) -> RealMLPConfig:
    """Read a RealMLP; its numbers always enter through a PBLD embedding."""
    return RealMLPConfig(
        inputs=InputConfig(
            n_bins=0,
            d_numeric=read(config, "embedding_dim", int),
            d_categorical=read(config, "categorical_dim", int),
            n_frequencies=read(config, "frequencies", int),
            sigma=read(config, "sigma", float),
            is_pbld=True,
            rate_factor=read(config, "embedding_rate", float),
            columns=parse_columns(config),
        ),
        n_layers=read(config, "layers", int),
        width=read(config, "width", int),
        activation=read(config, "activation", str),
        dropout=read(config, "dropout", float),
        scale_rate=read(config, "scale_rate", float),
        first_rate=read(config, "first_rate", float),
    )


def parse_realmlp_plan(config: Config) -> PlanConfig:
    """Read how it is trained: four waves of the rate, decay and dropout that fade in the second half.

    Its gradients are not cut and its runs do not end early: between two waves the score may sink for a while.
    """
    n_epochs = read(config, "epochs", int)
    return PlanConfig(
        optimizer="adamw",
        learning_rate=read(config, "lr", float),
        weight_decay=read(config, "weight_decay", float),
        schedule="coslog4",
        n_epochs=n_epochs,
        betas=(BETA1, 1 - read(config, "beta2_gap", float)),
        clip_norm=math.inf,
        patience=n_epochs,
        decay_schedule="flat_cos",
        dropout_schedule="flat_cos",
    )
