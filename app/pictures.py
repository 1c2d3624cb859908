"""Pictures of a data set as pages show them: what stands in which row, and small copies of single rows.

Only the rows that a page shows are read from the memory map; the lists of a data set never change, so
they are kept for the data sets opened last.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app import services
from app.wording import say_plain
from automl.data.dataset import Dataset, Kind
from automl.data.profile import to_label

if TYPE_CHECKING:
    import pandas as pd

THUMBNAIL_SIDE = 144
LOSSLESS_SIDE = (
    64  # small pictures are sent as they are, larger ones as JPEG: four times fewer bytes
)
COMPUTED = "picture_"  # what the names of columns that are computed from the picture start with
_KEPT = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """One picture in a gallery: its row, the picture as an address, what is read aloud, what stands below."""

    row: int
    source: str
    alt: str
    caption: str = ""


def find_file_column(dataset: Dataset) -> str:
    """The column whose values are the pictures' file names."""
    return next(column.name for column in dataset.columns if column.kind is Kind.IMAGE)


def list_manifest(dataset: Dataset) -> list[str]:
    """Columns that came with the pictures: from a manifest, folder names or file names."""
    return [
        column.name
        for column in dataset.columns
        if column.kind is not Kind.IMAGE and not column.name.startswith(COMPUTED)
    ]


def list_varying(dataset: Dataset) -> list[str]:
    """Computed columns in which pictures differ: only those tell groups or an order."""
    return [
        column.name
        for column in dataset.columns
        if column.name.startswith(COMPUTED) and column.n_distinct > 1
    ]


def list_parts(dataset: Dataset) -> list[str]:
    """The parts that came with the data, more than one or none."""
    found = ["train"]
    if dataset.n_val_rows:
        found.append("val")
    if dataset.n_test_rows:
        found.append("test")
    return found if len(found) > 1 else []


def read_index(dataset: Dataset, label: str | None) -> "pd.DataFrame":
    """One row per picture, index 0..n−1: ``file, label, part``; ``label`` names the column of the classes."""
    return _read_index(services.get_workspace().root, dataset, label)


@lru_cache(maxsize=_KEPT)
def _read_index(_root: object, dataset: Dataset, label: str | None) -> "pd.DataFrame":
    import pandas as pd

    name = find_file_column(dataset)
    frame = services.read_frame(dataset.id, (name, *([label] if label else ())))
    parts = np.full(dataset.n_rows, "train", dtype=object)
    parts[dataset.n_train_rows - dataset.n_val_rows :] = "val"
    parts[dataset.n_train_rows :] = "test"
    labels = frame[label].map(to_label, na_action="ignore").fillna("") if label else ""
    return pd.DataFrame({"file": frame[name], "label": labels, "part": parts})


def read_originals(dataset: Dataset) -> "pd.DataFrame":
    """Every member that was seen, those left out too (``row`` −1, with a ``reason``)."""
    return _read_originals(services.get_workspace().root, dataset.id)


@lru_cache(maxsize=_KEPT)
def _read_originals(_root: object, dataset_id: str) -> "pd.DataFrame":
    return services.read_originals(dataset_id)


def read_pixels(dataset_id: str, rows: Sequence[int]) -> NDArray[np.uint8]:
    """The stored pictures of some rows, uint8 ``(n, side, side, channels)``."""
    return services.read_pictures(dataset_id, rows)


def build_tiles(
    dataset: Dataset, rows: Sequence[int], index: "pd.DataFrame", *, captions: Sequence[str] = ()
) -> list[Tile]:
    """Tiles of some rows, in that order; without ``captions`` the class stands below each."""
    pixels = read_pixels(dataset.id, rows)
    tiles = []
    for place, row in enumerate(rows):
        file, label = str(index["file"].iloc[row]), str(index["label"].iloc[row])
        words = {"file": file, "label": label or say_plain("pictures.no_class")}
        tiles.append(
            Tile(
                row=int(row),
                source=render_source(pixels[place]),
                alt=say_plain("pictures.alt", **words),
                caption=captions[place] if captions else label,
            )
        )
    return tiles


def render_source(pixels: NDArray[np.uint8], side: int = THUMBNAIL_SIDE) -> str:
    """One stored picture as a ``data:`` address, at most ``side`` pixels wide."""
    image = to_image(pixels)
    if image.width > side:
        image = image.resize((side, side), Image.Resampling.BOX)
    buffer = io.BytesIO()
    if image.width <= LOSSLESS_SIDE:
        image.save(buffer, format="PNG", compress_level=1)
        kind = "png"
    else:
        image.save(buffer, format="JPEG", quality=82)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def to_image(pixels: NDArray[np.uint8]) -> Image.Image:
    """A stored picture, ``(side, side, 1 or 3)``, as Pillow has it."""
    return Image.fromarray(
        np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    )


def describe_original(dataset: Dataset, row: int) -> dict[str, Any]:
    """What is known of the member behind a row: file, part, label, width, height, mode, format, bytes."""
    originals = read_originals(dataset)
    found = originals[originals["row"] == row]
    return {} if found.empty else found.iloc[0].to_dict()


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Rows that show something, and for copies those that belong together, each group by itself."""

    code: str
    rows: NDArray[np.int64]
    groups: tuple[tuple[int, ...], ...] = ()


def read_findings(dataset: Dataset) -> dict[str, Finding]:
    """Findings about pictures by their code, the most serious first; computed once per data set."""
    return _read_findings(services.get_workspace().root, dataset.id)


@lru_cache(maxsize=_KEPT)
def _read_findings(_root: object, dataset_id: str) -> dict[str, Finding]:
    flaws, families = services.read_flaws(dataset_id)
    found = {}
    for flaw in flaws:
        kind = flaw.code.partition("_")[0]
        groups = _group_rows(flaw.rows, families[kind]) if kind in families else ()
        found[flaw.code] = Finding(code=flaw.code, rows=flaw.rows, groups=groups)
    return found


def _group_rows(
    rows: NDArray[np.int64], families: NDArray[np.int64]
) -> tuple[tuple[int, ...], ...]:
    """The families of some rows with all their members, in the order of their first one."""
    wanted = np.unique(families[rows])
    order = np.argsort(families, kind="stable")
    starts = np.searchsorted(families[order], wanted)
    ends = np.searchsorted(families[order], wanted, side="right")
    groups = [
        tuple(int(row) for row in order[low:high]) for low, high in zip(starts, ends, strict=True)
    ]
    return tuple(sorted(groups))


def read_values(dataset: Dataset, column: str) -> NDArray[np.float64]:
    """A computed number of every picture."""
    return _read_values(services.get_workspace().root, dataset.id, column)


@lru_cache(maxsize=4 * _KEPT)
def _read_values(_root: object, dataset_id: str, column: str) -> NDArray[np.float64]:
    frame = services.read_frame(dataset_id, (column,))
    return frame[column].to_numpy(dtype=np.float64)
