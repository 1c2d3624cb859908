"""MobileNet V1 to V3, ShuffleNet v2 and EfficientNet-B0.

Below 96 px their stem and their first reduction keep the map, so that an eighth of the side is left instead
of a thirty-second.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from automl.models.image.classic import ClassicNetwork, Plan, Segment
from automl.models.image.classic_early import Pool
from automl.models.image.heads import Classifier
from automl.models.image.layers import (
    SqueezeExcitation,
    build_activation,
    build_conv,
    build_norm,
)


def _unit(
    d_in: int, d_out: int, kernel: int, activation: str, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution, batch norm, activation (none where its name is empty)."""
    last = [build_activation(activation)] if activation else []
    conv = build_conv(d_in, d_out, kernel, stride=stride, groups=groups)
    return nn.Sequential(conv, build_norm("batch", d_out), *last)


def _divide(value: float) -> int:
    """To the nearest multiple of 8 that is not more than 10 % below: the rule of the MobileNet papers."""
    nearest = max(8, int(value + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * value else nearest


def build_mobilenet_v1(plan: Plan) -> ClassicNetwork:
    """MobileNet V1: a convolution, then thirteen depthwise-separable ones."""
    d_in = plan.scale(32)
    stem = _unit(plan.channels, d_in, 3, "relu", stride=1 if plan.is_small else 2)
    segments = [Segment(name="Stem", kind="conv 3×3", module=stem)]
    stages = (((64, 1),), ((128, 2), (128, 1)), ((256, 2), (256, 1)),
              ((512, 2), *(((512, 1),) * 5)), ((1024, 2), (1024, 1)))  # fmt: skip
    for number, stage in enumerate(stages, start=1):
        layers: list[nn.Module] = []
        for base, stride in stage:
            width = plan.scale(base)
            kept = 1 if plan.is_small and number == 2 else stride
            layers += [
                _unit(d_in, d_in, 3, "relu", stride=kept, groups=d_in),
                _unit(d_in, width, 1, "relu"),
            ]
            d_in = width
        segments.append(
            Segment(
                name=f"Stage {number}",
                kind="separable",
                module=nn.Sequential(*layers),
                detail=f"{len(stage)} blocks",
            )
        )
    return ClassicNetwork(segments, Classifier(d_in, plan.n_outputs, dropout=0.2))


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the tables of the papers; ``expanded`` are the inner channels, ``hidden`` those of the squeeze."""

    kernel: int
    expanded: int
    width: int
    stride: int
    activation: str
    hidden: int = 0


class InvertedResidual(nn.Module):
    """Widen, filter depthwise, weigh channels, narrow; added to its input where map and width stay.

    The norm that closes a residual branch starts at a scale of 0.

    Shape: ``(n, d_in, h, w) → (n, width, ⌈h / stride⌉, ⌈w / stride⌉)``
    Source: Sandler et al. 2018, figure 3; squeeze-excitation of Howard et al. 2019.
    """

    def __init__(self, d_in: int, row: Row, gate: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.adds = row.stride == 1 and d_in == row.width
        layers: list[nn.Module] = []
        if row.expanded != d_in:
            layers.append(_unit(d_in, row.expanded, 1, row.activation))
        layers.append(
            _unit(row.expanded, row.expanded, row.kernel, row.activation, stride=row.stride, groups=row.expanded)
        )  # fmt: skip
        if row.hidden:
            inner = nn.SiLU if row.activation == "silu" else nn.ReLU
            layers.append(SqueezeExcitation(row.expanded, row.hidden, activation=inner, gate=gate))
        layers += [
            build_conv(row.expanded, row.width),
            build_norm("batch", row.width, is_zero=self.adds),
        ]
        self.branch = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.branch(x)
        return x + out if self.adds else out


def _build_inverted(
    d_in: int, rows: list[Row], gate: Callable[[], nn.Module], *, keeps_first: bool
) -> list[Segment]:
    """Segments of inverted residuals, a new one at each stride; ``keeps_first``: the first stride is 1."""
    stages: list[list[Row]] = []
    for row in rows:
        if row.stride == 2 or not stages:
            stages.append([])
        stages[-1].append(row)
    segments, kept = [], keeps_first
    for number, stage in enumerate(stages, start=1):
        blocks: list[nn.Module] = []
        for row in stage:
            stride = row.stride
            if stride == 2 and kept:
                stride, kept = 1, False
            built = Row(kernel=row.kernel, expanded=row.expanded, width=row.width, stride=stride,
                        activation=row.activation, hidden=row.hidden)  # fmt: skip
            blocks.append(InvertedResidual(d_in, built, gate))
            d_in = row.width
        segments.append(
            Segment(
                name=f"Stage {number}",
                kind="inverted residual",
                module=nn.Sequential(*blocks),
                detail=f"{len(blocks)} blocks",
            )
        )
    return segments


def build_mobilenet_v2(plan: Plan) -> ClassicNetwork:
    """MobileNet V2."""
    table = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
             (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip
    rows, d_in = [], plan.scale(32)
    for expansion, base, n_blocks, stride in table:
        for index in range(n_blocks):
            rows.append(
                Row(kernel=3, expanded=expansion * d_in, width=plan.scale(base),
                    stride=stride if index == 0 else 1, activation="relu")
            )  # fmt: skip
            d_in = plan.scale(base)
    return _build_mobile(plan, rows, "relu", (32, max(1280, plan.scale(1280))), nn.Sigmoid)


def build_efficientnet_b0(plan: Plan) -> ClassicNetwork:
    """EfficientNet-B0, without its stochastic depth."""
    table = ((3, 1, 16, 1, 1), (3, 6, 24, 2, 2), (5, 6, 40, 2, 2), (3, 6, 80, 3, 2),
             (5, 6, 112, 3, 1), (5, 6, 192, 4, 2), (3, 6, 320, 1, 1))  # fmt: skip
    rows, d_in = [], plan.scale(32)
    for kernel, expansion, base, n_blocks, stride in table:
        for index in range(n_blocks):
            rows.append(
                Row(kernel=kernel, expanded=expansion * d_in, width=plan.scale(base),
                    stride=stride if index == 0 else 1, activation="silu", hidden=max(1, d_in // 4))
            )  # fmt: skip
            d_in = plan.scale(base)
    return _build_mobile(plan, rows, "silu", (32, plan.scale(1280)), nn.Sigmoid)


def _build_mobile(
    plan: Plan, rows: list[Row], activation: str, widths: tuple[int, int], gate: type[nn.Module]
) -> ClassicNetwork:
    """Stem, inverted residuals, a last 1 × 1 convolution, classifier."""
    d_in, d_last = plan.scale(widths[0]), widths[1]
    stem = _unit(plan.channels, d_in, 3, activation, stride=1 if plan.is_small else 2)
    segments = [
        Segment(name="Stem", kind="conv 3×3", module=stem),
        *_build_inverted(d_in, rows, gate, keeps_first=plan.is_small),
        Segment(
            name="Last conv", kind="conv 1×1", module=_unit(rows[-1].width, d_last, 1, activation)
        ),
    ]
    return ClassicNetwork(segments, Classifier(d_last, plan.n_outputs, dropout=0.2))


# kernel, inner channels, channels, squeeze-excitation, activation, stride: table 2 of the paper
MOBILENET_V3_SMALL = (
    (3, 16, 16, True, "relu", 2), (3, 72, 24, False, "relu", 2), (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2), (5, 240, 40, True, "hardswish", 1), (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1), (5, 144, 48, True, "hardswish", 1),
    (5, 288, 96, True, "hardswish", 2), (5, 576, 96, True, "hardswish", 1), (5, 576, 96, True, "hardswish", 1),
)  # fmt: skip


class WideHead(nn.Module):
    """Global pooling, a dense layer, then the output.

    Shape: ``(n, d, h, w) → (n, n_outputs)``
    """

    def __init__(self, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.widths = widths
        self.layers = nn.Sequential(
            nn.Linear(widths[0], widths[1]), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(*widths[1:])
        )

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.layers(features.mean(dim=(2, 3)))
        return logits

    def extra_repr(self) -> str:
        """Widths in words."""
        return "-".join(map(str, self.widths))


def build_mobilenet_v3_small(plan: Plan) -> ClassicNetwork:
    """MobileNet V3 small."""
    rows = [
        Row(kernel=kernel, expanded=plan.scale(expanded), width=plan.scale(width), stride=stride,
            activation=activation, hidden=_divide(plan.scale(expanded) / 4) if squeezes else 0)
        for kernel, expanded, width, squeezes, activation, stride in MOBILENET_V3_SMALL
    ]  # fmt: skip
    d_in, d_last = plan.scale(16), plan.scale(576)
    # Below 96 px stem and first block keep the map, as in the other networks of this file.
    stem = _unit(plan.channels, d_in, 3, "hardswish", stride=1 if plan.is_small else 2)
    segments = [
        Segment(name="Stem", kind="conv 3×3", module=stem),
        *_build_inverted(d_in, rows, nn.Hardsigmoid, keeps_first=plan.is_small),
        Segment(
            name="Last conv", kind="conv 1×1", module=_unit(rows[-1].width, d_last, 1, "hardswish")
        ),
    ]
    return ClassicNetwork(segments, WideHead((d_last, plan.scale(1024), plan.n_outputs)))


class ShuffleUnit(nn.Module):
    """Half of the channels pass, half are filtered; then both halves are interleaved.

    With stride 2 both halves are filtered from all channels.

    Shape: ``(n, d_in, h, w) → (n, width, ⌈h / stride⌉, ⌈w / stride⌉)``
    Source: Ma et al. 2018, figure 3 c and d.
    """

    def __init__(self, d_in: int, width: int, *, stride: int, changes: bool) -> None:
        super().__init__()
        half = width // 2
        self.changes = changes
        d_branch = d_in if changes else half
        self.main = nn.Sequential(
            _unit(d_branch, half, 1, "relu"),
            _unit(half, half, 3, "", stride=stride, groups=half),
            _unit(half, half, 1, "relu"),
        )
        self.side = nn.Sequential(
            *(
                [_unit(d_in, d_in, 3, "", stride=stride, groups=d_in), _unit(d_in, half, 1, "relu")]
                if changes
                else []
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        left, right = (x, x) if self.changes else x.chunk(2, dim=1)
        joined = torch.stack([self.side(left), self.main(right)], dim=2)  # (n, half, 2, h, w)
        return joined.flatten(1, 2)


def build_shufflenet_v2(plan: Plan) -> ClassicNetwork:
    """ShuffleNet v2 × 1.0."""
    d_in, d_last = plan.scale(24), plan.scale(1024)
    stem: list[nn.Module] = [
        _unit(plan.channels, d_in, 3, "relu", stride=1 if plan.is_small else 2)
    ]
    if not plan.is_small:
        stem.append(Pool(3, padding=1))
    segments = [Segment(name="Stem", kind="conv 3×3", module=nn.Sequential(*stem))]
    for number, (base, n_blocks) in enumerate(((116, 4), (232, 8), (464, 4)), start=2):
        width = plan.scale(base, 4)
        units = [ShuffleUnit(d_in, width, stride=2, changes=True)]
        units += [ShuffleUnit(width, width, stride=1, changes=False) for _ in range(n_blocks - 1)]
        segments.append(
            Segment(
                name=f"Stage {number}",
                kind="shuffle",
                module=nn.Sequential(*units),
                detail=f"{n_blocks} units",
            )
        )
        d_in = width
    last = _unit(d_in, d_last, 1, "relu")
    segments.append(Segment(name="Last conv", kind="conv 1×1", module=last))
    return ClassicNetwork(segments, Classifier(d_last, plan.n_outputs))
