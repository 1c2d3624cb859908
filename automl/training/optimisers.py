"""Optimisers over groups of parameters: weights decay, everything else does not; some have rates of their own."""

from collections.abc import Iterator

import torch
from torch import nn

from automl.models.tabular.config import PlanConfig
from automl.models.tabular.embeddings import PiecewiseLinear
from automl.models.tabular.ntk import NTKLinear
from automl.models.tabular.periodic import PBLD, Periodic
from automl.models.tabular.tabm import CopiedHead

MOMENTUM = 0.9
LINEAR = (nn.Linear, PiecewiseLinear, Periodic, PBLD, NTKLinear, CopiedHead)


def build_optimizer(network: nn.Module, plan: PlanConfig) -> torch.optim.Optimizer:
    """AdamW, or SGD with Nesterov momentum; one fused call per step."""
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for parameter, decays, factor in _iterate_parameters(network):
        groups.setdefault((decays, factor), []).append(parameter)
    options = [
        {
            "params": groups[decays, factor],
            "decay": plan.weight_decay if decays else 0.0,
            "weight_decay": plan.weight_decay if decays else 0.0,
            "rate_factor": factor,
        }
        for decays, factor in sorted(groups, reverse=True)
    ]
    if plan.optimizer == "adamw":
        return torch.optim.AdamW(options, lr=plan.learning_rate, betas=plan.betas, fused=True)
    if plan.optimizer == "sgd":
        return torch.optim.SGD(
            options, lr=plan.learning_rate, momentum=MOMENTUM, nesterov=True, fused=True
        )
    raise ValueError(f"no optimizer {plan.optimizer!r}")


def _iterate_parameters(network: nn.Module) -> Iterator[tuple[nn.Parameter, bool, float]]:
    """Parameters, whether they decay, and the factor on their rate.

    Weights of linear maps decay; biases, norms, frequencies and embedding tables are left alone. A module may
    name factors in ``rate_factors``.
    """
    for module in network.modules():
        factors = getattr(module, "rate_factors", {})
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                decays = name == "weight" and isinstance(module, LINEAR)
                yield parameter, decays, factors.get(name, 1.0)


def find_decayed(network: nn.Module) -> frozenset[str]:
    """Names of the weights that decay."""
    decayed = {id(parameter) for parameter, decays, _ in _iterate_parameters(network) if decays}
    return frozenset(name for name, value in network.named_parameters() if id(value) in decayed)


def set_rates(optimizer: torch.optim.Optimizer, rate: float, decay_factor: float = 1.0) -> None:
    """The learning rate of all groups, each with its own factor, and what their decay is multiplied by."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate_factor"]
        group["weight_decay"] = group["decay"] * decay_factor
