"""Where a network looked: Grad-CAM, or attention rollout for networks that attend.

Both say something about the model, nothing about causes. Networks are read in evaluation mode, nothing is hooked into them
and none of their tensors gets a gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from automl.data.images.rows import ImageRows
from automl.errors import BundleError, SpecError
from automl.models.image.image_model import ImageModel
from automl.models.image.network import ImageNetwork
from automl.models.image.rollout import map_positions, roll_out
from automl.training.predictor import Predictor, load_predictor

GRAD_CAM = "Grad-CAM"
ROLLOUT = "Attention rollout"
LIMITS = (
    "The map explains the model, not causes: it shows where the network's last maps speak for the class, not "
    "why the picture is what it is."
)
TINY = 1e-12
CHUNK_PICTURES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """One picture and what a model looked at for one class.

    ``row`` is the position among the given pictures; ``heat`` is float32 ``(S, S)`` from 0 to 1;
    ``raw_maximum`` is the largest value before scaling (mean of the members); ``note`` says where the map tells
    nothing.
    """

    row: int
    class_index: int
    heat: NDArray[np.float32]
    raw_maximum: float
    method: str
    note: str = ""


def load_members(folder: Path, device: str = "cpu") -> tuple[Predictor, ...]:
    """The models of a bundle folder (``members/0`` …), or the one of a model folder."""
    members = sorted((folder / "members").glob("*"), key=lambda path: path.name)
    return tuple(load_predictor(member, device) for member in members or [folder])


def explain_pictures(
    members: Sequence[Predictor] | Path,
    images: ImageRows,
    classes: Sequence[int] | None = None,
) -> list[Explained]:
    """Maps for each picture and its class; None takes the class with the highest mean probability.

    Members (seeds of one architecture) are averaged, each scaled to its own maximum first. A model that is no
    network, or a class that it does not know, is an error.
    """
    if isinstance(members, Path):
        members = load_members(members)
    models = [require_network(member) for member in members]
    if not models:
        raise BundleError("There is no model to explain.")
    chosen = _choose_classes(models, images) if classes is None else list(classes)
    n_classes = models[0].shape.n_outputs
    if len(chosen) != len(images) or not all(0 <= index < n_classes for index in chosen):
        raise SpecError(f"{len(images)} pictures need as many classes of 0..{n_classes - 1}.")
    explained = []
    for start in range(0, len(images), CHUNK_PICTURES):
        pixels = images.load(start, start + CHUNK_PICTURES)
        part = chosen[start : start + CHUNK_PICTURES]
        explained += _explain_chunk(models, pixels, (start, part))
    return explained


def require_network(model: Predictor) -> ImageModel:
    """The model as an image network; any other is a ``SpecError``."""
    if not isinstance(model, ImageModel):
        raise SpecError(
            f"A model of the family {model.family!r} has no maps to look at.",
            hint="Explanations need a network for pictures.",
        )
    return model


@torch.inference_mode()
def compute_last_maps(model: ImageModel, images: ImageRows) -> NDArray[np.float64]:
    """The mean over the places of the last feature maps, ``(n, d)``: what the head of most networks reads."""
    model.network.eval()
    parts = []
    for start in range(0, len(images), CHUNK_PICTURES):
        pixels = images.load(start, start + CHUNK_PICTURES)
        maps = model.network.features(model.normalise(pixels))
        parts.append(maps.double().mean(dim=(2, 3)).cpu().numpy())
    return np.concatenate(parts)


def _choose_classes(models: Sequence[ImageModel], images: ImageRows) -> list[int]:
    mean = np.mean([model.predict_rows(images) for model in models], axis=0)
    return [int(index) for index in mean.argmax(axis=1)]


def _explain_chunk(
    models: Sequence[ImageModel], pixels: NDArray[np.uint8], place: tuple[int, Sequence[int]]
) -> list[Explained]:
    start, classes = place
    method = ROLLOUT if hasattr(models[0].network, "attention_maps") else GRAD_CAM
    heats, maxima = [], []
    for model in models:
        inputs = model.normalise(pixels)
        raw = compute_maps(model.network, inputs, classes)
        scaled, raw_maximum = scale_maps(raw, is_relative=method == ROLLOUT)
        heats.append(enlarge(scaled, pixels.shape[1]))
        maxima.append(raw_maximum)
    heat = np.mean(heats, axis=0)
    peak = heat.max(axis=(1, 2), keepdims=True)
    heat = np.where(peak > TINY, heat / np.maximum(peak, TINY), 0.0).astype(np.float32)
    raw_maxima = np.mean(maxima, axis=0)
    is_point = raw.shape[1] * raw.shape[2] == 1
    return [
        Explained(
            row=start + index,
            class_index=classes[index],
            heat=heat[index],
            raw_maximum=float(raw_maxima[index]),
            method=method,
            note=_describe(is_zero=not bool(peak[index] > TINY), is_point=is_point),
        )
        for index in range(len(pixels))
    ]


def _describe(*, is_zero: bool, is_point: bool) -> str:
    if is_zero:
        return "The map is zero everywhere: nothing in the last maps speaks for this class."
    if is_point:
        return "The last maps of this network have one cell: they cannot say where."
    return ""


def compute_maps(network: ImageNetwork, inputs: Tensor, classes: Sequence[int]) -> Tensor:
    """Raw maps ``(n, h, w)``, never negative: rollout where the network attends, else Grad-CAM."""
    network.eval()
    if hasattr(network, "attention_maps"):
        attentive: Any = network
        with torch.no_grad():
            return map_positions(roll_out(attentive.attention_maps(inputs)))
    return compute_grad_cam(network, inputs, classes)


def compute_grad_cam(network: ImageNetwork, inputs: Tensor, classes: Sequence[int]) -> Tensor:
    """Grad-CAM at the last maps, ``(n, h, w)``.

    Channel weights are the mean gradients of the class's logit; the weighted sum is cut at 0.
    Source: Selvaraju et al. 2017, Grad-CAM, eq. 1 and 2.
    """
    with torch.no_grad():
        maps = network.features(inputs)  # A^k
    maps = maps.detach().float().requires_grad_()
    with torch.enable_grad():
        logits = network.head(maps)
        chosen = logits.gather(1, torch.tensor(classes, device=logits.device)[:, None]).sum()
        (gradient,) = torch.autograd.grad(chosen, maps)
    weights = gradient.mean(dim=(2, 3), keepdim=True)  # alpha_k^c
    return (weights * maps.detach()).sum(dim=1).clamp_min(0)


def scale_maps(raw: Tensor, *, is_relative: bool) -> tuple[Tensor, NDArray[np.float64]]:
    """Maps from 0 to 1, and their raw maxima; a map without a peak stays 0.

    ``is_relative`` takes the smallest value for 0: rollouts have a floor that says nothing.
    """
    peak = raw.amax(dim=(1, 2), keepdim=True)
    floor = raw.amin(dim=(1, 2), keepdim=True) if is_relative else torch.zeros_like(peak)
    span = peak - floor
    scaled = torch.where(span > TINY, (raw - floor) / span.clamp_min(TINY), torch.zeros_like(raw))
    return scaled, np.asarray(peak[:, 0, 0].double().cpu().numpy())


def enlarge(maps: Tensor, side: int) -> NDArray[np.float32]:
    """Maps ``(n, h, w)`` at the side of the pictures, smoothly."""
    large = functional.interpolate(maps[:, None], size=(side, side), mode="bilinear")
    return np.asarray(large[:, 0].clamp(0, 1).cpu().numpy(), dtype=np.float32)
