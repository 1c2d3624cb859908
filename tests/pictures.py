"""Small pictures and ZIPs of them, for every test that needs some."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}


def make_picture(
    seed: int = 0,
    size: tuple[int, int] = (40, 32),
    mode: str = "RGB",
    image_format: str = "PNG",
    **save: Any,
) -> bytes:
    """A picture of random blocks, the same for the same seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, format=image_format, **save)
    return buffer.getvalue()


def write_zip(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A ZIP of those members, in that order."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_classes(
    n_per_class: int = 3,
    prefix: str = "",
    classes: tuple[str, ...] = ("cat", "dog"),
    first_seed: int = 0,
) -> dict[str, bytes]:
    """``prefix<class>/<number>.png`` for every class."""
    seeds = iter(range(first_seed, 10_000))
    return {
        f"{prefix}{label}/{number}.png": make_picture(next(seeds))
        for label in classes
        for number in range(n_per_class)
    }
