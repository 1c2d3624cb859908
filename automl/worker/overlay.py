"""A heat map over a picture, as PNG; the colours are told apart by every kind of colour vision."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LEAST_SIDE = 256  # pixels of the PNG; small pictures are enlarged in whole squares
PICTURE_SHARE = 0.6
_ANCHORS = np.array(  # viridis (Smith & van der Walt, CC0), every eighth of the way
    [
        (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141),
        (39, 173, 129), (92, 200, 99), (170, 220, 50), (253, 231, 37),
    ],
    dtype=np.float64,
)  # fmt: skip


def colour(heat: NDArray[np.float32]) -> NDArray[np.float64]:
    """Heat from 0 (dark violet) to 1 (yellow) as RGB ``(S, S, 3)``, 0..255; lightness rises with the heat."""
    places = np.linspace(0, 1, len(_ANCHORS))
    value = np.clip(heat.astype(np.float64), 0, 1)
    return np.stack([np.interp(value, places, _ANCHORS[:, k]) for k in range(3)], axis=-1)


def draw_overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> bytes:
    """PNG bytes: 60 % picture ``(S, S, C)``, 40 % heat ``(S, S)``, at least 256 pixels wide."""
    side = pixels.shape[0] * max(1, -(-LEAST_SIDE // pixels.shape[0]))
    rgb = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    picture = Image.fromarray(np.ascontiguousarray(rgb)).resize(
        (side, side), Image.Resampling.NEAREST
    )
    large = Image.fromarray(heat.astype(np.float32)).resize((side, side), Image.Resampling.BILINEAR)
    mixed = PICTURE_SHARE * np.asarray(picture, dtype=np.float64)
    mixed += (1 - PICTURE_SHARE) * colour(np.asarray(large))
    buffer = io.BytesIO()
    Image.fromarray(np.round(mixed).astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()
