"""Batched augmentation on the device: whole batches of bytes in, whole batches of floats out.

Every picture of a batch is drawn for on its own, but no operation runs per picture. The draws come from one
CPU generator, so they are the same on every device.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.models.image.recipe_space import RecipeConfig
from automl.training.image.policy import apply_policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixed:
    """Pictures ``(n, C, S, S)``, and for each its ``partner`` in the batch and its own ``share`` of the label."""

    pictures: Tensor
    partner: Tensor
    share: Tensor


def draw_flips(kind: str, parity: Tensor, epoch: int, generator: torch.Generator) -> Tensor | None:
    """Who is mirrored, bool ``(n,)``; None for nobody.

    ``alternating`` mirrors every picture in every second epoch, half of them in each (Jordan 2024, airbench).
    ``parity`` is 0 or 1 per picture.
    """
    match kind:
        case "random":
            return torch.rand(len(parity), generator=generator) < 0.5
        case "alternating":
            return (parity + epoch) % 2 == 0
        case _:
            return None


def mirror(pictures: Tensor, is_mirrored: Tensor) -> Tensor:
    """Left for right where ``is_mirrored``, in place; pictures ``(n, S, S, C)``."""
    chosen = is_mirrored.nonzero()[:, 0].to(pictures.device)
    mirrored = pictures.index_select(0, chosen).flip(2)
    _view_words(pictures).index_copy_(0, chosen, _view_words(mirrored))
    return pictures


def _view_words(pictures: Tensor) -> Tensor:
    """``(n, words)``, the same memory: a copy by index takes its time per element, so elements are eight bytes."""
    flat = pictures.flatten(1)
    return flat.view(torch.int64) if flat.shape[1] % 8 == 0 else flat


def shift(pictures: Tensor, down: Tensor, right: Tensor, most: int) -> Tensor:
    """Move each picture ``(n, S, S, C)`` by its own whole pixels, −most..most; edges are reflected.

    One gather of whole rows: row r of a picture is a window into row r − down of the widened batch.
    """
    n, side, _, channels = pictures.shape
    device, wide = pictures.device, side + 2 * most
    row = (torch.arange(side) - down[:, None]).abs()
    row = torch.where(row >= side, 2 * (side - 1) - row, row)
    start = (torch.arange(n)[:, None] * side + row) * wide + (most - right)[:, None]
    padded = _widen(pictures, most)
    windows = padded.as_strided((n * side * wide - side + 1, side * channels), (channels, 1))
    return windows.index_select(0, start.flatten().to(device)).reshape(n, side, side, channels)


def _widen(pictures: Tensor, most: int) -> Tensor:
    """``most`` reflected columns on both sides, ``(n, S, S + 2 most, C)``."""
    n, side, _, channels = pictures.shape
    padded = pictures.new_empty(n, side, side + 2 * most, channels)
    padded[:, :, most : most + side] = pictures
    padded[:, :, :most] = pictures[:, :, 1 : most + 1].flip(2)
    padded[:, :, most + side :] = pictures[:, :, side - 1 - most : side - 1].flip(2)
    return padded


def erase_squares(pictures: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Set one square of each picture ``(n, C, S, S)`` to 0, the mean; its centre lies anywhere in the picture.

    Source: DeVries & Taylor 2017, cutout.
    """
    n, _, side, _ = pictures.shape
    centres = torch.randint(0, side, (n, 2), generator=generator)
    inside = _mark_spans(centres - size // 2, centres - size // 2 + size, side)
    box = inside[:, 0, :, None] & inside[:, 1, None, :]
    return pictures.masked_fill(box[:, None].to(pictures.device), 0.0)


def _mark_spans(start: Tensor, stop: Tensor, side: int) -> Tensor:
    """Bool ``(n, 2, S)``: which rows and columns lie from start to before stop, both ``(n, 2)``."""
    places = torch.arange(side)
    return (places >= start[..., None]) & (places < stop[..., None])


def mix_up(pictures: Tensor, alpha: float, generator: torch.Generator) -> Mixed:
    """Blend each picture with another of the batch; shares from Beta(alpha, alpha) (Zhang et al. 2018)."""
    n = len(pictures)
    share = _draw_beta(n, alpha, generator)
    partner = torch.randperm(n, generator=generator).to(pictures.device)
    weight = share.to(pictures.device, pictures.dtype)[:, None, None, None]
    blended = torch.lerp(pictures.index_select(0, partner), pictures, weight)
    return Mixed(pictures=blended, partner=partner, share=share.to(pictures.device))


def cut_mix(pictures: Tensor, alpha: float, generator: torch.Generator) -> Mixed:
    """Paste a box of another picture into each; the label follows the area really pasted (Yun et al. 2019)."""
    n, _, side, _ = pictures.shape
    size = ((1 - _draw_beta(n, alpha, generator)).sqrt() * side).round().long()
    centres = torch.randint(0, side, (n, 2), generator=generator)
    start = centres - size[:, None] // 2
    inside = _mark_spans(start, start + size[:, None], side)
    box = inside[:, 0, :, None] & inside[:, 1, None, :]
    partner = torch.randperm(n, generator=generator).to(pictures.device)
    share = 1 - box.float().mean(dim=(1, 2))
    pasted = torch.where(
        box[:, None].to(pictures.device), pictures.index_select(0, partner), pictures
    )
    return Mixed(pictures=pasted, partner=partner, share=share.to(pictures.device))


def _draw_beta(n: int, alpha: float, generator: torch.Generator) -> Tensor:
    """Beta(alpha, alpha), float32 ``(n,)``, by Jöhnk's rule: torch's own sampler takes no generator."""
    share = torch.full((n,), 0.5)
    waiting = torch.ones(n, dtype=torch.bool)
    for _ in range(64):  # accepts at least half each time for alpha of at most 1
        first, second = torch.rand(2, n, generator=generator, dtype=torch.float64) ** (1 / alpha)
        total = first + second
        found = waiting & (total <= 1) & (total > 0)
        share = torch.where(found, (first / total.clamp_min(1e-300)).float(), share)
        waiting &= ~found
        if not bool(waiting.any()):
            break
    return share


class Augmenter:
    """What happens to a training batch before the network sees it, without labels."""

    def __init__(self, recipe: RecipeConfig, side: int) -> None:
        self.recipe = recipe
        self.shift_pixels = min(round(recipe.translate * side), side - 1)
        self.square_pixels = round(recipe.cutout * side)

    def distort(
        self, pictures: Tensor, parity: Tensor, epoch: int, generator: torch.Generator
    ) -> Tensor:
        """Flip, policy and shift on bytes ``(n, S, S, C)``; ``parity`` is 0 or 1 per picture.

        The batch is used up: it may be changed in place.
        """
        flips = draw_flips(self.recipe.flip, parity, epoch, generator)
        if flips is not None:
            mirror(pictures, flips)
        if self.recipe.policy != "none":
            pictures = apply_policy(pictures, self.recipe.policy, generator)
        if self.shift_pixels:
            most = self.shift_pixels
            offsets = torch.randint(-most, most + 1, (2, len(pictures)), generator=generator)
            pictures = shift(pictures, offsets[0], offsets[1], most)
        return pictures

    def finish(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """Cutout on normalised pictures ``(n, C, S, S)``."""
        if self.square_pixels:
            return erase_squares(pictures, self.square_pixels, generator)
        return pictures

    def mix(self, pictures: Tensor, generator: torch.Generator) -> Mixed | None:
        """Mixup or CutMix, or None where the recipe has neither."""
        match self.recipe.mix:
            case "mixup":
                return mix_up(pictures, self.recipe.mix_alpha, generator)
            case "cutmix":
                return cut_mix(pictures, self.recipe.mix_alpha, generator)
            case _:
                return None


def resize_down(pictures: Tensor, side: int) -> Tensor:
    """Area means of pictures ``(n, C, S, S)`` at a smaller side; channels-last memory stays."""
    if pictures.shape[3] == side:
        return pictures
    small = functional.interpolate(pictures, size=(side, side), mode="area")
    return small.contiguous(memory_format=torch.channels_last)


def compute_loss(logits: Tensor, target: Tensor, mixed: Mixed | None, smoothing: float) -> Tensor:
    """Mean cross-entropy of float32 logits; labels are shared out as the pictures were mixed."""
    if mixed is None:
        return functional.cross_entropy(logits, target, label_smoothing=smoothing)
    criterion = nn.CrossEntropyLoss(reduction="none", label_smoothing=smoothing)
    own: Tensor = criterion(logits, target)
    other: Tensor = criterion(logits, target[mixed.partner])
    return (mixed.share * own + (1 - mixed.share) * other).mean()
