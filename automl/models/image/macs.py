"""Parameters and multiply-adds (MACs) of image networks; no weight needs to be in memory.

Built under ``torch.device("meta")`` a network has shapes only, and counting it costs milliseconds.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

T = TypeVar("T", bound=nn.Module)


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """Multiply-adds of one picture and output shapes without the batch, by module path; ``""`` is the whole."""

    macs: dict[str, int]
    outputs: dict[str, tuple[int, ...]]


def build_on_meta(build: Callable[[], T]) -> T:
    """Build a network that has shapes but no weights."""
    with torch.device("meta"):
        return build()


def count_parameters(network: nn.Module) -> int:
    """Numbers that are learnt; shared ones count once, buffers never."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, picture: tuple[int, int, int]) -> int:
    """Multiply-adds for one picture ``(C, H, W)``: convolutions, linear layers, attention; a MAC is two FLOPs."""
    return compute_costs(network, picture).macs[""]


@torch.no_grad()
def compute_costs(network: nn.Module, picture: tuple[int, int, int]) -> Costs:
    """Count every module in one forward pass, in evaluation mode; the network is left as it was."""
    outputs: dict[str, tuple[int, ...]] = {}

    def note(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                outputs[path] = tuple(output.shape[1:])

        return hook

    tensor = next(network.parameters())
    modes = {module: module.training for module in network.modules()}
    network.eval()
    with ExitStack() as stack:
        for path, module in network.named_modules():
            stack.enter_context(_Removed(module.register_forward_hook(note(path))))
        counter = stack.enter_context(FlopCounterMode(display=False))
        network(torch.zeros((1, *picture), device=tensor.device, dtype=tensor.dtype))
    for module, is_training in modes.items():
        module.training = is_training
    root = type(network).__name__
    macs = {
        name.removeprefix(root).removeprefix("."): sum(counts.values()) // 2
        for name, counts in counter.get_flop_counts().items()
        if name != "Global"
    }
    return Costs(macs={"": counter.get_total_flops() // 2, **macs}, outputs=outputs)


class _Removed:
    """A hook that goes when the block ends."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.handle.remove()
