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
    """Left for right where ``is_mirrored``; pictures ``(n, S, S, C)``."""
    chosen = is_mirrored.nonzero()[:, 0].to(pictures.device)
    return pictures.index_copy(0, chosen, pictures.index_select(0, chosen).flip(2))


def shift(pictures: Tensor, down: Tensor, right: Tensor, most: int) -> Tensor:
    """Move each picture ``(n, S, S, C)`` by its own whole pixels, −most..most; edges are reflected.

    One gather: picture i is the window at its offset in the padded batch.
    """
    n, side, _, channels = pictures.shape
    around = torch.arange(-most, side + most, device=pictures.device).abs()
    around = torch.where(around >= side, 2 * (side - 1) - around, around)
    padded = pictures.index_select(1, around).index_select(2, around)
    wide = side + 2 * most
    row, step = wide * channels, channels
    windows = padded.as_strided(
        (n, 2 * most + 1, 2 * most + 1, side, side * channels),
        (wide * row, row, step, row, 1),
    )
    index = torch.arange(n, device=pictures.device)
    chosen = windows[index, (most - down).to(index.device), (most - right).to(index.device)]
    return chosen.reshape(n, side, side, channels)


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
        """Flip, policy and shift on bytes ``(n, S, S, C)``; ``parity`` is 0 or 1 per picture."""
        flips = draw_flips(self.recipe.flip, parity, epoch, generator)
        if flips is not None:
            pictures = mirror(pictures, flips)
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
