"""Optimisers of image networks: who decays, who is made orthogonal, and one learning rate for all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from automl.models.image.recipe_space import RecipeConfig
from automl.training.image.muon import Muon

MOMENTUM = 0.9
MUON_PARTNER_MOMENTUM = 0.85
MUON_PARTNER_RATE = 0.1  # SGD's own peak rate beside Muon, for biases, norms and the head
RATE = "peak_rate"  # a group's own peak where it is not the recipe's


@dataclass(frozen=True, kw_only=True, slots=True)
class Roles:
    """Parameters by what may be done to them: ``hidden`` matrices and filters, other ``decayed`` weights
    (the head, depthwise filters), and the ``free`` rest (biases, norms, positions).
    """

    hidden: tuple[Tensor, ...]
    decayed: tuple[Tensor, ...]
    free: tuple[Tensor, ...]


def sort_parameters(network: nn.Module) -> Roles:
    """Filters and dense weights decay; all of them but those of the last layer and of groups are hidden."""
    weights = list(_iterate_weights(network))
    last = weights[-1][1] if weights else None
    hidden = tuple(w for is_whole, w in weights if is_whole and w is not last)
    decayed = tuple(w for is_whole, w in weights if not is_whole or w is last)
    known = {id(weight) for _, weight in weights}
    learning = [p for p in network.parameters() if p.requires_grad]
    return Roles(
        hidden=hidden, decayed=decayed, free=tuple(p for p in learning if id(p) not in known)
    )


def _iterate_weights(network: nn.Module) -> Iterator[tuple[bool, Tensor]]:
    """Weights of linear maps in the order of the modules, once each, and whether they see all channels."""
    seen: set[int] = set()
    for module in network.modules():
        if not isinstance(module, (nn.Linear, nn.Conv2d)) or not module.weight.requires_grad:
            continue
        if id(module.weight) not in seen:
            seen.add(id(module.weight))
            yield not isinstance(module, nn.Conv2d) or module.groups == 1, module.weight


class Optimisers:
    """One or two optimisers that step together, at one factor of their peak rates."""

    def __init__(self, members: Sequence[torch.optim.Optimizer]) -> None:
        self._members = tuple(members)
        for member in self._members:
            for group in member.param_groups:
                group.setdefault(RATE, group["lr"])

    def step(self, factor: float) -> None:
        """One step at ``factor`` (0..1) of each group's peak rate; gradients are dropped afterwards."""
        for member in self._members:
            for group in member.param_groups:
                group["lr"] = group[RATE] * factor
            member.step()
            member.zero_grad(set_to_none=True)


def build_optimisers(
    network: nn.Module, recipe: RecipeConfig, precision: torch.dtype = torch.float32
) -> Optimisers:
    """The optimiser of a recipe; Muon has SGD beside it for whatever is no hidden matrix.

    ``precision`` is Muon's inner one. With Muon ``weight_decay`` is that of the head and of depthwise filters: held norms need none.
    """
    roles = sort_parameters(network)
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "muon":
        partner = _build_groups((roles.decayed, decay), (roles.free, 0.0))
        members: list[torch.optim.Optimizer] = []
        if roles.hidden:
            members.append(Muon(roles.hidden, lr=rate, precision=precision))
        if partner:
            members.append(_build_sgd(partner, MUON_PARTNER_RATE, MUON_PARTNER_MOMENTUM))
        return Optimisers(members)
    groups = _build_groups(((*roles.hidden, *roles.decayed), decay), (roles.free, 0.0))
    if recipe.optimizer == "adamw":
        return Optimisers([torch.optim.AdamW(groups, lr=rate, fused=True)])
    return Optimisers([_build_sgd(groups, rate, MOMENTUM)])


def _build_sgd(groups: list[dict[str, Any]], rate: float, momentum: float) -> torch.optim.SGD:
    return torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=True, fused=True)


def _build_groups(*parts: tuple[Sequence[Tensor], float]) -> list[dict[str, Any]]:
    return [{"params": list(tensors), "weight_decay": decay} for tensors, decay in parts if tensors]
