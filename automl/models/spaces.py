"""The declared search spaces, as data: no torch, no Optuna.

Presets change sizes, not labels: ``quick`` has fewer and smaller networks and short runs, ``balanced`` is the
default, ``thorough`` is wider and longer. On CPU widths stay within 32-256, on GPUs they reach 512 (1024 for
``thorough``). Optimisers have their learning rates under separate labels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from automl.errors import SpecError
from automl.space.dimensions import Choice, Float, Int, Space, Switch


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a preset allows; epochs and widths are ``(low, high)``."""

    depth: int
    widths: tuple[int, int]
    epochs: tuple[int, int]
    bins: int
    copies: tuple[int, ...]


FEW_COPIES, MANY_COPIES = (8, 16), (8, 16, 32)
LIMITS = {
    ("quick", False): Limits(depth=3, widths=(32, 128), epochs=(8, 24), bins=96, copies=FEW_COPIES),
    ("balanced", False): Limits(
        depth=4, widths=(32, 256), epochs=(8, 40), bins=128, copies=FEW_COPIES
    ),
    ("thorough", False): Limits(
        depth=5, widths=(32, 256), epochs=(12, 96), bins=128, copies=FEW_COPIES
    ),
    ("quick", True): Limits(depth=3, widths=(64, 256), epochs=(8, 32), bins=96, copies=MANY_COPIES),
    ("balanced", True): Limits(
        depth=5, widths=(64, 512), epochs=(12, 96), bins=128, copies=MANY_COPIES
    ),
    ("thorough", True): Limits(
        depth=5, widths=(64, 1024), epochs=(16, 256), bins=128, copies=MANY_COPIES
    ),
}
PRESETS = ("quick", "balanced", "thorough")


def get_limits(preset: str, *, on_gpu: bool) -> Limits:
    """The limits of a preset; a foreign name is a ``SpecError``."""
    if preset not in PRESETS:
        raise SpecError(f"There is no preset {preset!r}.", hint=f"Choose {', '.join(PRESETS)}.")
    return LIMITS[preset, on_gpu]


def build_linear_space() -> Space:
    """Strength of the L2 penalty; ``C`` is its inverse, as in scikit-learn."""
    return {"C": Float(low=1e-4, high=1e3, log=True)}


def build_boosting_space() -> Space:
    """Boosted trees with early stopping on the select part."""
    return {
        "learning_rate": Float(low=0.03, high=0.3, log=True),
        "max_leaf_nodes": Int(low=8, high=128, log=True),
        "min_samples_leaf": Int(low=3, high=80, log=True),
        "l2_regularization": Float(low=1e-3, high=30.0, log=True),
        "max_features": Float(low=0.3, high=1.0),
    }


def build_lightgbm_space() -> Space:
    """LightGBM's own names; ranges that hold the configurations of learned portfolios (``starts``)."""
    return {
        "learning_rate": Float(low=0.005, high=0.2, log=True),
        "num_leaves": Int(low=4, high=256, log=True),
        "feature_fraction": Float(low=0.4, high=1.0),
        "bagging_fraction": Float(low=0.5, high=1.0),
        "min_data_in_leaf": Int(low=1, high=100, log=True),
        "lambda_l1": Float(low=0.0, high=1.0),
        "lambda_l2": Float(low=0.0, high=10.0),
        "extra_trees": Choice(options=(False, True)),
        "cat_l2": Float(low=0.005, high=10.0, log=True),
        "cat_smooth": Float(low=0.005, high=100.0, log=True),
        "max_cat_to_onehot": Int(low=4, high=100, log=True),
        "min_data_per_group": Int(low=2, high=100, log=True),
    }


def build_network_space(family: str, limits: Limits) -> Space:
    """The space of a network for tables; empty for any other family."""
    build = _NETWORKS.get(family)
    return {} if build is None else build(limits)


def build_mlp_space(limits: Limits) -> Space:
    """Depth, widths, connectivity, normalisation, inputs and training of an MLP."""
    return {
        "depth": Int(low=1, high=limits.depth),
        "width": _build_width(limits),
        "taper": Choice(options=(1.0, 0.75, 0.5)),
        "residual": Choice(options=(False, True)),
        "norm": Choice(options=("none", "batch", "layer")),
        "activation": Choice(options=("relu", "gelu", "silu", "mish", "selu")),
        "dropout": Float(low=0.0, high=0.5),
        **_build_inputs(limits),
        **_build_plan(limits),
    }


def build_resnet_space(limits: Limits) -> Space:
    """Blocks, widths, inputs and training of a tabular ResNet."""
    return {
        "blocks": Int(low=1, high=max(2, limits.depth - 1)),
        "width": _build_width(limits),
        "hidden_factor": Choice(options=(1.0, 1.5, 2.0)),
        "norm": Choice(options=("batch", "layer")),
        "activation": Choice(options=("relu", "gelu", "silu")),
        "hidden_dropout": Float(low=0.0, high=0.5),
        "residual_dropout": Float(low=0.0, high=0.3),
        **_build_inputs(limits),
        **_build_plan(limits),
    }


def build_realmlp_space(limits: Limits) -> Space:
    """RealMLP: layers, embedding, dropout, and learning rates of its parts.

    Its rates belong to its parametrisation: they mean nothing to another family.
    """
    return {
        "layers": Int(low=2, high=max(3, limits.depth - 1)),
        "width": Int(low=64, high=max(256, limits.widths[1] // 2), step=64),
        "activation": Choice(options=("selu", "mish", "silu")),
        "dropout": Float(low=0.0, high=0.5),
        "sigma": Float(low=0.01, high=50.0, log=True),
        "frequencies": Int(low=8, high=64, log=True),
        "embedding_dim": Int(low=4, high=16, step=4),
        "numeric_view": _build_view(),
        "one_hot_limit": _build_one_hot(),
        "categorical_dim": Int(low=4, high=16, step=4),
        "lr": Float(low=0.02, high=0.3, log=True),
        "first_rate": Float(low=0.3, high=1.5, log=True),
        "embedding_rate": Float(low=0.05, high=0.3, log=True),
        "scale_rate": Float(low=2.0, high=10.0, log=True),
        "beta2_gap": Float(low=0.005, high=0.05, log=True),
        "weight_decay": Float(low=1e-3, high=5e-2, log=True),
        "epochs": _build_epochs(limits),
    }


def build_tabm_space(limits: Limits) -> Space:
    """TabM-mini: copies, blocks, inputs and training."""
    return {
        "copies": Choice(options=limits.copies),
        "blocks": Int(low=1, high=limits.depth),
        "width": _build_width(limits),
        "dropout": Float(low=0.0, high=0.5),
        **_build_inputs(limits),
        **_build_plain_plan(limits, lr=(1e-4, 5e-3)),
    }


def build_transformer_space(limits: Limits) -> Space:
    """FT-Transformer: blocks, width of a token and training."""
    return {
        "blocks": Int(low=1, high=max(3, limits.depth - 1)),
        "width": Int(low=64, high=256, step=32),
        "numeric_view": _build_view(),
        "attention_dropout": Float(low=0.0, high=0.5),
        "hidden_dropout": Float(low=0.0, high=0.5),
        **_build_plain_plan(limits, lr=(1e-5, 1e-3)),
    }


def _build_width(limits: Limits) -> Int:
    return Int(low=limits.widths[0], high=limits.widths[1], step=32)


def _build_inputs(limits: Limits) -> Space:
    return {
        "numeric_view": _build_view(),
        "numeric_embedding": Switch(
            branches={
                "piecewise": {
                    "bins": Int(low=16, high=limits.bins, log=True),
                    "dim": Int(low=4, high=24, step=4),
                },
                "periodic": {
                    "frequencies": Int(low=16, high=96, log=True),
                    "dim": Int(low=8, high=32, step=4),
                    "sigma": Float(low=0.01, high=10.0, log=True),
                },
                "pbld": {
                    "frequencies": Int(low=8, high=64, log=True),
                    "dim": Int(low=4, high=16, step=4),
                    "sigma": Float(low=0.01, high=10.0, log=True),
                },
                "none": {},
            }
        ),
        "one_hot_limit": _build_one_hot(),
        "categorical_dim": Int(low=4, high=16, step=4),
    }


def _build_plan(limits: Limits) -> Space:
    return {
        "optimizer": Switch(
            branches={
                "adamw": {
                    "lr": Float(low=5e-4, high=1.5e-2, log=True),
                    "weight_decay": Float(low=1e-6, high=1e-1, log=True),
                },
                "sgd": {
                    "lr": Float(low=1e-2, high=3e-1, log=True),
                    "weight_decay": Float(low=1e-6, high=1e-3, log=True),
                },
            }
        ),
        "schedule": Choice(options=("cosine", "constant", "one_cycle")),
        "epochs": _build_epochs(limits),
    }


def _build_plain_plan(limits: Limits, *, lr: tuple[float, float]) -> Space:
    return {
        "lr": Float(low=lr[0], high=lr[1], log=True),
        "weight_decay": Float(low=1e-6, high=1e-1, log=True),
        "schedule": Choice(options=("cosine", "constant", "one_cycle")),
        "epochs": _build_epochs(limits),
    }


def _build_view() -> Choice:
    return Choice(options=("quantile", "robust", "standard"))


def _build_one_hot() -> Choice:
    return Choice(options=(4, 8, 16))


def _build_epochs(limits: Limits) -> Int:
    return Int(low=limits.epochs[0], high=limits.epochs[1], log=True)


_NETWORKS: Mapping[str, Callable[[Limits], Space]] = {
    "mlp": build_mlp_space,
    "resnet": build_resnet_space,
    "realmlp": build_realmlp_space,
    "tabm": build_tabm_space,
    "ft_transformer": build_transformer_space,
}
