"""TrivialAugment and RandAugment for whole batches: a batch is grouped by operation, never taken picture by picture.

Sources: Müller & Hutter 2021 (TrivialAugment, wide strengths: one operation of 14 per picture, a strength from 31
steps); Cubuk et al. 2020 (RandAugment: two operations, strength 9 of 30). Where they differ from the papers:
moved-in borders are the mean grey 128 (the papers: black or 128), interpolation is bilinear, and a translation
grows with the side (32 px of a picture of 224).
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

N_STEPS = 31
RAND_OPERATIONS = 2
RAND_STEP = 9
FILL = 128.0
GREY_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow
LARGEST_SHEAR = 0.99
LARGEST_TURN = math.radians(135)
LARGEST_MOVE = 32 / 224  # of the side
RAND_SHARE = 0.3  # RandAugment's geometric strengths are smaller: shear .3, 30 to 45 degrees

Operation = Callable[[Tensor, Tensor], Tensor]  # floats (n, C, S, S) 0..255, strength (n,) −1..1


def _blend(pictures: Tensor, base: Tensor, strength: Tensor) -> Tensor:
    """From ``base`` (factor 0) over the picture (1) to beyond it; strength ±1 is factor 1 ± 0.99."""
    factor = (1 + 0.99 * strength)[:, None, None, None]
    return (base + (pictures - base) * factor).clamp(0, 255)


def _to_grey(pictures: Tensor) -> Tensor:
    if pictures.shape[1] == 1:
        return pictures
    weights = pictures.new_tensor(GREY_WEIGHTS)[:, None, None]
    return (pictures * weights).sum(1, keepdim=True)


def _change_brightness(pictures: Tensor, strength: Tensor) -> Tensor:
    return _blend(pictures, torch.zeros_like(pictures), strength)


def _change_colour(pictures: Tensor, strength: Tensor) -> Tensor:
    return _blend(pictures, _to_grey(pictures).expand_as(pictures), strength)


def _change_contrast(pictures: Tensor, strength: Tensor) -> Tensor:
    mean = _to_grey(pictures).mean((1, 2, 3), keepdim=True)
    return _blend(pictures, mean.expand_as(pictures), strength)


def _change_sharpness(pictures: Tensor, strength: Tensor) -> Tensor:
    """Blend with a 3 × 3 smoothing (centre 5 of 13); the border is left alone."""
    channels = pictures.shape[1]
    kernel = torch.ones(3, 3, device=pictures.device)
    kernel[1, 1] = 5
    weight = (kernel / 13).expand(channels, 1, 3, 3)
    smooth = pictures.clone()
    smooth[:, :, 1:-1, 1:-1] = functional.conv2d(pictures, weight, groups=channels)
    return _blend(pictures, smooth, strength)


def _posterize(pictures: Tensor, strength: Tensor) -> Tensor:
    """Keep 8 bits (strength 0) to 2 bits (1)."""
    width = 2.0 ** (6 * strength.abs()).round()[:, None, None, None]
    return (pictures / width).floor() * width


def _solarize(pictures: Tensor, strength: Tensor) -> Tensor:
    """Invert what is brighter than 255 (strength 0) to 0 (1)."""
    threshold = (255 * (1 - strength.abs()))[:, None, None, None]
    return torch.where(pictures > threshold, 255 - pictures, pictures)


def _stretch(pictures: Tensor, strength: Tensor) -> Tensor:  # noqa: ARG001 (it has no strength)
    """Each channel from its darkest to its brightest value onto 0..255."""
    low, high = pictures.amin((2, 3), keepdim=True), pictures.amax((2, 3), keepdim=True)
    wide = (pictures - low) * (255 / (high - low).clamp_min(1))
    return torch.where(high > low, wide, pictures)


def _equalize(pictures: Tensor, strength: Tensor) -> Tensor:  # noqa: ARG001 (it has no strength)
    """Each channel so that its grey values are spread evenly, by its cumulative histogram."""
    n, channels = pictures.shape[:2]
    codes = pictures.round().long().reshape(n * channels, -1)
    counts = torch.zeros(n * channels, 256, device=pictures.device)
    counts.scatter_add_(1, codes, torch.ones_like(codes, dtype=torch.float32))
    below = counts.cumsum(1) - counts
    brightest = counts.gather(1, codes.amax(1, keepdim=True))
    step = ((codes.shape[1] - brightest) / 255).floor()
    table = ((below + (step / 2).floor()) / step.clamp_min(1)).floor().clamp(0, 255)
    spread = table.gather(1, codes).reshape(pictures.shape)
    is_flat = (step == 0).reshape(n, channels, 1, 1)  # too few pixels to spread, as Pillow sees it
    return torch.where(is_flat, pictures, spread)


def _shear_x(strength: Tensor) -> Tensor:
    return _build_maps(strength, shear_x=strength * LARGEST_SHEAR)


def _shear_y(strength: Tensor) -> Tensor:
    return _build_maps(strength, shear_y=strength * LARGEST_SHEAR)


def _move_x(strength: Tensor) -> Tensor:
    return _build_maps(strength, move_x=strength * 2 * LARGEST_MOVE)


def _move_y(strength: Tensor) -> Tensor:
    return _build_maps(strength, move_y=strength * 2 * LARGEST_MOVE)


def _turn(strength: Tensor) -> Tensor:
    angle = strength * LARGEST_TURN
    maps = _build_maps(strength, shear_x=-angle.sin(), shear_y=angle.sin())
    maps[:, 0, 0] = maps[:, 1, 1] = angle.cos()
    return maps


def _build_maps(strength: Tensor, **entries: Tensor) -> Tensor:
    """Affine maps ``(n, 2, 3)`` from output to input places, which run from −1 to 1."""
    maps = torch.zeros(len(strength), 2, 3, device=strength.device)
    maps[:, 0, 0] = maps[:, 1, 1] = 1
    places = {"shear_x": (0, 1), "shear_y": (1, 0), "move_x": (0, 2), "move_y": (1, 2)}
    for name, values in entries.items():
        row, column = places[name]
        maps[:, row, column] = values
    return maps


GEOMETRIC: Mapping[str, Callable[[Tensor], Tensor]] = {
    "shear_x": _shear_x, "shear_y": _shear_y, "move_x": _move_x, "move_y": _move_y, "turn": _turn,
}  # fmt: skip
TONAL: Mapping[str, Operation] = {
    "brightness": _change_brightness, "colour": _change_colour, "contrast": _change_contrast,
    "sharpness": _change_sharpness, "posterize": _posterize, "solarize": _solarize,
    "stretch": _stretch, "equalize": _equalize,
}  # fmt: skip
OPERATIONS = ("identity", *GEOMETRIC, *TONAL)


def apply_policy(pictures: Tensor, policy: str, generator: torch.Generator) -> Tensor:
    """Distort bytes ``(n, S, S, C)`` by ``trivial`` or ``rand``; bytes of the same shape come back."""
    work = pictures.permute(0, 3, 1, 2).float()
    n = len(work)
    for _ in range(1 if policy == "trivial" else RAND_OPERATIONS):
        operation = torch.randint(len(OPERATIONS), (n,), generator=generator)
        sign = torch.randint(2, (n,), generator=generator) * 2 - 1
        if policy == "trivial":
            strength = sign * torch.randint(N_STEPS, (n,), generator=generator) / (N_STEPS - 1)
        else:
            strength = sign * (RAND_STEP / (N_STEPS - 1)) * torch.ones(n)
        work = apply_operations(work, operation, strength, RAND_SHARE if policy == "rand" else 1.0)
    return work.round().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def apply_operations(
    pictures: Tensor, operation: Tensor, strength: Tensor, geometric_share: float = 1.0
) -> Tensor:
    """One operation per picture ``(n, C, S, S)`` 0..255, all pictures with the same operation at once."""
    result = pictures.clone()
    maps = _build_maps(strength)
    for number, name in enumerate(OPERATIONS):
        chosen = (operation == number).nonzero()[:, 0]
        if not len(chosen) or name == "identity":
            continue
        amount = strength[chosen]
        if name in GEOMETRIC:
            maps[chosen] = GEOMETRIC[name](amount * geometric_share)
            continue
        place = chosen.to(pictures.device)
        changed = TONAL[name](pictures.index_select(0, place), amount.to(pictures.device))
        result.index_copy_(0, place, changed)
    is_moved = (operation >= 1) & (operation <= len(GEOMETRIC))
    moved = is_moved.nonzero()[:, 0]
    if len(moved):
        place = moved.to(pictures.device)
        result.index_copy_(
            0, place, _warp(pictures.index_select(0, place), maps[moved].to(pictures.device))
        )
    return result


def _warp(pictures: Tensor, maps: Tensor) -> Tensor:
    grid = functional.affine_grid(maps, list(pictures.shape), align_corners=False)
    shifted = functional.grid_sample(pictures - FILL, grid, mode="bilinear", align_corners=False)
    return shifted + FILL
