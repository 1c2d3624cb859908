"""How the networks of each family are trained, read from a flat configuration."""

from automl.models.tabular.config import PlanConfig, read
from automl.models.tabular.realmlp_config import parse_realmlp_plan
from automl.space.dimensions import Config


def parse_plan(family: str, config: Config) -> PlanConfig:
    """Read how a network is trained: by a chosen optimiser, or as its family always is."""
    if family == "realmlp":
        return parse_realmlp_plan(config)
    optimizer = read(config, "optimizer", str) if "optimizer" in config else "adamw"
    stem = f"optimizer.{optimizer}." if "optimizer" in config else ""
    return PlanConfig(
        optimizer=optimizer,
        learning_rate=read(config, stem + "lr", float),
        weight_decay=read(config, stem + "weight_decay", float),
        schedule=read(config, "schedule", str),
        n_epochs=read(config, "epochs", int),
    )
