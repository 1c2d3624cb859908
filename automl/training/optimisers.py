"""Optimisers over two groups: weights, which decay, and everything else, which does not."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from automl.models.tabular.config import PlanConfig
from automl.models.tabular.embeddings import PiecewiseLinear

MOMENTUM = 0.9


def build_optimizer(network: nn.Module, plan: PlanConfig) -> torch.optim.Optimizer:
    """AdamW, or SGD with Nesterov momentum; one fused call per step."""
    decayed = set(_iterate_decayed(network))
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {
            "params": [parameter for parameter in parameters if parameter in decayed],
            "weight_decay": plan.weight_decay,
        },
        {
            "params": [parameter for parameter in parameters if parameter not in decayed],
            "weight_decay": 0.0,
        },
    ]
    groups = [group for group in groups if group["params"]]
    if plan.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=plan.learning_rate, fused=True)
    if plan.optimizer == "sgd":
        return torch.optim.SGD(
            groups, lr=plan.learning_rate, momentum=MOMENTUM, nesterov=True, fused=True
        )
    raise ValueError(f"no optimizer {plan.optimizer!r}")


def _iterate_decayed(network: nn.Module) -> Iterator[Tensor]:
    """Weights of linear maps; biases, norms and embedding tables are left alone."""
    for module in network.modules():
        if isinstance(module, (nn.Linear, PiecewiseLinear)):
            yield module.weight


def find_decayed(network: nn.Module) -> frozenset[str]:
    """Names of the weights that decay."""
    decayed = set(_iterate_decayed(network))
    return frozenset(name for name, value in network.named_parameters() if value in decayed)


def set_learning_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    """The rate of all groups."""
    for group in optimizer.param_groups:
        group["lr"] = value
