"""ResNet v1 and v2, SE-ResNet, Wide ResNet and DenseNet."""

from torch import Tensor, nn
from torch.nn import functional

from automl.models.image.blocks import ConvUnit, DenseBlock, NormAct
from automl.models.image.classic import ClassicNetwork, Plan, Segment
from automl.models.image.classic_early import STYLE, Pool
from automl.models.image.heads import Classifier
from automl.models.image.layers import build_conv, build_norm, build_squeeze
from automl.models.image.macro_config import Style

WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions, the sum, then ReLU; a 1 × 1 convolution where map or width change.

    The last norm starts at a scale of 0: a fresh block is its shortcut before the last ReLU.

    Shape: ``(n, d_in, h, w) → (n, width, ⌈h / stride⌉, ⌈w / stride⌉)``
    Source: He et al. 2016, "Deep Residual Learning", figure 2; squeeze-excitation before the sum.
    """

    def __init__(self, d_in: int, width: int, *, stride: int, squeeze: int = 0) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            ConvUnit(d_in, width, 3, STYLE, stride=stride),
            build_conv(width, width, 3),
            build_norm("batch", width, is_zero=True),
            *build_squeeze(width, squeeze),
        )
        changes = stride != 1 or d_in != width
        self.shortcut = nn.Sequential(
            *(
                [build_conv(d_in, width, stride=stride), build_norm("batch", width)]
                if changes
                else []
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.shortcut(x) + self.branch(x))


class PreActBlock(nn.Module):
    """Norm and ReLU before each of two 3 × 3 convolutions; nothing after the sum.

    The second convolution starts at 0 and so the block as its shortcut: a zero scale before the ReLU would
    never learn.

    Shape: ``(n, d_in, h, w) → (n, width, ⌈h / stride⌉, ⌈w / stride⌉)``
    Source: He et al. 2016, "Identity Mappings in Deep Residual Networks", figure 1b.
    """

    def __init__(self, d_in: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.before = NormAct(d_in, STYLE)
        last = build_conv(width, width, 3)
        nn.init.zeros_(last.weight)
        self.branch = nn.Sequential(
            build_conv(d_in, width, 3, stride=stride), NormAct(width, STYLE), last
        )
        changes = stride != 1 or d_in != width
        self.shortcut = build_conv(d_in, width, stride=stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        active = self.before(x)
        kept = x if self.shortcut is None else self.shortcut(active)
        out: Tensor = kept + self.branch(active)
        return out


def build_resnet18(plan: Plan) -> ClassicNetwork:
    """ResNet-18."""
    return _build_basic(plan, squeeze=0)


def build_se_resnet18(plan: Plan) -> ClassicNetwork:
    """ResNet-18 with squeeze-excitation of ratio 16."""
    return _build_basic(plan, squeeze=16)


def _build_basic(plan: Plan, *, squeeze: int) -> ClassicNetwork:
    d_in = plan.scale(WIDTHS[0])
    segments = [_build_stem(plan, d_in, STYLE)]
    for number, base in enumerate(WIDTHS, start=1):
        width, stride = plan.scale(base), 1 if number == 1 else 2
        blocks = [
            BasicBlock(d_in, width, stride=stride, squeeze=squeeze),
            BasicBlock(width, width, stride=1, squeeze=squeeze),
        ]
        kind = "residual, squeeze-excitation" if squeeze else "residual"
        segments.append(_name_stage(number, kind, nn.Sequential(*blocks)))
        d_in = width
    return ClassicNetwork(segments, Classifier(d_in, plan.n_outputs))


def build_resnet18_v2(plan: Plan) -> ClassicNetwork:
    """ResNet-18 in pre-activation order."""
    return _build_preact(plan, (64, *WIDTHS), n_blocks=2)


def build_wrn16_4(plan: Plan) -> ClassicNetwork:
    """Wide ResNet of 16 layers, four times as wide; three stages, whatever the side."""
    return _build_preact(plan, (16, 64, 128, 256), n_blocks=2)


def _build_preact(plan: Plan, widths: tuple[int, ...], n_blocks: int) -> ClassicNetwork:
    d_in = plan.scale(widths[0])
    segments = [_build_stem(plan, d_in, None)]
    for number, base in enumerate(widths[1:], start=1):
        width, stride = plan.scale(base), 1 if number == 1 else 2
        blocks = [PreActBlock(d_in, width, stride=stride)]
        blocks += [PreActBlock(width, width, stride=1) for _ in range(n_blocks - 1)]
        segments.append(_name_stage(number, "pre-activation residual", nn.Sequential(*blocks)))
        d_in = width
    segments.append(Segment(name="Last norm", kind="norm, relu", module=NormAct(d_in, STYLE)))
    return ClassicNetwork(segments, Classifier(d_in, plan.n_outputs))


def _build_stem(plan: Plan, width: int, style: Style | None) -> Segment:
    """3 × 3 below 96 px, else 7 × 7 with stride 2 and pooling; no norm where ``style`` is None."""
    kernel, stride = (3, 1) if plan.is_small else (7, 2)
    conv = (
        build_conv(plan.channels, width, kernel, stride=stride)
        if style is None
        else ConvUnit(plan.channels, width, kernel, style, stride=stride)
    )
    pools = [] if plan.is_small else [Pool(3, padding=1)]
    kind = "conv 3×3" if plan.is_small else "conv 7×7, stride 2, max pool"
    return Segment(name="Stem", kind=kind, module=nn.Sequential(conv, *pools))


def _name_stage(number: int, kind: str, blocks: nn.Sequential) -> Segment:
    return Segment(name=f"Stage {number}", kind=kind, module=blocks, detail=f"{len(blocks)} blocks")


def build_densenet_bc(plan: Plan) -> ClassicNetwork:
    """DenseNet-BC of 40 layers and growth 12 below 96 px, else DenseNet-121; compression 0.5."""
    n_layers, growth = ((6, 6, 6), 12) if plan.is_small else ((6, 12, 24, 16), 32)
    growth = plan.scale(growth, 4)
    d_in = 2 * growth
    segments = [_build_stem(plan, d_in, None if plan.is_small else STYLE)]
    for number, count in enumerate(n_layers, start=1):
        style = Style(kernel=3, norm="batch", activation="relu", pool="max", squeeze=0,
                      growth=growth, n_layers=count)  # fmt: skip
        block = DenseBlock(d_in, style)
        layers: list[nn.Module] = [block]
        d_in = block.d_out
        if number < len(n_layers):
            layers += [NormAct(d_in, STYLE), build_conv(d_in, d_in // 2), Average()]
            d_in //= 2
        else:
            layers.append(NormAct(d_in, STYLE))
        segments.append(
            Segment(
                name=f"Stage {number}",
                kind="dense",
                module=nn.Sequential(*layers),
                detail=f"{count} layers of growth {growth}",
            )
        )
    return ClassicNetwork(segments, Classifier(d_in, plan.n_outputs))


class Average(nn.Module):
    """Half the map by averages of 2 × 2; a map of one pixel stays.

    Shape: ``(n, d, h, w) → (n, d, h / 2, w / 2)``
    """

    def forward(self, x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, 2) if min(x.shape[-2:]) >= 2 else x
