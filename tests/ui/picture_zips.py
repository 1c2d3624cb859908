"""A small data set of pictures in the workspace, imported by the engine's own function."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app import services
from automl.data.dataset import Dataset
from automl.data.importing import ImportRequest
from automl.data.intake import import_file

CLASSES = ("cat", "dog", "ship")
NAME = "animals *of* __note__.zip"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to make: pictures per class and how many more of them in a test folder, their side, what is odd.

    ``has_list`` puts a list with ``sex`` and ``patient`` into the ZIP; ``has_flaws`` a picture three times,
    a dark one and a broken one.
    """

    n_per_class: int = 25
    n_test_per_class: int = 0
    side: int = 20
    is_grey: bool = False
    has_list: bool = False
    has_flaws: bool = False
    classes: tuple[str, ...] = CLASSES


DEFAULT = Plan()


def write_zip(path: Path, plan: Plan = DEFAULT) -> Path:
    """A ZIP with one folder per class, ``train`` and ``test`` above where a test part is wanted."""
    rng = np.random.default_rng(0)
    rows = ["file,sex,patient"]
    with zipfile.ZipFile(path, "w") as archive:
        for part, count in (("train", plan.n_per_class), ("test", plan.n_test_per_class)):
            for number in range(count * len(plan.classes)):
                label = plan.classes[number % len(plan.classes)]
                name = f"{label}/{'f' if number % 2 else 'm'}_{number:04}.png"
                name = f"{part}/{name}" if plan.n_test_per_class else name
                archive.writestr(name, encode(draw(rng, plan, label)))
                rows.append(f"{name},{'female' if number % 2 else 'male'},p{number // 2}")
        if plan.has_list:
            archive.writestr("list.csv", "\n".join(rows))
        if plan.has_flaws:
            _add_flaws(archive, rng, plan)
    return path


def _add_flaws(archive: zipfile.ZipFile, rng: np.random.Generator, plan: Plan) -> None:
    top = "train/" if plan.n_test_per_class else ""
    copied = encode(draw(rng, plan, plan.classes[0]))
    for number in range(3):
        archive.writestr(f"{top}{plan.classes[0]}/copy_{number}.png", copied)
    night = rng.integers(0, 12, (plan.side, plan.side, 3), dtype=np.uint8)
    archive.writestr(f"{top}{plan.classes[1]}/night.png", encode(night))
    archive.writestr(f"{top}{plan.classes[1]}/broken.png", copied[:60])


def draw(rng: np.random.Generator, plan: Plan, label: str) -> NDArray[np.uint8]:
    """Noise with a bright bar whose height tells the class."""
    side = plan.side
    picture = rng.integers(20, 120, (side, side, 1 if plan.is_grey else 3), dtype=np.uint8)
    start = plan.classes.index(label) * side // (2 * len(plan.classes))
    picture[start : start + side // 2, side // 4 : -side // 4] += np.uint8(120)
    return picture


def encode(picture: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).save(buffer, "PNG")
    return buffer.getvalue()


def import_pictures(folder: Path, plan: Plan = DEFAULT) -> Dataset:
    """Import such a ZIP; the workspace is the test's own."""
    services.prepare_workspace()
    path = write_zip(folder / "animals.zip", plan)
    settings = services.get_settings()
    return import_file(ImportRequest(path=str(path), name=NAME), settings.workspace, settings)
