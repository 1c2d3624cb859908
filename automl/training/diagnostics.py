"""What the steps of an epoch tell: size of an update, and what went wrong first when a number is none."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from automl.errors import TrainingDiverged

WILD_INPUT = 10.0  # prepared inputs have deviation 1 or lie between -1 and 1


class Gauge:
    """Measures one step: ``mark`` before it, ``measure`` after it."""

    def __init__(self, network: nn.Module) -> None:
        self._weights = [weight for weight in network.parameters() if weight.requires_grad]
        self._before: list[Tensor] = []

    def mark(self) -> None:
        """Copy the weights as they are before the step."""
        self._before = [weight.detach().clone() for weight in self._weights]

    def measure(self) -> float | None:
        """Norm of the change over norm of the weights after it; None where no step was marked."""
        if not self._before:
            return None
        now = [weight.detach() for weight in self._weights]
        change = [new - old for new, old in zip(now, self._before, strict=True)]
        size = get_total_norm(now).clamp_min(torch.finfo(torch.float32).tiny)
        return float(get_total_norm(change) / size)


def check_finite(losses: Tensor, norms: Tensor, n_steps_done: int, describe: str) -> None:
    """Raise ``TrainingDiverged`` at the first step whose loss or gradient norm is no number.

    A loss comes before its gradient: where both are none, the loss was first. ``describe`` says more, as
    ``describe_inputs`` does.
    """
    bad = ~(torch.isfinite(losses) & torch.isfinite(norms))
    if not bool(bad.any()):
        return
    index = int(bad.int().argmax())
    loss, norm = float(losses[index]), float(norms[index])
    what = f"The gradient became {norm}" if math.isfinite(loss) else f"The loss became {loss}"
    raise TrainingDiverged(
        f"{what} at step {n_steps_done + index + 1}{describe}.",
        hint="A lower learning rate or a normalisation may help.",
    )


def describe_inputs(numeric: Tensor) -> str:
    """The largest input where it is wild, else nothing."""
    largest = float(numeric.abs().max()) if numeric.numel() else 0.0
    return "" if largest <= WILD_INPUT else f"; the largest prepared input is {largest:.3g}"
