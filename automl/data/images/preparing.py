"""Pictures as a trainer reads them: the map of the data set, small views for baselines, who may learn."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet as pq

from automl.data.dataset import ImageFacts, Note
from automl.data.images.copies import find_copies
from automl.data.images.profile import list_all_flagged, select_taken
from automl.data.images.rows import ImageRows
from automl.data.images.store import ORIGINALS, PIXELS
from automl.errors import DataError

Ints = NDArray[np.int64]

EXCLUDED_WORDS = {
    "exact_duplicate_across_parts": "that have a copy in a later part",
    "near_duplicate_across_parts": "that have a near copy in a later part",
    "exact_duplicate_across_classes": "that have a copy in another class",
    "near_duplicate_across_classes": "that have a near copy in another class",
    "exact_duplicate": "that repeat another one",
    "near_duplicate": "that are near copies of another one",
    "tiny": "that are tiny",
    "dark": "that are dark",
    "blurred": "that are blurred",
    "odd_aspect": "that are far from square",
    "grey_among_colour": "that are grey among coloured ones",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pictures:
    """The pictures of a data set, in the order of its table.

    ``ties``: equal numbers for copies and near copies, which no split tears apart. ``excluded``: rows that a
    person left out, by finding.
    """

    images: ImageRows
    facts: ImageFacts
    ties: NDArray[np.uint64]
    excluded: Mapping[str, Ints] = field(default_factory=dict)

    def mark_excluded(self) -> NDArray[np.bool_]:
        """True for the rows that take no part."""
        marks = np.zeros(len(self.images), dtype=bool)
        for rows in self.excluded.values():
            marks[rows] = True
        return marks

    def build_notes(self) -> tuple[Note, ...]:
        """What was left out and why, one note per finding."""
        return tuple(
            Note(
                code="pictures_excluded",
                text=_render_excluded(code, len(rows)),
                level="warning",  # it changes what the results are about, so the report says it
            )
            for code, rows in self.excluded.items()
        )


def _render_excluded(code: str, count: int) -> str:
    words = EXCLUDED_WORDS[code]
    if not count:
        return (
            f"Pictures {words} were to be left out; there are none in the parts models learn from."
        )
    pictures = "picture" if count == 1 else "pictures"
    words = (
        words.replace("that are", "that is").replace("that have", "that has")
        if count == 1
        else words
    )
    takes = "takes" if count == 1 else "take"
    return f"{count:,} {pictures} {words} {takes} no part, as you chose."


def load_pictures(folder: Path, facts: ImageFacts, excluded: tuple[str, ...] = ()) -> Pictures:
    """Map the pictures of a data set's folder, find its copies and the rows of the ``excluded`` findings."""
    try:
        originals = pq.read_table(folder / ORIGINALS)
    except (OSError, ValueError) as error:
        raise DataError(
            f"The list of pictures in {folder.name[:12]!r} cannot be read.",
            hint="Import the pictures again.",
        ) from error
    return Pictures(
        images=map_images(folder / PIXELS),
        facts=facts,
        ties=find_copies(select_taken(originals)).near.astype(np.uint64),
        excluded=list_all_flagged(originals, excluded),
    )


def map_images(path: Path) -> ImageRows:
    """All rows of an ``images.npy`` as a read-only memory map; what is none is a ``DataError``."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"The pictures in {path.parent.name[:12]!r} cannot be read; they may have been deleted.",
            hint="Import the pictures again, then start the search again.",
        ) from error
    if array.dtype != np.uint8 or array.ndim != 4:
        raise DataError(
            f"{path.name!r} holds {array.dtype} {array.shape}, no pictures.",
            hint="Import the pictures again.",
        )
    return ImageRows(array=array)


def render_path(images: ImageRows, folder: Path) -> str:
    """Where the mapped pictures lie, as seen from a prepared folder: both move together, nothing is copied."""
    path = getattr(images.array, "filename", None)
    if path is None or images.rows is not None:
        raise ValueError("only a whole memory map of pictures can be saved by its path")
    return os.path.relpath(Path(path).resolve(), folder.resolve())
