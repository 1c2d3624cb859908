"""Pictures with the spectrum of natural ones, for tests of hashes and findings."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def make_scene(
    seed: int, side: int = 96, light: float = 0.5, depth: float = 0.18, blur: float = 0.0
) -> NDArray[np.uint8]:
    """A picture whose amplitudes fall as 1/f, uint8 ``(side, side, 3)``; equal seeds give equal ones.

    ``blur`` is the deviation of a Gaussian as a share of the side; the contrast stays.
    """
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = np.inf
    focus = np.exp(-2 * (np.pi * blur * side * np.where(np.isinf(frequency), 0, frequency)) ** 2)
    shape = (side, side // 2 + 1)
    planes = []
    for _ in range(2):
        noise = rng.normal(size=shape) + 1j * rng.normal(size=shape)
        plane = np.fft.irfft2(noise / frequency * focus, s=(side, side))
        planes.append(plane / plane.std())
    tint = rng.normal(0, 0.3, 3)
    grey = planes[0][..., None] + planes[1][..., None] * tint
    return np.rint((light + depth * grey).clip(0, 1) * 255).astype(np.uint8)


def save_picture(pixels: NDArray[np.uint8], image_format: str = "PNG", **save: object) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=image_format, **save)
    return buffer.getvalue()


def load_pixels(content: bytes) -> NDArray[np.uint8]:
    """Back from the bytes of a file."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
