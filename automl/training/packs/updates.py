"""One optimiser step of each member of a pack, with its own rule, rate and decay."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from automl.models.tabular.config import PlanConfig
from automl.models.tabular.packed.layout import Layout
from automl.training.optimisers import MOMENTUM

BETAS = (0.9, 0.999)
EPSILON = 1e-8


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """Rows of parameters, gradients and moments, ``(members, numbers)`` each."""

    value: Tensor
    grad: Tensor
    first: Tensor
    second: Tensor


def allocate(layout: Layout, n_members: int, device: torch.device) -> Storage:
    """Storage of zeros."""
    rows = [torch.zeros(n_members, layout.size, device=device) for _ in range(4)]
    return Storage(value=rows[0], grad=rows[1], first=rows[2], second=rows[3])


class Updates:
    """The optimisers of all members, over the rows of one storage.

    One fused call per member and group: a member keeps its own kernel, step count and numbers, whatever its
    neighbours do, and a row is read once. ``n_done`` counts the updates of each.
    """

    def __init__(
        self, layout: Layout, storage: Storage, plans: Sequence[PlanConfig], n_done: Sequence[int]
    ) -> None:
        self.plans = tuple(plans)
        self.n_done = list(n_done)
        rows = (storage.value, storage.grad, storage.first, storage.second)
        self._decayed = [
            [row[member, :stop] for row in rows] for member, stop in enumerate(layout.decayed_stops)
        ]
        self._free = [
            [row[member, layout.n_decayed : stop] for row in rows]
            for member, stop in enumerate(layout.free_stops)
        ]
        self._counts = [
            torch.full((), float(count), device=storage.value.device) for count in n_done
        ]

    def step(self, rates: Sequence[float], scales: Tensor, skipped: Sequence[bool]) -> None:
        """Update all members but the ``skipped``; gradients are divided by ``scales`` ``(members,)``."""
        for member, scale in enumerate(scales.unbind()):
            if skipped[member]:
                continue
            plan = self.plans[member]
            update = self._step_adamw if plan.optimizer == "adamw" else self._step_sgd
            self._counts[member].add_(1)
            update(member, self._decayed[member], rates[member], plan.weight_decay, scale)
            update(member, self._free[member], rates[member], 0.0, scale)
            self.n_done[member] += 1

    def _step_adamw(
        self, member: int, rows: list[Tensor], rate: float, decay: float, scale: Tensor
    ) -> None:
        value, grad, first, second = rows
        torch._fused_adamw_(  # what torch.optim.AdamW(fused=True) calls
            [value], [grad], [first], [second], [], [self._counts[member]],
            lr=rate, beta1=BETAS[0], beta2=BETAS[1], weight_decay=decay, eps=EPSILON,
            amsgrad=False, maximize=False, grad_scale=scale, found_inf=None,
        )  # fmt: skip

    def _step_sgd(
        self, member: int, rows: list[Tensor], rate: float, decay: float, scale: Tensor
    ) -> None:
        value, grad, first, _ = rows
        torch._fused_sgd_(  # what torch.optim.SGD(fused=True) calls
            [value], [grad], [first], weight_decay=decay, momentum=MOMENTUM, lr=rate,
            dampening=0.0, nesterov=True, maximize=False,
            is_first_step=self.n_done[member] == 0, grad_scale=scale, found_inf=None,
        )  # fmt: skip
