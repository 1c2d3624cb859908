"""The weights of a file into a backbone, tensor by tensor: all of them, in their shapes, and no other."""

import sys
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from automl.errors import DataError
from automl.models.image.backbones import Backbone
from automl.models.image.pretrained import PretrainedNetwork
from automl.models.image.weights import check_header, import_timm

_SPARE_BYTES = 1 << 28  # a classifier of 22,000 classes beside the backbone


def load_weights(network: PretrainedNetwork, backbone: Backbone, path: Path) -> None:
    """Put the weights of a safetensors file into a network's backbone; the file's own classifier is dropped.

    Every tensor of the backbone must be there in its shape and no other may be: anything else is a
    ``DataError`` that names the tensor. Positions of transformers are resampled to the network's side.
    """
    target = network.backbone
    state = _read_state(target, path)
    state = _convert(
        target, {n: v for n, v in state.items() if n not in _list_head(target, backbone, state)}
    )
    wanted = target.state_dict()
    for name, tensor in wanted.items():
        if name not in state:
            raise _build_mismatch(backbone, path, f"lacks the tensor {name!r}")
        if state[name].shape != tensor.shape:
            shapes = f"{tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            raise _build_mismatch(backbone, path, f"has {name!r} in the shape {shapes}")
    foreign = sorted(set(state) - set(wanted))
    if foreign:
        raise _build_mismatch(backbone, path, f"holds the foreign tensor {foreign[0]!r}")
    if bad := next((n for n, v in state.items() if not bool(torch.isfinite(v).all())), ""):
        raise _build_mismatch(backbone, path, f"holds values in {bad!r} that are not finite")
    target.load_state_dict(state)


def _build_mismatch(backbone: Backbone, path: Path, what: str) -> DataError:
    return DataError(
        f"{path.name} {what}; it does not hold the weights {backbone.tag}.",
        hint="Save them with safetensors from the timm network of that name.",
    )


def _read_state(target: nn.Module, path: Path) -> dict[str, Tensor]:
    largest = 2 * sum(p.numel() * 4 for p in target.state_dict().values()) + _SPARE_BYTES
    try:
        if reason := check_header(path):
            raise DataError(f"{reason}.", hint="Weights are read from safetensors files only.")
        if path.stat().st_size > largest:
            raise DataError(
                f"{path.name} has {path.stat().st_size / 1e6:,.0f} MB, more than its network can hold.",
                hint="Choose the file that timm offers for this network.",
            )
        state: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"The weights {path.name} cannot be read: {error}.",
            hint="Weights are read from safetensors files only.",
        ) from error
    return {name: t.float() if t.is_floating_point() else t for name, t in state.items()}


def _list_head(target: nn.Module, backbone: Backbone, state: dict[str, Tensor]) -> set[str]:
    """Tensors of the file's own classifier: below timm's name for it, and not part of our backbone."""
    known = set(target.state_dict())
    cfg = import_timm().get_pretrained_cfg(backbone.tag)
    declared = cfg.classifier if isinstance(cfg.classifier, (tuple, list)) else (cfg.classifier,)
    stems = {f"{str(name).partition('.')[0]}." for name in declared}
    return {
        name for name in state if name not in known and any(name.startswith(stem) for stem in stems)
    }


def _convert(target: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """What timm does to its own files: old names, positions of another side."""
    convert = getattr(sys.modules[type(target).__module__], "checkpoint_filter_fn", None)
    if convert is None:
        return state
    try:
        return cast("dict[str, Tensor]", convert(dict(state), target))
    except (KeyError, IndexError, ValueError, RuntimeError, AttributeError):
        return state  # not in timm's form: the comparison names what is wrong
