"""Muon: momentum made orthogonal, for filters and hidden matrices.

Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers", with the choices of airbench94_muon. Where it
differs from ``torch.optim.Muon``: filters ``(o, i, k, k)`` are matrices ``(o, i·k·k)``; before each step a filter is
scaled to the Frobenius norm √o, so that the learning rate is an angle and needs no decay against growing
weights; matrices of the same shape are worked on together.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
N_ITERATIONS = 5
MOMENTUM = 0.6


@torch.no_grad()
def orthogonalise(matrices: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    """The nearest semi-orthogonal matrices, roughly: singular values land in 0.7..1.2.

    Shape: ``(b, o, i) → (b, o, i)``, in ``precision``; bfloat16 is enough. Newton–Schulz iteration of fifth
    order, five steps.
    """
    a, b, c = COEFFICIENTS
    x = matrices.to(precision)
    is_tall = x.shape[1] > x.shape[2]
    x = x.mT if is_tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(N_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if is_tall else x


class Muon(torch.optim.Optimizer):
    """Muon over parameters of two or more dimensions; ``lr`` is the angle of a step in radians, about.

    It has no weight decay: the norm of each matrix is held.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float = MOMENTUM,
        precision: torch.dtype = torch.float32,
    ) -> None:
        if lr <= 0 or not 0 <= momentum < 1:
            raise ValueError(f"lr {lr}, momentum {momentum}")
        super().__init__(params, {"lr": lr, "momentum": momentum})
        self.precision = precision

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """One step; parameters without a gradient stay."""
        for group in self.param_groups:
            shapes: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is not None:
                    ahead = self._look_ahead(parameter, gradient, group["momentum"])
                    shapes.setdefault(tuple(ahead.shape), []).append((parameter, ahead))
            for pairs in shapes.values():
                self._move(pairs, group["lr"])

    def _look_ahead(self, parameter: Tensor, gradient: Tensor, momentum: float) -> Tensor:
        """Nesterov momentum as a matrix."""
        state = self.state[parameter]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(parameter)
        velocity: Tensor = state["velocity"]
        velocity.mul_(momentum).add_(gradient)
        return gradient.add(velocity, alpha=momentum).reshape(len(gradient), -1)

    def _move(self, pairs: list[tuple[Tensor, Tensor]], rate: float) -> None:
        updates = orthogonalise(torch.stack([ahead for _, ahead in pairs]), self.precision)
        for (parameter, _), update in zip(pairs, updates, strict=True):
            parameter.mul_(len(parameter) ** 0.5 / parameter.norm().clamp_min(1e-7))
            parameter.add_(update.to(parameter.dtype).reshape(parameter.shape), alpha=-rate)
