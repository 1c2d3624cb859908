"""The families of models: what they are, where they come from, how they are searched and built.

Costs neither torch nor scikit-learn: ``build`` is a dotted name that training resolves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from automl.data.dataset import DataKind
from automl.data.task import TaskType
from automl.data.views import ViewShape
from automl.errors import SpecError
from automl.models import spaces
from automl.models.architecture import render_architecture
from automl.models.image.starts import (
    CLASSIC_DEFAULT,
    CNN_DEFAULT,
    IMAGE_STARTS,
    PRETRAINED_DEFAULT,
)
from automl.models.starts import (
    MLP_DEFAULT,
    REALMLP_DEFAULT,
    RESNET_DEFAULT,
    STARTS,
    TABM_DEFAULT,
    TRANSFORMER_DEFAULT,
)
from automl.models.tabular.loss_config import SpaceFacts, build_loss_space
from automl.models.tabular.target_encoding import (
    build_encoding_space,
    count_encoded,
    is_encoded,
    widen_shape,
)
from automl.space.dimensions import Config, Space

ALL_TASKS = tuple(TaskType)
CLASSES = (TaskType.BINARY, TaskType.MULTICLASS)
BOTH = tuple(DataKind)
IMAGES = (DataKind.IMAGES,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """A kind of model.

    ``default`` is trained first, and for baselines always; an empty one means the library's own defaults.
    ``is_seeded``: whether two seeds give two models. ``build`` is ``module:function``, resolved by ``resolve_build`` when a model is really needed.
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
    data: tuple[DataKind, ...] = (DataKind.TABLE,)
    is_seeded: bool = True


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
        data=BOTH,
        is_seeded=False,
    ),
    Family(
        name="linear",
        title="Linear",
        summary="Logistic regression or ridge on scaled numbers and one-hot categories; of a picture it reads "
        "8 × 8 mean values.",
        source="scikit-learn LogisticRegression and Ridge, L2",
        is_network=False,
        is_baseline=True,
        default={"C": 1.0},
        build="automl.models.tabular.linear:fit_linear",
        data=BOTH,
        is_seeded=False,
    ),
    Family(
        name="lightgbm",
        title="LightGBM",
        summary="Boosted trees that grow leaf by leaf; 100 of them with the library's defaults, up to 10,000 searched.",
        source="Ke et al. 2017, LightGBM: A Highly Efficient Gradient Boosting Decision Tree",
        is_network=False,
        is_baseline=True,
        default={},
        build="automl.models.tabular.lightgbm:build_lightgbm",
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
        name="realmlp",
        title="RealMLP",
        summary="An MLP whose parts were tuned together on many tables: periodic embeddings, weighed inputs, rates of "
        "their own, four waves of the learning rate.",
        source="Holzmüller et al. 2024, Better by Default",
        is_network=True,
        is_baseline=False,
        default=REALMLP_DEFAULT,
        build="automl.models.tabular.realmlp:build_realmlp",
    ),
    Family(
        name="tabm",
        title="TabM-mini",
        summary="Many weak copies of one MLP that share its layers and predict together.",
        source="Gorishniy et al. 2024, TabM",
        is_network=True,
        is_baseline=False,
        default=TABM_DEFAULT,
        build="automl.models.tabular.tabm:build_tabm",
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
    Family(
        name="ft_transformer",
        title="FT-Transformer",
        summary="Columns as tokens that attend to each other; only on a GPU, up to 60 columns and 100,000 rows.",
        source="Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data",
        is_network=True,
        is_baseline=False,
        default=TRANSFORMER_DEFAULT,
        build="automl.models.tabular.transformer:build_transformer",
    ),
    Family(
        name="small_cnn",
        title="Small CNN",
        summary="Two convolutions and a dense layer: the yardstick of all networks that are searched for.",
        source="after LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition",
        is_network=True,
        is_baseline=True,
        default={},
        build="automl.models.image.small_cnn:build_small_cnn",
        tasks=CLASSES,
        data=IMAGES,
    ),
    Family(
        name="cnn",
        title="Searched CNN",
        summary="Stem, stages and blocks found by the search, together with how the network is trained.",
        source="macro space after ResNet, MobileNet, DenseNet, Inception, ViT and MLP-Mixer blocks",
        is_network=True,
        is_baseline=False,
        default=CNN_DEFAULT,
        build="automl.models.image.macro:build_macro",
        tasks=CLASSES,
        data=IMAGES,
    ),
    Family(
        name="classic",
        title="Classical network",
        summary="Architectures by name, LeNet-5 to ViT, trained from scratch at the size of the pictures; transformers "
        "need some 50,000 of them.",
        source="the papers of each architecture; see the list of names",
        is_network=True,
        is_baseline=False,
        default=CLASSIC_DEFAULT,
        build="automl.models.image.classic:build_classic",
        tasks=CLASSES,
        data=IMAGES,
    ),
    Family(
        name="pretrained",
        title="Pretrained network",
        summary="A timm backbone with weights from a folder or, when you allow it, from timm's hub.",
        source="timm (Wightman)",
        is_network=True,
        is_baseline=False,
        default=PRETRAINED_DEFAULT,
        build="automl.models.image.pretrained:build_pretrained",
        tasks=CLASSES,
        data=IMAGES,
    ),
)
FAMILIES: Mapping[str, Family] = {family.name: family for family in _FAMILIES}


def get_family(name: str) -> Family:
    """The family of that name; a foreign one is a ``SpecError``."""
    if name not in FAMILIES:
        raise SpecError(f"There is no family {name!r}.", hint=f"Choose {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def list_families(kind: DataKind) -> tuple[str, ...]:
    """Names of the families that learn from this kind of data, in the order of the catalog."""
    return tuple(family.name for family in _FAMILIES if kind in family.data)


def list_baselines(kind: DataKind) -> tuple[str, ...]:
    """Names of the baselines for this kind of data, the simplest first."""
    return tuple(name for name in list_families(kind) if FAMILIES[name].is_baseline)


def get_space(
    family: str,
    preset: str = "balanced",
    *,
    on_gpu: bool = False,
    side: int = 0,
    facts: SpaceFacts | None = None,
) -> Space:
    """The declared space of a family; empty where there is nothing to search. ``side``: of pictures, pixels.

    With ``facts`` about the task the networks for tables may choose among the losses that fit it, and all that is
    searched may encode wide categories by their target.
    """
    limits = spaces.get_limits(preset, on_gpu=on_gpu)
    if get_family(family).data == IMAGES:
        from automl.models.image.spaces import get_image_space

        return get_image_space(family, preset, on_gpu=on_gpu, side=side)
    losses = build_loss_space(facts) if facts and get_family(family).is_network else {}
    space = _get_table_space(family, limits)
    has_choice = facts and facts.has_wide and space and family != "linear"
    return {**space, **losses, **(build_encoding_space() if has_choice else {})}


def _get_table_space(family: str, limits: spaces.Limits) -> Space:
    match family:
        case "linear":
            return spaces.build_linear_space()
        case "boosting":
            return spaces.build_boosting_space()
        case "lightgbm":
            return spaces.build_lightgbm_space()
        case name:
            return spaces.build_network_space(name, limits)


def get_starts(family: str) -> tuple[Config, ...]:
    """Configurations worth trying before any sampler, best first, after the default.

    Those for tables lie in the space of every preset, on CPU and GPU, but for some of RealMLP and TabM-mini that
    are of a thorough search's or a GPU's size; those for pictures in that of all presets on a GPU, or on both.
    """
    name = get_family(family).name
    return STARTS.get(name) or IMAGE_STARTS.get(name, ())


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
    if get_family(family).data == IMAGES:
        from automl.models.image.describe import describe_image_network

        return describe_image_network(family, config, shape)
    from automl.models.tabular.describe import describe_network

    if is_encoded(config):
        shape = widen_shape(shape, count_encoded(shape), is_network=True)
    return describe_network(resolve_build(family)(config, shape))


__all__ = [
    "FAMILIES", "Family", "describe_layers", "get_family", "get_space", "get_starts", "list_baselines",
    "list_families", "render_architecture", "resolve_build",
]  # fmt: skip
