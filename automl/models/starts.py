"""Start lists: defaults and configurations worth trying before any sampler proposes one.

Every entry lies in the space of every preset (a test checks it against the declared distributions): Optuna
uses enqueued numbers outside a range with a warning only.
"""

from collections.abc import Mapping

from automl.space.dimensions import Config, Value


def _network(**changes: Value) -> dict[str, Value]:
    config: dict[str, Value] = {
        "width": 128,
        "norm": "batch",
        "activation": "relu",
        "numeric_embedding": "piecewise",
        "numeric_embedding.piecewise.bins": 48,
        "numeric_embedding.piecewise.dim": 12,
        "categorical_dim": 8,
        "optimizer": "adamw",
        "optimizer.adamw.lr": 2e-3,
        "optimizer.adamw.weight_decay": 1e-4,
        "schedule": "cosine",
        "epochs": 16,
    }
    config.update({label.replace("__", "."): value for label, value in changes.items()})
    if config["numeric_embedding"] == "none":
        config = {
            label: value
            for label, value in config.items()
            if not label.startswith("numeric_embedding.")
        }
    return config


def _mlp(**changes: Value) -> dict[str, Value]:
    plain: dict[str, Value] = {
        "depth": 3, "taper": 1.0, "residual": False, "norm": "none", "dropout": 0.1,
    }  # fmt: skip
    return _network(**{**plain, **changes})


def _resnet(**changes: Value) -> dict[str, Value]:
    plain: dict[str, Value] = {
        "blocks": 2, "hidden_factor": 2.0, "hidden_dropout": 0.15, "residual_dropout": 0.0,
    }  # fmt: skip
    return _network(**{**plain, **changes})


MLP_DEFAULT: Config = _mlp()
RESNET_DEFAULT: Config = _resnet()

STARTS: Mapping[str, tuple[Config, ...]] = {
    "boosting": (
        {"learning_rate": 0.05, "max_leaf_nodes": 31, "min_samples_leaf": 20,
         "l2_regularization": 1.0, "max_features": 0.5},
        {"learning_rate": 0.05, "max_leaf_nodes": 64, "min_samples_leaf": 10,
         "l2_regularization": 1.0, "max_features": 0.5},
    ),
    "mlp": (
        _mlp(residual=True, norm="layer", activation="gelu"),
        _mlp(depth=2, dropout=0.3, norm="batch"),
        _mlp(depth=2, width=128, numeric_embedding="none", taper=0.5, activation="silu"),
    ),
    "resnet": (
        _resnet(width=96, blocks=1, activation="silu"),
    ),
}  # fmt: skip
