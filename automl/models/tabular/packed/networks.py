"""MLPs and ResNets of many members as one program: forward, backward, and how they are laid out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from automl.models.tabular.config import (
    MLPConfig,
    ResNetConfig,
    parse_mlp,
    parse_resnet,
)
from automl.models.tabular.packed.operations import (
    Activation,
    Dropout,
    Linear,
    Norm,
    Pair,
)
from automl.space.dimensions import Config

Draw = Callable[[int, int], Tensor]
Pairs = Mapping[str, Pair]
Running = Mapping[str, Tensor]


class Body(Protocol):
    """What follows the inputs; members are the deepest first."""

    def forward(self, x: Tensor, draw: Draw | None) -> Tensor:
        """``(K, B, d_in)`` → ``(K, B, n_outputs)``; ``draw`` gives random bits, None to predict."""
        ...

    def backward(self, grad: Tensor, *, to_input: bool) -> Tensor | None:
        """The gradient of the input where it is wanted, those of the parameters to their place."""
        ...


def get_depth(family: str, config: Config) -> int:
    """Hidden layers or blocks."""
    return len(parse_mlp(config).widths) if family == "mlp" else parse_resnet(config).n_blocks


def build_body(family: str, configs: Sequence[Config], pairs: Pairs, running: Running) -> Body:
    """The body of members sorted by depth, over the parameters in ``pairs`` and statistics in ``running``."""
    if family == "mlp":
        return PackedMLP([parse_mlp(config) for config in configs], pairs, running)
    return PackedResNet([parse_resnet(config) for config in configs], pairs, running)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Where a body finds its parameters."""

    pairs: Pairs
    running: Running

    def build_linear(self, name: str) -> Linear:
        return Linear(self.pairs[f"{name}.weight"], self.pairs.get(f"{name}.bias"))

    def build_norm(self, name: str, kinds: Sequence[str], widths: Sequence[int]) -> Norm | None:
        """None where no member has a norm here."""
        if f"{name}.weight" not in self.pairs:
            return None
        running = None
        if f"{name}.running_mean" in self.running:
            running = (self.running[f"{name}.running_mean"], self.running[f"{name}.running_var"])
        return Norm(
            kinds, widths,
            weight=self.pairs[f"{name}.weight"], bias=self.pairs[f"{name}.bias"], running=running,
        )  # fmt: skip


class Layer:
    """One hidden layer of the first ``k`` members, plain or residual."""

    def __init__(self, index: int, members: Sequence[MLPConfig], parts: Parts) -> None:
        name = f"body.layer{index + 1}"
        self.n_members = len(members)
        self.is_residual = members[0].is_residual and index > 0
        widths = [member.widths[index] for member in members]
        before = [member.widths[index - 1] for member in members] if self.is_residual else widths
        self.linear = parts.build_linear(f"{name}.linear")
        self.norm = parts.build_norm(f"{name}.norm", [m.norm for m in members], before)
        self.activation = Activation([member.activation for member in members])
        rates = [member.dropout for member in members]
        self.dropout = Dropout(rates, widths, self.linear.weight.value.device)
        self.shortcut: Linear | None = None
        if f"{name}.shortcut.weight" in parts.pairs:
            self.shortcut = parts.build_linear(f"{name}.shortcut")
        self.is_straight = [a == b for a, b in zip(before, widths, strict=True)]

    def forward(self, h: Tensor, draw: Draw | None) -> Tensor:
        training = draw is not None
        z = h
        if self.is_residual:
            z = self._normalise(h, training=training)
        z = self.linear.forward(z, training=training)
        if not self.is_residual:
            z = self._normalise(z, training=training)
        z = self.activation.forward(z, training=training)
        if draw is not None:
            z = self.dropout.forward(z, draw)
        return z + self._pass(h, z.shape[2], training=training) if self.is_residual else z

    def _normalise(self, h: Tensor, *, training: bool) -> Tensor:
        return h if self.norm is None else self.norm.forward(h, training=training)

    def _pass(self, h: Tensor, width: int, *, training: bool) -> Tensor:
        """The way around: the input itself, or a linear map where a member's widths differ."""
        if self.shortcut is None:
            return h[..., :width]
        mapped = self.shortcut.forward(h, training=training)
        for member, is_straight in enumerate(self.is_straight):
            if is_straight:
                shared = min(width, h.shape[2])
                mapped[member, :, :shared] = h[member, :, :shared]
        return mapped

    def backward(self, grad: Tensor, *, to_input: bool = True) -> Tensor | None:
        upper = self.activation.backward(self.dropout.backward(grad))
        if not self.is_residual:
            if self.norm is not None:
                upper = self.norm.backward(upper)
            if to_input:
                return self.linear.backward(upper)
            self.linear.backward_weights(upper)
            return None
        lower = self.linear.backward(upper)
        if self.norm is not None:
            lower = self.norm.backward(lower)
        return self._add_passed(lower, grad)

    def _add_passed(self, lower: Tensor, grad: Tensor) -> Tensor:
        shared = min(lower.shape[2], grad.shape[2])
        if self.shortcut is None:
            lower[..., :shared] += grad[..., :shared]
            return lower
        mapped = self.shortcut.backward(grad)
        for member, is_straight in enumerate(self.is_straight):
            if is_straight:
                self.shortcut.weight.grad[member] = 0.0
                mapped[member] = 0.0
                mapped[member, :, :shared] = grad[member, :, :shared]
        return lower.add_(mapped)


class PackedMLP:
    """Layers on ever fewer members, and a head for those that end at each."""

    def __init__(self, members: Sequence[MLPConfig], pairs: Pairs, running: Running) -> None:
        parts = Parts(pairs=pairs, running=running)
        depths = [len(member.widths) for member in members]
        self.counts = [sum(depth > index for depth in depths) for index in range(depths[0])]
        self.layers = [
            Layer(index, members[:count], parts) for index, count in enumerate(self.counts)
        ]
        weight, bias = pairs["body.head.weight"], pairs["body.head.bias"]
        self.heads: list[Linear | None] = []
        for index, count in enumerate(self.counts):
            after = self.counts[index + 1] if index + 1 < len(self.counts) else 0
            width = pairs[f"body.layer{index + 1}.linear.bias"].value.shape[1]
            own = Pair(
                value=weight.value[after:count, :, :width], grad=weight.grad[after:count, :, :width]
            )
            ends = Pair(value=bias.value[after:count], grad=bias.grad[after:count])
            self.heads.append(Linear(own, ends) if after < count else None)

    def forward(self, x: Tensor, draw: Draw | None) -> Tensor:
        outputs = []
        for layer, head in zip(self.layers, self.heads, strict=True):
            x = layer.forward(x[: layer.n_members], draw)
            if head is not None:
                n_ending = len(head.weight.value)
                outputs.append(head.forward(x[-n_ending:], training=draw is not None))
        return torch.cat(outputs[::-1])

    def backward(self, grad: Tensor, *, to_input: bool) -> Tensor | None:
        below: Tensor | None = None
        for index in reversed(range(len(self.layers))):
            layer, head = self.layers[index], self.heads[index]
            parts = [] if below is None else [below]
            if head is not None:
                start = layer.n_members - len(head.weight.value)
                parts.append(head.backward(grad[start : layer.n_members]))
            upper = parts[0] if len(parts) == 1 else torch.cat(parts)
            below = layer.backward(upper, to_input=to_input or index > 0)
        return below


class Block:
    """One pre-activation block of the first ``k`` members."""

    def __init__(self, index: int, members: Sequence[ResNetConfig], parts: Parts) -> None:
        name = f"body.block{index + 1}"
        self.n_members = len(members)
        kinds, widths = [m.norm for m in members], [m.d_block for m in members]
        self.norm = parts.build_norm(f"{name}.norm", kinds, widths)
        self.first = parts.build_linear(f"{name}.first")
        self.activation = Activation([member.activation for member in members])
        device = self.first.weight.value.device
        rates = [m.hidden_dropout for m in members]
        self.hidden_dropout = Dropout(rates, [m.d_hidden for m in members], device)
        self.second = parts.build_linear(f"{name}.second")
        rates = [m.residual_dropout for m in members]
        self.residual_dropout = Dropout(rates, widths, device)

    def forward(self, x: Tensor, draw: Draw | None) -> Tensor:
        training = draw is not None
        z = x if self.norm is None else self.norm.forward(x, training=training)
        z = self.activation.forward(self.first.forward(z, training=training), training=training)
        if draw is not None:
            z = self.hidden_dropout.forward(z, draw)
        z = self.second.forward(z, training=training)
        if draw is not None:
            z = self.residual_dropout.forward(z, draw)
        return x + z

    def backward(self, grad: Tensor) -> Tensor:
        z = self.second.backward(self.residual_dropout.backward(grad))
        z = self.activation.backward(self.hidden_dropout.backward(z))
        z = self.first.backward(z)
        if self.norm is not None:
            z = self.norm.backward(z)
        return z.add_(grad)


class PackedResNet:
    """A first map, blocks on ever fewer members, then norm, activation and head of all."""

    def __init__(self, members: Sequence[ResNetConfig], pairs: Pairs, running: Running) -> None:
        parts = Parts(pairs=pairs, running=running)
        self.first = parts.build_linear("body.first")
        depths = [member.n_blocks for member in members]
        counts = [sum(depth > index for depth in depths) for index in range(depths[0])]
        self.blocks = [Block(index, members[:count], parts) for index, count in enumerate(counts)]
        widths = [member.d_block for member in members]
        self.norm = parts.build_norm("body.norm", [member.norm for member in members], widths)
        self.activation = Activation([member.activation for member in members])
        self.head = parts.build_linear("body.head")

    def forward(self, x: Tensor, draw: Draw | None) -> Tensor:
        training = draw is not None
        x = self.first.forward(x, training=training)
        for block in self.blocks:
            x = _join(block.forward(x[: block.n_members], draw), x)
        if self.norm is not None:
            x = self.norm.forward(x, training=training)
        return self.head.forward(self.activation.forward(x, training=training), training=training)

    def backward(self, grad: Tensor, *, to_input: bool) -> Tensor | None:
        upper = self.activation.backward(self.head.backward(grad))
        if self.norm is not None:
            upper = self.norm.backward(upper)
        for block in reversed(self.blocks):
            upper = _join(block.backward(upper[: block.n_members]), upper)
        if to_input:
            return self.first.backward(upper)
        self.first.backward_weights(upper)
        return None


def _join(front: Tensor, whole: Tensor) -> Tensor:
    """``front`` in place of the first members of ``whole``."""
    return front if len(front) == len(whole) else torch.cat([front, whole[len(front) :]])
