"""The classical networks on offer, as data: no torch."""

from collections.abc import Mapping
from dataclasses import dataclass

from automl.errors import SpecError
from automl.models.tabular.config import read
from automl.space.dimensions import Choice, Config, Space

WIDTHS = (0.25, 0.5, 1.0)
FEW_PICTURES = 50_000  # transformers trained from scratch on fewer fall behind convolutions


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassicName:
    """An architecture: ``build`` is ``module:function`` below this package; ``learns_slowly`` from few pictures."""

    title: str
    source: str
    build: str
    learns_slowly: bool = False


CLASSICS: Mapping[str, ClassicName] = {
    "lenet5": ClassicName(
        title="LeNet-5",
        source="LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition",
        build="classic_early:build_lenet5",
    ),
    "alexnet": ClassicName(
        title="AlexNet",
        source="Krizhevsky et al. 2012, ImageNet Classification with Deep CNNs",
        build="classic_early:build_alexnet",
    ),
    "vgg11_bn": ClassicName(
        title="VGG-11 with batch norm",
        source="Simonyan & Zisserman 2015, Very Deep Convolutional Networks; global pooling instead of the FC layers",
        build="classic_early:build_vgg11",
    ),
    "googlenet": ClassicName(
        title="GoogLeNet",
        source="Szegedy et al. 2015, Going Deeper with Convolutions; with batch norm, without auxiliary heads",
        build="classic_early:build_googlenet",
    ),
    "resnet18": ClassicName(
        title="ResNet-18",
        source="He et al. 2016, Deep Residual Learning for Image Recognition",
        build="classic_residual:build_resnet18",
    ),
    "resnet18_v2": ClassicName(
        title="ResNet-18 v2",
        source="He et al. 2016, Identity Mappings in Deep Residual Networks",
        build="classic_residual:build_resnet18_v2",
    ),
    "se_resnet18": ClassicName(
        title="SE-ResNet-18",
        source="Hu et al. 2018, Squeeze-and-Excitation Networks",
        build="classic_residual:build_se_resnet18",
    ),
    "wrn16_4": ClassicName(
        title="Wide ResNet 16-4",
        source="Zagoruyko & Komodakis 2016, Wide Residual Networks",
        build="classic_residual:build_wrn16_4",
    ),
    "densenet_bc": ClassicName(
        title="DenseNet-BC",
        source="Huang et al. 2017, Densely Connected Convolutional Networks; 40 layers of growth 12 below 96 px, else DenseNet-121",
        build="classic_residual:build_densenet_bc",
    ),
    "mobilenet_v1": ClassicName(
        title="MobileNet V1",
        source="Howard et al. 2017, MobileNets",
        build="classic_mobile:build_mobilenet_v1",
    ),
    "mobilenet_v2": ClassicName(
        title="MobileNet V2",
        source="Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks",
        build="classic_mobile:build_mobilenet_v2",
    ),
    "mobilenet_v3_small": ClassicName(
        title="MobileNet V3 small",
        source="Howard et al. 2019, Searching for MobileNetV3",
        build="classic_mobile:build_mobilenet_v3_small",
    ),
    "shufflenet_v2": ClassicName(
        title="ShuffleNet v2",
        source="Ma et al. 2018, ShuffleNet V2: Practical Guidelines",
        build="classic_mobile:build_shufflenet_v2",
    ),
    "efficientnet_b0": ClassicName(
        title="EfficientNet-B0",
        source="Tan & Le 2019, EfficientNet; without stochastic depth",
        build="classic_mobile:build_efficientnet_b0",
    ),
    "vit_tiny": ClassicName(
        title="ViT tiny",
        source="Dosovitskiy et al. 2021, An Image is Worth 16x16 Words; mean of the tokens instead of a class token",
        build="classic_tokens:build_vit_tiny",
        learns_slowly=True,
    ),
    "cct7": ClassicName(
        title="CCT-7/3×1",
        source="Hassani et al. 2021, Escaping the Big Data Paradigm with Compact Transformers",
        build="classic_tokens:build_cct7",
    ),
    "mixer_tiny": ClassicName(
        title="MLP-Mixer tiny",
        source="Tolstikhin et al. 2021, MLP-Mixer: An all-MLP Architecture for Vision",
        build="classic_tokens:build_mixer_tiny",
        learns_slowly=True,
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassicConfig:
    """Which network, and by what its channels are multiplied."""

    name: str
    width: float


def build_classic_space(*, on_gpu: bool) -> Space:
    """Names and widths; without a GPU at most half the width."""
    return {
        "name": Choice(options=tuple(CLASSICS)),
        "width": Choice(options=WIDTHS if on_gpu else WIDTHS[:2]),
    }


def parse_classic(config: Config) -> ClassicConfig:
    """Read name and width; a foreign name or a width outside of 0.1 to 4 is a ``SpecError``."""
    name, width = read(config, "name", str), read(config, "width", float)
    if name not in CLASSICS:
        raise SpecError(
            f"There is no classical network {name!r}.", hint=f"Choose {', '.join(CLASSICS)}."
        )
    if not 0.1 <= width <= 4:
        raise SpecError(f"A width of {width} is not between 0.1 and 4.", hint="1 is the original.")
    return ClassicConfig(name=name, width=width)


def render_classic(config: Config) -> str:
    """``ResNet-18, half width``: the name, and the width where it is not the original."""
    parsed = parse_classic(config)
    title = CLASSICS[parsed.name].title
    return title if parsed.width == 1 else f"{title}, width × {parsed.width:g}"


def find_caution(space: Space, n_rows: int) -> str:
    """A sentence where a space offers networks that need more training pictures than ``n_rows``; else empty."""
    names = space.get("name")
    if not isinstance(names, Choice) or n_rows >= FEW_PICTURES:
        return ""
    slow = [
        CLASSICS[name].title
        for name in CLASSICS
        if CLASSICS[name].learns_slowly and name in names.options
    ]
    if not slow:
        return ""
    return (
        f"The search may try {' and '.join(slow)}. Trained from scratch on {n_rows:,} pictures (below "
        f"{FEW_PICTURES:,}) such networks usually fall behind convolutional ones."
    )
