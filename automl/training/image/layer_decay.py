"""Groups of an optimiser with a learning rate that falls from the head towards the stem."""

from typing import Any

import torch
from torch import Tensor

from automl.models.image.pretrained import PretrainedNetwork, number_stages

RATE_SHARE = "rate_share"  # the group's share of the learning rate, 0..1


def build_groups(
    network: PretrainedNetwork, weight_decay: float, layer_decay: float = 1.0
) -> list[dict[str, Any]]:
    """Groups over the tensors that learn: depth d of n stages learns at ``layer_decay ** (n + 1 − d)``.

    The classifier and what follows the last stage learn at the full rate. Biases, norms, scales and
    positions are not decayed.
    Source: Clark et al. 2020, ELECTRA, layer-wise learning-rate decay.
    """
    depths, n_stages = number_stages(network.backbone)
    stem = "backbone."
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        depth = depths.get(name.removeprefix(stem), n_stages + 1)
        is_decayed = parameter.ndim > 1 and not name.endswith(("cls_token", "pos_embed"))
        key = (layer_decay ** (n_stages + 1 - depth), weight_decay if is_decayed else 0.0)
        groups.setdefault(key, []).append(parameter)
    return [
        {"params": tensors, "weight_decay": decay, RATE_SHARE: share}
        for (share, decay), tensors in groups.items()
    ]


def set_layer_rates(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The rate of every group, as its share of ``rate``."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[RATE_SHARE]
