"""Networks as arrays and plain values, and back; without pickle."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from automl.data.views import ViewShape
from automl.models.catalog import resolve_build


def restore_shape(fields: Mapping[str, Any]) -> ViewShape:
    """A ``ViewShape`` from its JSON form."""
    listed = ("cardinalities", "image_mean", "image_std")
    return ViewShape(**{**fields, **{name: tuple(fields[name]) for name in listed}})


def copy_arrays(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Parameters and stored buffers by name, on the host."""
    state = network.state_dict()
    return {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}


def restore_network(record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The network of ``record`` (``family, config, shape``) with all of these arrays and no others, on the host.

    It is built without memory first, on the meta device: a foreign file may claim to hold any size.
    Raises ``ValueError`` where a buffer is neither stored nor computed.
    """
    with torch.device("meta"):
        network = resolve_build(record["family"])(record["config"], restore_shape(record["shape"]))
    network.load_state_dict(
        {name: torch.tensor(value) for name, value in arrays.items()}, assign=True
    )
    lost = [name for name, buffer in network.named_buffers() if buffer.is_meta]
    if lost:
        raise ValueError(f"{lost[0]} is neither stored nor computed")
    return network
