"""Layers of many networks at once, each with its own backward pass.

Tensors are ``(members, rows, units)``. Written by hand because a program of batched products and a few calls per
member costs a fraction of what automatic differentiation takes for small networks; gradients of parameters go
straight into the pack's storage. Units beyond a member's width are zero and stay zero: every activation maps
0 to 0, and no norm mixes them in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # as torch.nn.SELU
BATCH_MOMENTUM = 0.1
EPSILON = 1e-5
DRAWS = 65_536  # values of the 16 random bits that keep or drop a unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A parameter of several members and its gradient, views of the pack's storage."""

    value: Tensor
    grad: Tensor


class Linear:
    """``h Wᵀ + b`` per member; ``weight`` is ``(k, out, in)``, ``bias`` ``(k, out)`` or absent."""

    def __init__(self, weight: Pair, bias: Pair | None) -> None:
        self.weight, self.bias = weight, bias
        self._saved: tuple[Tensor, ...] = ()

    def forward(self, h: Tensor, *, training: bool) -> Tensor:
        self._saved = (h,) if training else ()
        transposed = self.weight.value.transpose(1, 2)
        if self.bias is None:
            return torch.bmm(h, transposed)
        return torch.baddbmm(self.bias.value[:, None], h, transposed)

    def backward(self, grad: Tensor) -> Tensor:
        self.backward_weights(grad)
        return torch.bmm(grad, self.weight.value)

    def backward_weights(self, grad: Tensor) -> None:
        """Gradients of the weights only: enough where the input learns nothing."""
        (h,) = self._saved
        self._saved = ()
        torch.bmm(grad.transpose(1, 2), h, out=self.weight.grad)
        if self.bias is not None:
            torch.sum(grad, dim=1, out=self.bias.grad)


class Norm:
    """The norm of each member by its own name; numbers as torch's own layers give them.

    ``kinds`` and ``widths`` are per member, ``running`` mean and variance ``(k, units)``, updated in training.
    Calls go member by member: torch's kernels for one network are faster than reductions over the middle of a
    tensor.
    """

    def __init__(
        self, kinds: Sequence[str], widths: Sequence[int], *, weight: Pair, bias: Pair,
        running: tuple[Tensor, Tensor] | None,
    ) -> None:  # fmt: skip
        self.kinds, self.widths = tuple(kinds), tuple(widths)
        self.weight, self.bias, self.running = weight, bias, running
        self._saved: tuple[Any, ...] = ()

    def forward(self, h: Tensor, *, training: bool) -> Tensor:
        out = torch.empty_like(h)
        statistics: list[tuple[Tensor, ...]] = []
        for member, kind in enumerate(self.kinds):
            if kind == "batch":
                statistics.append(self._normalise_batch(member, h, out, training=training))
            elif kind == "layer":
                statistics.append(self._normalise_rows(member, h, out))
            else:
                out[member].copy_(h[member])
                statistics.append(())
        self._saved = (h, statistics) if training else ()
        return out

    def _normalise_batch(
        self, member: int, h: Tensor, out: Tensor, *, training: bool
    ) -> tuple[Tensor, ...]:
        running: tuple[Tensor | None, ...] = (None, None)
        if self.running is not None and (h.shape[1] > 1 or not training):
            running = (self.running[0][member], self.running[1][member])  # one row has no variance
        mean, deviation = h.new_empty(2, h.shape[2] if training else 0)
        aten.native_batch_norm.out(
            h[member], self.weight.value[member], self.bias.value[member], *running,
            training, BATCH_MOMENTUM, EPSILON, out=out[member], save_mean=mean, save_invstd=deviation,
        )  # fmt: skip
        return mean, deviation

    def _normalise_rows(self, member: int, h: Tensor, out: Tensor) -> tuple[Tensor, ...]:
        width = self.widths[member]
        normed, mean, deviation = aten.native_layer_norm(
            h[member, :, :width], [width], self.weight.value[member, :width],
            self.bias.value[member, :width], EPSILON,
        )  # fmt: skip
        out[member, :, :width] = normed
        out[member, :, width:] = 0.0
        return mean, deviation

    def backward(self, grad: Tensor) -> Tensor:
        h, statistics = self._saved
        self._saved = ()
        out = torch.empty_like(grad)
        for member, kind in enumerate(self.kinds):
            if kind == "none":
                out[member].copy_(grad[member])
                continue
            width = grad.shape[2] if kind == "batch" else self.widths[member]
            parts = self._differentiate(member, kind, h, grad, statistics[member])
            out[member, :, :width] = parts[0]
            out[member, :, width:] = 0.0
            self.weight.grad[member, :width] = parts[1]
            self.bias.grad[member, :width] = parts[2]
        return out

    def _differentiate(
        self, member: int, kind: str, h: Tensor, grad: Tensor, statistics: tuple[Tensor, ...]
    ) -> Sequence[Tensor]:
        """Gradients of input, weight and bias of one member."""
        parts: Sequence[Tensor]
        if kind == "batch":
            parts = aten.native_batch_norm_backward(
                grad[member], h[member], self.weight.value[member], None, None, *statistics,
                train=True, eps=EPSILON, output_mask=[True] * 3,
            )  # fmt: skip
            return parts
        width = self.widths[member]
        parts = aten.native_layer_norm_backward(
            grad[member, :, :width].contiguous(), h[member, :, :width].contiguous(), [width],
            *statistics, self.weight.value[member, :width], self.bias.value[member, :width],
            [True] * 3,
        )  # fmt: skip
        return parts


class Activation:
    """The activation of each member by its own name; neighbours with the same one share a call."""

    def __init__(self, names: Sequence[str]) -> None:
        self._runs = find_runs(names)
        self._saved: tuple[Tensor, ...] = ()

    def forward(self, z: Tensor, *, training: bool) -> Tensor:
        self._saved = (z,) if training else ()
        out = torch.empty_like(z)
        for start, stop, name in self._runs:
            FORWARD[name](z[start:stop], out[start:stop])
        return out

    def backward(self, grad: Tensor) -> Tensor:
        (z,) = self._saved
        self._saved = ()
        out = torch.empty_like(grad)
        for start, stop, name in self._runs:
            BACKWARD[name](grad[start:stop], z[start:stop], out[start:stop])
        return out


def find_runs(names: Sequence[str]) -> list[tuple[int, int, str]]:
    """Stretches of equal names as ``(start, stop, name)``."""
    edges = [0, *(i for i in range(1, len(names)) if names[i] != names[i - 1]), len(names)]
    return [(a, b, names[a]) for a, b in pairwise(edges)]


FORWARD: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "relu": lambda z, out: aten.relu.out(z, out=out),
    "gelu": lambda z, out: aten.gelu.out(z, out=out),
    "silu": lambda z, out: aten.silu.out(z, out=out),
    "mish": lambda z, out: aten.mish.out(z, out=out),
    "selu": lambda z, out: aten.elu.out(z, SELU_ALPHA, SELU_SCALE, 1, out=out),
}
BACKWARD: dict[str, Callable[[Tensor, Tensor, Tensor], Any]] = {
    "relu": lambda g, z, out: aten.threshold_backward.grad_input(g, z, 0, grad_input=out),
    "gelu": lambda g, z, out: aten.gelu_backward.grad_input(g, z, grad_input=out),
    "silu": lambda g, z, out: aten.silu_backward.grad_input(g, z, grad_input=out),
    "mish": lambda g, z, out: out.copy_(aten.mish_backward(g, z)),
    "selu": lambda g, z, out: aten.elu_backward.grad_input(
        g, SELU_ALPHA, SELU_SCALE, 1, is_result=False, self_or_result=z, grad_input=out
    ),
}


class Dropout:
    """Drops units with each member's own probability, from random bits of its own."""

    def __init__(self, rates: Sequence[float], widths: Sequence[int], device: torch.device) -> None:
        self.rates, self.widths = tuple(rates), tuple(widths)
        dropped = torch.tensor([count_dropped(rate) for rate in rates])[:, None, None]
        self._limits = (dropped - DRAWS // 2).to(torch.int16).to(device)
        self._scales = (DRAWS / (DRAWS - dropped)).float().to(device)
        self._saved: tuple[Tensor, ...] = ()

    def forward(self, h: Tensor, draw: Callable[[int, int], Tensor]) -> Tensor:
        """Multiplies ``h`` in place; ``draw(member, n)`` gives int16 bits."""
        self._saved = ()
        if not any(self.rates):
            return h
        n_rows = h.shape[1]
        bits = torch.empty(h.shape, dtype=torch.int16, device=h.device)  # padding may be anything
        for member, rate in enumerate(self.rates):
            if rate:
                width = self.widths[member]
                bits[member, :, :width] = draw(member, n_rows * width).view(n_rows, width)
        noise = torch.ge(bits, self._limits, out=torch.empty_like(h)).mul_(self._scales)
        self._saved = (noise,)
        return h.mul_(noise)

    def backward(self, grad: Tensor) -> Tensor:
        if not self._saved:
            return grad
        (noise,) = self._saved
        self._saved = ()
        return noise.mul_(grad)


def count_dropped(rate: float) -> int:
    """Of 65,536 equally likely draws, how many drop a unit."""
    return min(DRAWS - 1, round(rate * DRAWS))
