"""The pretrained backbones on offer, from small and fast to large and accurate; data only, no torch.

Every entry earns its place: one per size and design, none that another beats at its speed on both counts.
Names, statistics and licences are those of timm's ``pretrained_cfg`` (a test compares them); accuracies are
ImageNet-1k top-1 of the same weights in timm's result files.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from automl.errors import SpecError

UNKNOWN_LICENCE = "unknown"
Triple = tuple[float, float, float]
IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)
HALF: Triple = (0.5, 0.5, 0.5)
ZERO: Triple = (0.0, 0.0, 0.0)
ONE: Triple = (1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Backbone:
    """One timm network with one set of weights.

    ``tag`` is timm's full name of both (``resnet18.a1_in1k``); ``millions`` of parameters without the
    classifier; ``side`` the pixels it was trained on; sides must be multiples of ``step``; ``mean`` and
    ``std`` on the scale 0..1; ``licence`` is that of the weights, not of the code; ``use`` says when to take it.
    """

    tag: str
    title: str
    millions: float
    side: int
    licence: str
    use: str
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD
    step: int = 32
    on_cpu: bool = False

    @property
    def name(self) -> str:
        """The name timm gives the architecture, without the weights."""
        return self.tag.partition(".")[0]

    @property
    def hub(self) -> str:
        """Where timm's hub keeps the weights."""
        return f"timm/{self.tag}"

    def fit_side(self, wanted: int) -> int:
        """The nearest side this network reads, at least two steps."""
        return max(2, round(wanted / self.step)) * self.step


_BACKBONES = (
    Backbone(
        tag="mobilenetv4_conv_small.e2400_r224_in1k",
        title="MobileNetV4 conv small",
        millions=2.5,
        side=224,
        licence="apache-2.0",
        use="CPU; the fastest, 73.8 % top-1",
        on_cpu=True,
    ),
    Backbone(
        tag="mobilenetv3_large_100.miil_in21k",
        title="MobileNetV3 large",
        millions=4.2,
        side=224,
        licence="apache-2.0",
        use="CPU; trained on 11,221 classes, so its features travel well (77.9 % top-1 once tuned)",
        mean=ZERO,
        std=ONE,
        on_cpu=True,
    ),
    Backbone(
        tag="efficientnet_b0.ra_in1k",
        title="EfficientNet-B0",
        millions=4.0,
        side=224,
        licence="apache-2.0",
        use="few parameters, 77.7 % top-1",
    ),
    Backbone(
        tag="resnet18.a1_in1k",
        title="ResNet-18",
        millions=11.2,
        side=224,
        licence="apache-2.0",
        use="the plain reference, quick on every device, 71.5 % top-1",
        on_cpu=True,
    ),
    Backbone(
        tag="vit_tiny_patch16_224.augreg_in21k_ft_in1k",
        title="ViT-Ti/16",
        millions=5.5,
        side=224,
        licence="apache-2.0",
        use="the smallest with attention maps, 75.5 % top-1",
        mean=HALF,
        std=HALF,
        step=16,
    ),
    Backbone(
        tag="tiny_vit_5m_224.dist_in22k_ft_in1k",
        title="TinyViT 5M",
        millions=5.1,
        side=224,
        licence="apache-2.0",
        use="fast on a GPU, 80.9 % top-1",
    ),
    Backbone(
        tag="repvit_m1_1.dist_450e_in1k",
        title="RepViT M1.1",
        millions=7.8,
        side=224,
        licence="apache-2.0",
        use="fast on a GPU, 81.3 % top-1",
    ),
    Backbone(
        tag="mobilenetv4_conv_medium.e500_r224_in1k",
        title="MobileNetV4 conv medium",
        millions=8.4,
        side=224,
        licence="apache-2.0",
        use="fast, convolutions only, 79.1 % top-1",
    ),
    Backbone(
        tag="vit_small_patch16_224.augreg_in21k_ft_in1k",
        title="ViT-S/16",
        millions=21.7,
        side=224,
        licence="apache-2.0",
        use="attention maps, 81.4 % top-1",
        mean=HALF,
        std=HALF,
        step=16,
    ),
    Backbone(
        tag="tiny_vit_21m_224.dist_in22k_ft_in1k",
        title="TinyViT 21M",
        millions=20.6,
        side=224,
        licence="apache-2.0",
        use="default quality on a GPU, 85.1 % top-1",
    ),
    Backbone(
        tag="swin_tiny_patch4_window7_224.ms_in22k_ft_in1k",
        title="Swin-T",
        millions=27.5,
        side=224,
        licence="mit",
        use="windows of attention, 80.9 % top-1",
    ),
    Backbone(
        tag="convnext_tiny.in12k_ft_in1k",
        title="ConvNeXt-T",
        millions=27.8,
        side=224,
        licence="apache-2.0",
        use="strong, convolutions only, 84.2 % top-1",
    ),
    Backbone(
        tag="caformer_b36.sail_in22k_ft_in1k",
        title="CAFormer-B36",
        millions=93.3,
        side=224,
        licence="apache-2.0",
        use="the most accurate, slow, 87.5 % top-1",
    ),
)
BACKBONES: Mapping[str, Backbone] = {backbone.tag: backbone for backbone in _BACKBONES}


def get_backbone(tag: str) -> Backbone:
    """The backbone of that tag; a foreign one is a ``SpecError``."""
    if tag not in BACKBONES:
        raise SpecError(
            f"There is no backbone {tag!r} in the list.", hint=f"Choose {', '.join(BACKBONES)}."
        )
    return BACKBONES[tag]
