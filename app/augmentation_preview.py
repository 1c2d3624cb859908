"""What augmentation does to a picture, drawn with numpy and Pillow: an illustration, not the training's own code.

Training changes pictures in batches on its device with strengths that are searched for; here each change
is shown once, at a strength in the middle of its range.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from app.pictures import to_image

Pixels = NDArray[np.uint8]
N_VARIANTS = 8
SHIFT = 0.09  # share of the side
HOLE = 0.4
ANGLE = 12.0  # degrees
LIGHTER = 1.4
MIX = 0.65  # share of the picture itself


def build_variants(
    picture: Pixels, partner: Pixels, *, may_mirror: bool
) -> list[tuple[str, Pixels]]:
    """Eight changes of ``picture`` with their names; ``partner`` is mixed into two of them.

    Both are uint8 ``(side, side, channels)``. Without ``may_mirror`` none is mirrored.
    """
    return [
        (name, change(picture, partner)) for name, change in _list_changes(may_mirror=may_mirror)
    ]


def _list_changes(*, may_mirror: bool) -> list[tuple[str, Callable[[Pixels, Pixels], Pixels]]]:
    first: list[tuple[str, Callable[[Pixels, Pixels], Pixels]]] = (
        [
            ("mirrored", lambda p, _: mirror(p)),
            ("mirrored_shifted", lambda p, _: shift(mirror(p), 1, -1)),
        ]
        if may_mirror
        else [
            ("shifted_up", lambda p, _: shift(p, 0, -1)),
            ("shifted_hole", lambda p, _: cut_hole(shift(p, -1, 0))),
        ]
    )
    return [
        *first,
        ("shifted", lambda p, _: shift(p, 1, 1)),
        ("hole", lambda p, _: cut_hole(p)),
        ("mixup", mix),
        ("cutmix", paste),
        ("rotated", lambda p, _: rotate(p)),
        ("lighter", lambda p, _: lighten(p)),
    ]


def mirror(picture: Pixels) -> Pixels:
    """Left and right changed."""
    return np.ascontiguousarray(picture[:, ::-1])


def shift(picture: Pixels, right: int, down: int) -> Pixels:
    """Moved by about a tenth of its side; the border is reflected."""
    side = picture.shape[0]
    step = max(1, round(SHIFT * side))
    padded = np.pad(picture, ((step, step), (step, step), (0, 0)), mode="reflect")
    top, left = step * (1 - down), step * (1 - right)
    return padded[top : top + side, left : left + side]


def cut_hole(picture: Pixels) -> Pixels:
    """A square in the middle hidden by the mean colour (cutout)."""
    side = picture.shape[0]
    size = max(1, round(HOLE * side))
    start = (side - size) // 2
    changed = picture.copy()
    changed[start : start + size, start : start + size] = picture.mean(axis=(0, 1)).astype(np.uint8)
    return changed


def mix(picture: Pixels, partner: Pixels) -> Pixels:
    """Two pictures laid over each other (mixup); their classes are shared in the same way."""
    mixed = MIX * picture.astype(np.float32) + (1 - MIX) * partner.astype(np.float32)
    return np.asarray(mixed.round(), dtype=np.uint8)


def paste(picture: Pixels, partner: Pixels) -> Pixels:
    """A rectangle of another picture in this one (CutMix); the classes are shared by area."""
    side = picture.shape[0]
    size = max(1, round(np.sqrt(1 - MIX) * side))
    changed = picture.copy()
    changed[side - size :, side - size :] = partner[side - size :, side - size :]
    return changed


def rotate(picture: Pixels) -> Pixels:
    """Turned a little, as the policies do; the border is reflected."""
    side = picture.shape[0]
    border = side // 4
    padded = np.pad(picture, ((border, border), (border, border), (0, 0)), mode="reflect")
    turned = _with_pillow(padded, lambda image: image.rotate(ANGLE, Image.Resampling.BILINEAR))
    return turned[border : border + side, border : border + side]


def lighten(picture: Pixels) -> Pixels:
    """Lighter, as the policies do."""
    return _with_pillow(picture, lambda image: ImageEnhance.Brightness(image).enhance(LIGHTER))


def _with_pillow(picture: Pixels, change: Callable[[Image.Image], Image.Image]) -> Pixels:
    changed = np.asarray(change(to_image(picture)), dtype=np.uint8)
    return changed.reshape(picture.shape)
