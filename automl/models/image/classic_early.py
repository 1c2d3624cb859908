"""LeNet-5, AlexNet, VGG and GoogLeNet."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.models.image.blocks import ConvUnit
from automl.models.image.classic import ClassicNetwork, Plan, Segment
from automl.models.image.heads import Classifier
from automl.models.image.macro_config import Style

STYLE = Style(kernel=3, norm="batch", activation="relu", pool="max", squeeze=0)


class Pool(nn.MaxPool2d):
    """Max pooling that leaves a map alone which is smaller than its window.

    Shape: ``(n, d, h, w) → (n, d, h', w')``
    """

    def __init__(self, kernel: int, *, padding: int = 0) -> None:
        super().__init__(kernel, stride=2, padding=padding)
        self.smallest = kernel - 2 * padding

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if min(x.shape[-2:]) >= self.smallest else x


class Enlarge(nn.Module):
    """Repeat the pixels of pictures below ``side``, then frame them with zeros; larger ones stay.

    Shape: ``(n, C, S, S) → (n, C, max(S, side), max(S, side))``
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        factor = self.side // x.shape[-1]
        if factor > 1:
            x = functional.interpolate(x, scale_factor=factor, mode="nearest")
        missing = max(0, self.side - x.shape[-1])
        low, high = missing // 2, missing - missing // 2
        return functional.pad(x, (low, high, low, high)) if missing else x


class DenseHead(nn.Module):
    """Cells of a fixed grid, then dense layers: the heads of the first convolutional networks.

    Shape: ``(n, d, h, w) → (n, n_outputs)``; maps of another size are averaged into the cells
    """

    def __init__(
        self, widths: tuple[int, ...], grid: int, activation: type[nn.Module], dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.widths = widths
        self.grid = grid
        self.layers = nn.Sequential()
        d_in = widths[0] * grid * grid
        for width in widths[1:-1]:
            if dropout:
                self.layers.append(nn.Dropout(dropout))
            self.layers.extend([nn.Linear(d_in, width), activation()])
            d_in = width
        self.layers.append(nn.Linear(d_in, widths[-1]))

    def forward(self, features: Tensor) -> Tensor:
        size = (self.grid, self.grid)
        if features.shape[-2:] != size:
            features = functional.adaptive_avg_pool2d(features, size)
        logits: Tensor = self.layers(features.flatten(1))
        return logits

    def extra_repr(self) -> str:
        """Grid and widths in words."""
        return f"{self.grid}×{self.grid} cells, " + "-".join(map(str, self.widths[1:]))


def build_lenet5(plan: Plan) -> ClassicNetwork:
    """LeNet-5: 6@5 and 16@5 with average pooling, 120, 84; tanh, every map of the second layer sees all six.

    Pictures below 32 px are repeated and framed to 32, as the original framed 28.
    """
    first, second = plan.scale(6, 2), plan.scale(16, 2)
    widths = (second, plan.scale(120), plan.scale(84), plan.n_outputs)
    return ClassicNetwork(
        [
            Segment(
                name="Conv 1",
                kind="conv 5×5, tanh, average pool",
                module=nn.Sequential(
                    Enlarge(32), nn.Conv2d(plan.channels, first, 5), nn.Tanh(), nn.AvgPool2d(2)
                ),
            ),
            Segment(
                name="Conv 2",
                kind="conv 5×5, tanh, average pool",
                module=nn.Sequential(nn.Conv2d(first, second, 5), nn.Tanh(), nn.AvgPool2d(2)),
            ),
        ],
        DenseHead(widths, 5, nn.Tanh),
    )


def build_alexnet(plan: Plan) -> ClassicNetwork:
    """AlexNet with groups and local response norm; below 96 px with batch norm and global pooling."""
    return _build_small_alexnet(plan) if plan.is_small else _build_full_alexnet(plan)


def _build_full_alexnet(plan: Plan) -> ClassicNetwork:
    c1, c2, c3, c5, d_dense = (plan.scale(c, 16) for c in (96, 256, 384, 256, 4096))
    first = [nn.Conv2d(plan.channels, c1, 11, stride=4, padding=2), nn.ReLU(), _respond(), Pool(3)]
    second = [nn.Conv2d(c1, c2, 5, padding=2, groups=2), nn.ReLU(), _respond(), Pool(3)]
    rest = [
        nn.Conv2d(c2, c3, 3, padding=1), nn.ReLU(),
        nn.Conv2d(c3, c3, 3, padding=1, groups=2), nn.ReLU(),
        nn.Conv2d(c3, c5, 3, padding=1, groups=2), nn.ReLU(), Pool(3),
    ]  # fmt: skip
    return ClassicNetwork(
        [
            Segment(name="Conv 1", kind="conv 11×11, stride 4", module=nn.Sequential(*first)),
            Segment(name="Conv 2", kind="conv 5×5, 2 groups", module=nn.Sequential(*second)),
            Segment(name="Conv 3 to 5", kind="conv 3×3", module=nn.Sequential(*rest)),
        ],
        DenseHead((c5, d_dense, d_dense, plan.n_outputs), 6, nn.ReLU, dropout=0.5),
    )


def _respond() -> nn.Module:
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)


def _build_small_alexnet(plan: Plan) -> ClassicNetwork:
    c1, c2, c3, c4 = (plan.scale(c) for c in (64, 192, 384, 256))
    return ClassicNetwork(
        [
            Segment(name="Conv 1", kind="conv 5×5, max pool",
                    module=nn.Sequential(ConvUnit(plan.channels, c1, 5, STYLE), Pool(3, padding=1))),
            Segment(name="Conv 2", kind="conv 5×5, max pool",
                    module=nn.Sequential(ConvUnit(c1, c2, 5, STYLE), Pool(3, padding=1))),
            Segment(name="Conv 3 to 5", kind="conv 3×3, max pool",
                    module=nn.Sequential(ConvUnit(c2, c3, 3, STYLE), ConvUnit(c3, c4, 3, STYLE),
                                         ConvUnit(c4, c4, 3, STYLE), Pool(3, padding=1))),
        ],
        Classifier(c4, plan.n_outputs, dropout=0.5),
    )  # fmt: skip


VGG11 = ((64,), (128,), (256, 256), (512, 512), (512, 512))


def build_vgg11(plan: Plan) -> ClassicNetwork:
    """VGG-11: 3 × 3 convolutions with batch norm, five poolings, then global pooling (no 119 M dense weights)."""
    segments, d_in = [], plan.channels
    for number, widths in enumerate(VGG11, start=1):
        layers: list[nn.Module] = []
        for base in widths:
            width = plan.scale(base)
            layers.append(ConvUnit(d_in, width, 3, STYLE))
            d_in = width
        # Five halvings leave nothing of a small picture: the last pooling is the global one.
        if number < len(VGG11) or not plan.is_small:
            layers.append(Pool(2))
        segments.append(
            Segment(
                name=f"Stage {number}",
                kind="conv 3×3",
                module=nn.Sequential(*layers),
                detail=f"{len(widths)} convolutions",
            )
        )
    return ClassicNetwork(segments, Classifier(d_in, plan.n_outputs, dropout=0.2))


Branches = tuple[int, int, int, int, int, int]


class Inception(nn.Module):
    """1 × 1; 1 × 1 then 3 × 3; 1 × 1 then 5 × 5; pooled then 1 × 1. Every convolution has batch norm and ReLU.

    Shape: ``(n, d_in, h, w) → (n, d_out, h, w)``, ``d_out`` the sum of the branches
    Source: Szegedy et al. 2015, figure 2b; ``widths`` in the order of its table 1.
    """

    def __init__(self, d_in: int, widths: Branches) -> None:
        super().__init__()
        point, narrow3, wide3, narrow5, wide5, pooled = widths
        self.d_out = point + wide3 + wide5 + pooled
        self.point = ConvUnit(d_in, point, 1, STYLE)
        self.small = nn.Sequential(
            ConvUnit(d_in, narrow3, 1, STYLE), ConvUnit(narrow3, wide3, 3, STYLE)
        )
        self.large = nn.Sequential(
            ConvUnit(d_in, narrow5, 1, STYLE), ConvUnit(narrow5, wide5, 5, STYLE)
        )
        self.pooled = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), ConvUnit(d_in, pooled, 1, STYLE)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.point(x), self.small(x), self.large(x), self.pooled(x)], dim=1)


GOOGLENET: tuple[tuple[Branches, ...], ...] = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)  # fmt: skip


def build_googlenet(plan: Plan) -> ClassicNetwork:
    """GoogLeNet with batch norm and without auxiliary heads; a 3 × 3 stem below 96 px."""
    c1, c2 = plan.scale(64), plan.scale(192)
    stem: list[nn.Module]
    if plan.is_small:
        stem = [ConvUnit(plan.channels, c2, 3, STYLE)]
    else:
        stem = [
            ConvUnit(plan.channels, c1, 7, STYLE, stride=2), Pool(3, padding=1),
            ConvUnit(c1, c1, 1, STYLE), ConvUnit(c1, c2, 3, STYLE),
        ]  # fmt: skip
    segments = [Segment(name="Stem", kind="conv", module=nn.Sequential(*stem))]
    d_in = c2
    for number, stage in enumerate(GOOGLENET, start=3):
        layers: list[nn.Module] = [Pool(3, padding=1)]
        for widths in stage:
            a, b, c, d, e, f = (plan.scale(width, 4) for width in widths)
            block = Inception(d_in, (a, b, c, d, e, f))
            layers.append(block)
            d_in = block.d_out
        segments.append(
            Segment(
                name=f"Inception {number}",
                kind="inception",
                module=nn.Sequential(*layers),
                detail=f"{len(stage)} blocks",
            )
        )
    return ClassicNetwork(segments, Classifier(d_in, plan.n_outputs, dropout=0.2))
