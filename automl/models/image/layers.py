"""The smallest parts of image networks: convolution with norm and activation, pooling, squeeze-excitation."""

import math
from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from automl.errors import SpecError

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "hardswish": nn.Hardswish,
}  # fmt: skip
# PyTorch's share of the new batch. Twice its default: a search trains for some dozens of steps at times.
BATCH_MOMENTUM = 0.2


def build_conv(
    d_in: int, d_out: int, kernel: int = 1, *, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    """A padded convolution without bias, He-initialised by fan-out.

    Shape: ``(n, d_in, h, w) → (n, d_out, ⌈h / stride⌉, ⌈w / stride⌉)``
    Source: He et al. 2015, "Delving Deep into Rectifiers".
    """
    conv = nn.Conv2d(
        d_in, d_out, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False
    )
    fan_out = kernel * kernel * d_out // groups
    nn.init.normal_(conv.weight, std=math.sqrt(2.0 / fan_out))
    return conv


def init_identity(conv: nn.Conv2d) -> None:
    """Let the first filters of a convolution hand their inputs through; the rest keep their draw.

    Source: Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 3.1 (dirac initialisation).
    """
    nn.init.dirac_(conv.weight.data[: conv.weight.shape[1]])


def build_norm(kind: str, width: int, *, is_zero: bool = False) -> nn.Module:
    """Batch norm, or group norm of 4 or more channels a group; ``is_zero`` starts its scale at 0.

    The last norm of a residual branch starts at 0, so that a fresh block hands its input through.
    """
    norm: nn.BatchNorm2d | nn.GroupNorm
    match kind:
        case "batch":
            norm = nn.BatchNorm2d(width, momentum=BATCH_MOMENTUM)
        case "group":
            norm = nn.GroupNorm(count_groups(width), width)
        case _:
            raise SpecError(f"There is no normalisation {kind!r}.", hint="Choose batch or group.")
    if is_zero:
        nn.init.zeros_(norm.weight)
    return norm


def count_groups(width: int) -> int:
    """The largest number of groups, at most 32, with 4 or more channels each; 1 only below 8 channels."""
    return max(
        (n for n in range(1, 33) if width % n == 0 and width // n >= 4),
        default=1,
    )


def build_activation(kind: str) -> nn.Module:
    """An activation by name; a foreign one is a ``SpecError``."""
    if kind not in ACTIVATIONS:
        raise SpecError(
            f"There is no activation {kind!r}.", hint=f"Choose {', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[kind]()


class Halve(nn.Module):
    """Half the height and width; a map of one pixel stays.

    ``max``: the larger of 2 × 2; ``blur``: the binomial filter 1-2-1 before every second pixel is dropped.

    Shape: ``(n, d, h, w) → (n, d, h/2, w/2)``, rounded down by ``max`` and up by ``blur``
    Source: Zhang 2019, "Making Convolutional Networks Shift-Invariant Again".
    """

    def __init__(self, kind: str) -> None:
        if kind not in ("max", "blur"):
            raise SpecError(f"There is no pooling {kind!r}.", hint="Choose max or blur.")
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[-2:]) < 2:
            return x
        if self.kind == "max":
            return functional.max_pool2d(x, 2)
        # Two box filters in a row are 1-2-1; cheaper than a depthwise convolution.
        soft = functional.avg_pool2d(x, 2, stride=1, padding=1, count_include_pad=False)
        return functional.avg_pool2d(soft, 2)

    def extra_repr(self) -> str:
        return self.kind


class SqueezeExcitation(nn.Module):
    """Weigh channels by what the whole map shows.

    Shape: ``(n, d, h, w) → (n, d, h, w)``
    Source: Hu et al. 2018, "Squeeze-and-Excitation Networks".
    """

    def __init__(
        self,
        width: int,
        hidden: int,
        *,
        activation: Callable[[], nn.Module] = nn.ReLU,
        gate: Callable[[], nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(width, hidden, 1)
        self.activation = activation()
        self.excite = nn.Conv2d(hidden, width, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        summary = x.mean(dim=(2, 3), keepdim=True)
        weights: Tensor = self.gate(self.excite(self.activation(self.squeeze(summary))))
        return x * weights


def build_squeeze(width: int, ratio: int, activation: str = "relu") -> list[nn.Module]:
    """A squeeze-excitation of 4 or more hidden units, or nothing where ``ratio`` is 0."""
    if not ratio:
        return []
    hidden = max(4, width // ratio)
    return [SqueezeExcitation(width, hidden, activation=ACTIVATIONS[activation])]
