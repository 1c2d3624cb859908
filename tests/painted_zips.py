"""ZIPs of painted shapes: small, ours, quick to learn, with a few that nobody can tell apart."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.scenes import make_scene

CONFUSED = 10  # one picture in so many shows the next class: no network can get all of them right
BLURRED = 3  # one in so many comes from the scanner, which blurs


@dataclass(frozen=True, kw_only=True, slots=True)
class Painting:
    """What to paint: classes, pictures per class in the train and the test folder, their side.

    With ``has_scene`` grounds look like natural ones, which takes longer to learn; with ``has_list`` a
    list beside the folders names the camera of every picture.
    """

    classes: tuple[str, ...] = ("circle", "cross", "square")
    n_train: int = 60
    n_test: int = 30
    side: int = 24
    has_scene: bool = False
    has_list: bool = False


def write_shapes(path: Path, plan: Painting = Painting()) -> Path:
    """A ZIP with ``train`` and ``test`` above one folder per class."""
    rows = ["file,camera"]
    with zipfile.ZipFile(path, "w") as archive:
        for part, count in (("train", plan.n_train), ("test", plan.n_test)):
            for name, camera, picture in paint(part, count, plan):
                archive.writestr(name, encode(picture))
                rows.append(f"{name},{camera}")
        if plan.has_list:
            archive.writestr("list.csv", "\n".join(rows))
    return path


def paint(part: str, count: int, plan: Painting) -> Iterator[tuple[str, str, Image.Image]]:
    """``part/class/number.png``, its camera and the picture, the same at every call."""
    rng = np.random.default_rng(len(part))
    for number in range(count):
        camera = "scanner" if number % BLURRED == 0 else "phone"
        for place, label in enumerate(plan.classes):
            shown = plan.classes[(place + (number % CONFUSED == 0)) % len(plan.classes)]
            picture = draw_shape(rng, shown, draw_ground(rng, plan))
            if camera == "scanner" and plan.has_list:
                picture = picture.filter(ImageFilter.GaussianBlur(plan.side / 16))
            yield f"{part}/{label}/{number:04}.png", camera, picture


def draw_ground(rng: np.random.Generator, plan: Painting) -> Image.Image:
    """A ground between dark and light: noise, or a scene."""
    light = int(rng.integers(30, 200))
    if plan.has_scene:
        seed = int(rng.integers(1_000_000))
        return Image.fromarray(make_scene(seed, side=plan.side, light=light / 255, depth=0.09))
    pixels = rng.integers(light - 25, light + 25, (plan.side, plan.side, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def draw_shape(rng: np.random.Generator, shape: str, picture: Image.Image) -> Image.Image:
    """One shape of any colour, place and size on a ground."""
    side = picture.width
    pen = ImageDraw.Draw(picture)
    radius = int(rng.integers(side // 5, side // 3))
    x, y = (int(value) for value in rng.integers(radius + 1, side - radius - 1, 2))
    ground = np.asarray(picture).mean(axis=(0, 1)).astype(int)
    colour = tuple(int(value) for value in (ground + rng.integers(70, 186, 3)) % 256)
    box, thin = (x - radius, y - radius, x + radius, y + radius), max(2, radius // 3)
    match shape:
        case "circle":
            pen.ellipse(box, fill=colour)
        case "ring":
            pen.ellipse(box, outline=colour, width=thin)
        case "square":
            pen.rectangle(box, fill=colour)
        case "cross":
            pen.line((box[0], y, box[2], y), fill=colour, width=thin)
            pen.line((x, box[1], x, box[3]), fill=colour, width=thin)
        case "star":
            pen.polygon(_spikes(x, y, radius, 5), fill=colour)
        case "triangle":
            pen.polygon([(x, box[1]), (box[2], box[3]), (box[0], box[3])], fill=colour)
        case _:
            raise ValueError(f"nobody paints {shape}")
    return picture


def _spikes(x: int, y: int, radius: int, count: int) -> list[tuple[float, float]]:
    """The outline of a star: far and near points in turn."""
    turns = [(pi * step / count, radius if step % 2 == 0 else 0.4 * radius) for step in range(2 * count)]  # fmt: skip
    return [(x + far * sin(turn), y - far * cos(turn)) for turn, far in turns]


def encode(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
