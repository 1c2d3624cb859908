"""The families of models: what they are, where they come from, how they are searched and built.

Costs neither torch nor scikit-learn: ``build`` is a dotted name that training resolves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from automl.data.task import TaskType
from automl.data.views import ViewShape
from automl.errors import SpecError
from automl.models import spaces
from automl.models.architecture import render_architecture
from automl.models.starts import MLP_DEFAULT, RESNET_DEFAULT, STARTS
from automl.space.dimensions import Config, Space

ALL_TASKS = tuple(TaskType)


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """A kind of model.

    ``default`` is trained first, and for baselines always; an empty one means the library's own defaults.
    ``build`` is ``module:function``, resolved by ``resolve_build`` when a model is really needed.
    """

    name: str
    title: str
    summary: str
    source: str
    is_network: bool
    is_baseline: bool
    default: Config
    build: str
    tasks: tuple[TaskType, ...] = ALL_TASKS


_FAMILIES = (
    Family(
        name="constant",
        title="Constant",
        summary="Predicts the share of each class, or the mean, for every row. What any model must beat.",
        source="",
        is_network=False,
        is_baseline=True,
        default={},
        build="automl.models.tabular.constant:fit_constant",
    ),
    Family(
        name="linear",
        title="Linear",
        summary="Logistic regression or ridge on scaled numbers and one-hot categories.",
        source="scikit-learn LogisticRegression and Ridge, L2",
        is_network=False,
        is_baseline=True,
        default={"C": 1.0},
        build="automl.models.tabular.linear:fit_linear",
    ),
    Family(
        name="boosting",
        title="Boosted trees",
        summary="Histogram gradient boosting; reads missing values and categories as they are.",
        source="scikit-learn HistGradientBoosting, after Ke et al. 2017 (LightGBM)",
        is_network=False,
        is_baseline=True,
        default={},
        build="automl.models.tabular.boosting:build_boosting",
    ),
    Family(
        name="mlp",
        title="MLP",
        summary="A multilayer perceptron, plain or residual, with or without numeric embeddings.",
        source="Gorishniy et al. 2022, On Embeddings for Numerical Features",
        is_network=True,
        is_baseline=False,
        default=MLP_DEFAULT,
        build="automl.models.tabular.networks:build_mlp",
    ),
    Family(
        name="resnet",
        title="ResNet",
        summary="A residual network for tables: pre-activation blocks of two layers.",
        source="Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data",
        is_network=True,
        is_baseline=False,
        default=RESNET_DEFAULT,
        build="automl.models.tabular.networks:build_resnet",
    ),
)
FAMILIES: Mapping[str, Family] = {family.name: family for family in _FAMILIES}


def get_family(name: str) -> Family:
    """The family of that name; a foreign one is a ``SpecError``."""
    if name not in FAMILIES:
        raise SpecError(f"There is no family {name!r}.", hint=f"Choose {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def get_space(family: str, preset: str = "balanced", *, on_gpu: bool = False) -> Space:
    """The declared space of a family; empty where there is nothing to search."""
    limits = spaces.get_limits(preset, on_gpu=on_gpu)
    match get_family(family).name:
        case "linear":
            return spaces.build_linear_space()
        case "boosting":
            return spaces.build_boosting_space()
        case "mlp":
            return spaces.build_mlp_space(limits)
        case "resnet":
            return spaces.build_resnet_space(limits)
        case _:
            return {}


def get_starts(family: str) -> tuple[Config, ...]:
    """Configurations worth trying before any sampler, best first, after the default.

    Each lies in the space of every preset, on CPU and GPU.
    """
    return STARTS.get(get_family(family).name, ())


def resolve_build(family: str) -> Callable[..., Any]:
    """Import what builds a model of this family."""
    module, _, function = get_family(family).build.partition(":")
    build: Callable[..., Any] = getattr(import_module(module), function)
    return build


def describe_layers(family: str, config: Config, shape: ViewShape) -> list[dict[str, Any]]:
    """The layers of a network in order, for a drawing: ``name, kind, output, parameters`` and ``repeats``.

    ``output`` is the number of values per row after the layer. Imports torch. Families that are no
    networks have no layers: an empty list.
    """
    if not get_family(family).is_network:
        return []
    from automl.models.tabular.describe import describe_network

    return describe_network(resolve_build(family)(config, shape))


__all__ = [
    "FAMILIES", "Family", "describe_layers", "get_family", "get_space", "get_starts",
    "render_architecture", "resolve_build",
]  # fmt: skip
