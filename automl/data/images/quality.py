"""What is measured on every picture once, while it is decoded: light, sharpness, colour, a hash."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from automl.data.images.hashing import compute_phash

WORKING_SIDE = 64  # sharpness depends on the size it is measured at, so there is one for all
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow's "L"


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureMeasures:
    """Measures of one picture, all at 64 × 64 pixels.

    ``brightness``: mean grey, ``contrast``: its deviation, ``saturation``: mean of (max − min) / max over the
    colours; each 0..1. ``sharpness``: variance of the Laplacian of the grey values 0..255. ``phash``:
    unsigned 64-bit number.
    """

    brightness: float
    contrast: float
    sharpness: float
    saturation: float
    phash: int


def measure_picture(original: NDArray[np.uint8]) -> PictureMeasures:
    """Measure a decoded picture, uint8 ``(h, w, 3)`` or grey ``(h, w, 1)``, of any size."""
    small = _shrink(original)
    grey = small[..., 0] if small.shape[2] == 1 else small @ _LUMA
    return PictureMeasures(
        brightness=float(grey.mean()) / 255,
        contrast=float(grey.std()) / 255,
        sharpness=float(_compute_laplacian(grey).var()),
        saturation=_compute_saturation(small),
        phash=compute_phash(_halve(grey)),
    )


def _halve(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 × 2 pixels."""
    total = grey[::2, ::2] + grey[1::2, ::2] + grey[::2, 1::2] + grey[1::2, 1::2]
    return total * np.float32(0.25)


def _shrink(original: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The picture at the working size, float32 ``(64, 64, channels)``, 0..255; its aspect is given up."""
    picture = Image.fromarray(original[..., 0] if original.shape[2] == 1 else original)
    sized = picture.resize(
        (WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0
    )
    pixels = np.asarray(sized, dtype=np.float32)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _compute_laplacian(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    middle = grey[1:-1, 1:-1]
    return grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle


def _compute_saturation(small: NDArray[np.float32]) -> float:
    if small.shape[2] == 1:
        return 0.0
    red, green, blue = (
        small[..., 0],
        small[..., 1],
        small[..., 2],
    )  # a tenth of the time of max(axis=2)
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    return float(((high - low) / np.maximum(high, 1)).mean())
