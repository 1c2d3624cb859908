"""The declared search spaces, as data: no torch, no Optuna.

Presets change sizes, not labels: ``quick`` has fewer and smaller networks and short runs, ``balanced`` is the
default, ``thorough`` is wider and longer. On CPU widths stay within 32-256, on GPUs they reach 512 (1024 for
``thorough``). Optimisers have their learning rates under separate labels.
"""

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


LIMITS = {
    ("quick", False): Limits(depth=3, widths=(32, 128), epochs=(8, 24), bins=96),
    ("balanced", False): Limits(depth=4, widths=(32, 256), epochs=(8, 40), bins=128),
    ("thorough", False): Limits(depth=5, widths=(32, 256), epochs=(12, 96), bins=128),
    ("quick", True): Limits(depth=3, widths=(64, 256), epochs=(8, 32), bins=96),
    ("balanced", True): Limits(depth=5, widths=(64, 512), epochs=(12, 96), bins=128),
    ("thorough", True): Limits(depth=5, widths=(64, 1024), epochs=(16, 256), bins=128),
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


def _build_width(limits: Limits) -> Int:
    return Int(low=limits.widths[0], high=limits.widths[1], step=32)


def _build_inputs(limits: Limits) -> Space:
    return {
        "numeric_view": Choice(options=("quantile", "robust", "standard")),
        "numeric_embedding": Switch(
            branches={
                "piecewise": {
                    "bins": Int(low=16, high=limits.bins, log=True),
                    "dim": Int(low=4, high=24, step=4),
                },
                "none": {},
            }
        ),
        "one_hot_limit": Choice(options=(4, 8, 16)),
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
        "epochs": Int(low=limits.epochs[0], high=limits.epochs[1], log=True),
    }
