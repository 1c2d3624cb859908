"""Start lists: defaults and configurations worth trying before any sampler proposes one.

Every entry lies in the space of every preset (a test checks it against the declared distributions): Optuna
uses enqueued numbers outside a range with a warning only.
"""

from collections.abc import Mapping

from automl.space.dimensions import Config, Value


def _dotted(changes: Mapping[str, Value]) -> dict[str, Value]:
    return {label.replace("__", "."): value for label, value in changes.items()}


def _network(**changes: Value) -> dict[str, Value]:
    config: dict[str, Value] = {
        "width": 64,
        "norm": "batch",
        "activation": "gelu",
        "numeric_view": "quantile",
        "numeric_embedding": "piecewise",
        "numeric_embedding.piecewise.bins": 96,
        "numeric_embedding.piecewise.dim": 12,
        "one_hot_limit": 16,
        "categorical_dim": 8,
        "optimizer": "adamw",
        "optimizer.adamw.lr": 5e-3,
        "optimizer.adamw.weight_decay": 1e-4,
        "schedule": "cosine",
        "epochs": 20,
    }
    config.update(_dotted(changes))
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
    return _network(**plain | _dotted(changes))


def _resnet(**changes: Value) -> dict[str, Value]:
    plain: dict[str, Value] = {
        "blocks": 2, "hidden_factor": 1.5, "hidden_dropout": 0.25, "residual_dropout": 0.0,
        "numeric_embedding.piecewise.dim": 8, "optimizer.adamw.lr": 6e-3,
    }  # fmt: skip
    return _network(**plain | _dotted(changes))


def _realmlp(**changes: Value) -> dict[str, Value]:
    plain: dict[str, Value] = {
        "layers": 3, "width": 256, "activation": "mish", "dropout": 0.15, "sigma": 0.1,
        "frequencies": 16, "embedding_dim": 4, "numeric_view": "robust", "one_hot_limit": 8,
        "categorical_dim": 8, "lr": 0.04, "first_rate": 1.0, "embedding_rate": 0.1, "scale_rate": 6.0,
        "beta2_gap": 0.05, "weight_decay": 0.02, "epochs": 24,
    }  # fmt: skip
    return plain | changes


def _tabm(**changes: Value) -> dict[str, Value]:
    plain: dict[str, Value] = {
        "copies": 16, "blocks": 2, "width": 64, "dropout": 0.1,
        "numeric_embedding": "piecewise",
        "numeric_embedding.piecewise.bins": 48, "numeric_embedding.piecewise.dim": 12,
        "numeric_view": "quantile", "one_hot_limit": 16, "categorical_dim": 8,
        "lr": 4e-3, "weight_decay": 3e-4, "schedule": "cosine", "epochs": 20,
    }  # fmt: skip
    return plain | _dotted(changes)


_LIGHTGBM_LABELS = (
    "learning_rate", "num_leaves", "feature_fraction", "bagging_fraction", "min_data_in_leaf", "lambda_l1",
    "lambda_l2", "cat_l2", "cat_smooth", "max_cat_to_onehot", "min_data_per_group",
)  # fmt: skip


def _lightgbm(*values: float, extra_trees: bool = False) -> Config:
    return {**dict(zip(_LIGHTGBM_LABELS, values, strict=True)), "extra_trees": extra_trees}


def _wide_tabm(
    blocks: int, width: int, lr: float, dropout: float, pieces: tuple[int, int], decay: float
) -> dict[str, Value]:
    """Thirty-two copies; ``pieces`` are the bins of a number and the values they become."""
    return _tabm(
        copies=32, blocks=blocks, width=width, lr=lr, dropout=dropout, weight_decay=decay,
        numeric_embedding__piecewise__bins=pieces[0], numeric_embedding__piecewise__dim=pieces[1],
        schedule="constant",
    )  # fmt: skip


MLP_DEFAULT: Config = _mlp(norm="batch", activation="silu", dropout=0.3)
RESNET_DEFAULT: Config = _resnet()
REALMLP_DEFAULT: Config = _realmlp()
TABM_DEFAULT: Config = _tabm()
TRANSFORMER_DEFAULT: Config = {
    "blocks": 3, "width": 192, "numeric_view": "quantile", "attention_dropout": 0.2, "hidden_dropout": 0.1,
    "lr": 1e-4, "weight_decay": 1e-5, "schedule": "constant", "epochs": 24,
}  # fmt: skip

# LightGBM: from AutoGluon's learned portfolios (by the numbers of its lists) and pytabkit's tuned defaults, both Apache-2.0.
# Measured on seven tables of 900 to 33,000 rows: the first four are quick and each beat the default on five or more;
# extra trees are best on tables of some thousand rows, and take five times as long.
# Networks: found by 36 random configurations per table on two tables of 23,000 and 12,000 rows, CPU, batch 256 and 512:
# many bins, narrow layers and high rates win, and train in seconds.
# RealMLP: high frequencies for columns with sharp edges, the source's rate for numbers, one of the portfolios.
# TabM-mini: fewer copies, twice as wide; then the portfolios, of a GPU's size, rounded to the grid of the space.
STARTS: Mapping[str, tuple[Config, ...]] = {
    "linear": ({"C": 0.1}, {"C": 10.0}, {"C": 0.01}),
    "boosting": (
        {"learning_rate": 0.05, "max_leaf_nodes": 31, "min_samples_leaf": 20,
         "l2_regularization": 1.0, "max_features": 0.5},
        {"learning_rate": 0.05, "max_leaf_nodes": 64, "min_samples_leaf": 10,
         "l2_regularization": 1.0, "max_features": 0.5},
    ),
    "lightgbm": (
        _lightgbm(0.0398, 16, 0.579, 0.959, 1, 0.939, 0.990, 1.90, 0.022, 27, 39),  # r31
        _lightgbm(0.04, 50, 1.0, 0.75, 40, 0.0, 0.0, 10.0, 10.0, 4, 100),  # pytabkit, classification
        _lightgbm(0.0114, 84, 0.528, 0.978, 3, 0.027, 0.838, 0.155, 0.0093, 42, 75),  # r163
        _lightgbm(0.05, 100, 1.0, 0.7, 3, 0.0, 0.0, 10.0, 10.0, 4, 100),  # pytabkit, regression
        _lightgbm(0.0179, 39, 0.462, 0.877, 3, 0.238, 0.355, 0.342, 15.4, 16, 9, extra_trees=True),  # r177
        _lightgbm(0.0180, 180, 0.404, 0.950, 12, 0.766, 1.60, 0.216, 0.064, 11, 3, extra_trees=True),  # r72
    ),
    "mlp": (
        _mlp(depth=2, residual=True, norm="batch", activation="gelu", dropout=0.05),
        _mlp(depth=2, residual=True, norm="layer", activation="selu", dropout=0.05,
             schedule="one_cycle", optimizer__adamw__weight_decay=5e-4),
        _mlp(depth=2, activation="gelu", dropout=0.0, optimizer__adamw__lr=3e-3),
    ),
    "realmlp": (
        _realmlp(width=128, dropout=0.3, sigma=10.0, numeric_view="quantile"),
        _realmlp(lr=0.2),
        _realmlp(layers=4, dropout=0.465, sigma=0.108, frequencies=64, embedding_dim=8,
                 one_hot_limit=4, categorical_dim=16, lr=0.02825, first_rate=0.553,
                 embedding_rate=0.0718, scale_rate=4.97, beta2_gap=0.0444, weight_decay=0.0413),  # r9
    ),
    "tabm": (
        _tabm(copies=8, width=128),
        _wide_tabm(5, 896, 1.364e-3, 0.108, (16, 24), 1e-6),
        _wide_tabm(2, 192, 4.215e-4, 0.0, (109, 16), 1.4e-4),
        _wide_tabm(3, 864, 1.041e-3, 0.402, (18, 24), 1e-6),
        _wide_tabm(4, 896, 2.459e-3, 0.0, (104, 8), 6.3e-4),
    ),
    "resnet": (
        _resnet(norm="layer", activation="relu", residual_dropout=0.05,
                numeric_embedding__piecewise__dim=4, schedule="constant"),
        _resnet(blocks=1, width=128, activation="relu", hidden_dropout=0.3,
                optimizer__adamw__lr=2e-3),
    ),
}  # fmt: skip
