"""The convolutional blocks of the macro space. Every block keeps width and map; transitions change both.

No convolution in front of a norm has a bias. Residual sums have nothing after them, so that the way through
the network stays the identity; the norm that such a stage then needs closes it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.models.image.layers import (
    Halve,
    build_activation,
    build_conv,
    build_norm,
    build_squeeze,
    init_identity,
)
from automl.models.image.macro_config import Style


class ConvUnit(nn.Sequential):
    """Convolution, norm, activation.

    Shape: ``(n, d_in, h, w) → (n, d_out, h, w)``
    """

    def __init__(
        self, d_in: int, d_out: int, kernel: int, style: Style, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(
            build_conv(d_in, d_out, kernel, stride=stride, groups=groups),
            build_norm(style.norm, d_out),
            build_activation(style.activation),
        )


class NormAct(nn.Sequential):
    """Norm, activation: what stands before a convolution of a pre-activation block and closes its stage."""

    def __init__(self, width: int, style: Style) -> None:
        super().__init__(build_norm(style.norm, width), build_activation(style.activation))


class Transition(nn.Sequential):
    """Convolution, pooling (if the stage halves the map), norm, activation.

    Shape: ``(n, d_in, h, w) → (n, width, h/2, w/2)``, or the same map
    Source: order of Jordan 2024 ("94% on CIFAR-10 in 3.29 Seconds"): pooled before the norm, which is cheaper.
    """

    def __init__(self, d_in: int, width: int, style: Style, *, halves: bool) -> None:
        stride = 2 if halves and style.pool == "stride" else 1
        super().__init__(
            build_conv(d_in, width, style.kernel, stride=stride),
            *([Halve(style.pool)] if halves and style.pool != "stride" else []),
            build_norm(style.norm, width),
            build_activation(style.activation),
        )


class LightTransition(nn.Sequential):
    """The transition of mobile blocks: depthwise, pooling, then pointwise.

    Shape: as ``Transition``
    """

    def __init__(self, d_in: int, width: int, style: Style, *, halves: bool) -> None:
        stride = 2 if halves and style.pool == "stride" else 1
        super().__init__(
            build_conv(d_in, d_in, style.kernel, stride=stride, groups=d_in),
            *([Halve(style.pool)] if halves and style.pool != "stride" else []),
            build_norm(style.norm, d_in),
            ConvUnit(d_in, width, 1, style),
        )


class PlainBlock(nn.Sequential):
    """Convolution, norm, activation, with filters that start as the identity.

    Together with its transition a stage of one block is conv-pool-norm-act-conv-norm-act.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    """

    def __init__(self, width: int, style: Style) -> None:
        unit = ConvUnit(width, width, style.kernel, style)
        init_identity(unit[0])  # type: ignore[arg-type]  # a Sequential gives modules
        super().__init__(unit, *build_squeeze(width, style.squeeze, style.activation))


class Residual(nn.Module):
    """The input plus what a branch makes of it.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    """

    def __init__(self, *branch: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(*branch)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)  # type: ignore[no-any-return]


class ResidualBlock(Residual):
    """Two convolutions, each after norm and activation; a closing norm whose scale starts at 0.

    Source: He et al. 2016, "Identity Mappings in Deep Residual Networks"; closing norm of Han et al. 2017,
    "Deep Pyramidal Residual Networks", since a zero scale before a ReLU would never learn.
    """

    def __init__(self, width: int, style: Style) -> None:
        super().__init__(
            NormAct(width, style),
            build_conv(width, width, style.kernel),
            NormAct(width, style),
            build_conv(width, width, style.kernel),
            *build_squeeze(width, style.squeeze, style.activation),
            build_norm(style.norm, width, is_zero=True),
        )


class BottleneckBlock(Residual):
    """Narrow, filter, widen, in pre-activation order; the narrow part has a quarter of the width.

    Source: as ``ResidualBlock``.
    """

    def __init__(self, width: int, style: Style) -> None:
        inner = max(8, width // 4)
        super().__init__(
            NormAct(width, style),
            build_conv(width, inner),
            NormAct(inner, style),
            build_conv(inner, inner, style.kernel),
            NormAct(inner, style),
            build_conv(inner, width),
            *build_squeeze(width, style.squeeze, style.activation),
            build_norm(style.norm, width, is_zero=True),
        )


class SeparableBlock(nn.Sequential):
    """Depthwise, then pointwise, each with norm and activation.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    Source: Howard et al. 2017, "MobileNets".
    """

    def __init__(self, width: int, style: Style) -> None:
        super().__init__(
            ConvUnit(width, width, style.kernel, style, groups=width),
            ConvUnit(width, width, 1, style),
            *build_squeeze(width, style.squeeze, style.activation),
        )


class InvertedBlock(Residual):
    """Widen, filter depthwise, weigh channels, narrow without activation.

    Source: Sandler et al. 2018, "MobileNetV2"; squeeze-excitation of Howard et al. 2019, "MobileNetV3".
    """

    def __init__(self, width: int, style: Style) -> None:
        inner = width * style.expansion
        super().__init__(
            ConvUnit(width, inner, 1, style),
            ConvUnit(inner, inner, style.kernel, style, groups=inner),
            *build_squeeze(inner, style.squeeze, style.activation),
            build_conv(inner, width),
            build_norm(style.norm, width, is_zero=True),
        )


class DenseBlock(nn.Module):
    """Layers that each read all before them and add ``growth`` channels; a bottleneck of four times that.

    Shape: ``(n, d, h, w) → (n, d + n_layers · growth, h, w)``
    Source: Huang et al. 2017, "Densely Connected Convolutional Networks" (DenseNet-B).
    """

    def __init__(self, d_in: int, style: Style) -> None:
        super().__init__()
        self.d_out = d_in + style.n_layers * style.growth
        inner = 4 * style.growth
        self.layers = nn.ModuleList(
            nn.Sequential(
                NormAct(width, style),
                build_conv(width, inner),
                NormAct(inner, style),
                build_conv(inner, style.growth, style.kernel),
                *build_squeeze(style.growth, style.squeeze, style.activation),
            )
            for width in range(d_in, self.d_out, style.growth)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


class InceptionBlock(nn.Module):
    """Four branches side by side: 1 × 1; k × k; (k + 2) × (k + 2); pooled. Every convolution is activated.

    Shape: ``(n, d, h, w) → (n, d, h, w)``, a quarter of the channels from each branch
    Source: Szegedy et al. 2015, "Going Deeper with Convolutions", with batch norm.
    """

    def __init__(self, width: int, style: Style) -> None:
        super().__init__()
        quarter, narrow = width // 4, max(4, width // 8)
        self.point = ConvUnit(width, width - 3 * quarter, 1, style)
        self.small = nn.Sequential(
            ConvUnit(width, 2 * narrow, 1, style),
            ConvUnit(2 * narrow, quarter, style.kernel, style),
        )
        self.large = nn.Sequential(
            ConvUnit(width, narrow, 1, style), ConvUnit(narrow, quarter, style.kernel + 2, style)
        )
        self.pooled = ConvUnit(width, quarter, 1, style)
        self.squeeze = nn.Sequential(*build_squeeze(width, style.squeeze, style.activation))

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pooled(functional.max_pool2d(x, 3, stride=1, padding=1))
        joined = torch.cat([self.point(x), self.small(x), self.large(x), pooled], dim=1)
        return self.squeeze(joined)  # type: ignore[no-any-return]
