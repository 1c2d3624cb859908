"""The numeric forms of a table that models read, and the prepared folder they lie in.

One encoder is fitted on the training rows of a search and turns any frame with the same columns into
``Views``. Families pick the view they like; nothing here knows about models.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automl.data.images.rows import ImageRows


class Part(StrEnum):
    """The four parts of a split; each has one purpose."""

    TRAIN = "train"
    SELECT = "select"
    CALIBRATE = "calibrate"
    TEST = "test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Views:
    """A table as arrays, ``n`` rows each.

    - ``raw``: float32 ``(n, F)``, numbers as they are, NaN for missing (trees)
    - ``quantile``: float32 ``(n, Q)``, rank-to-normal with 0 for missing, then missing indicators (networks)
    - ``robust``: float32 ``(n, Q)``, by median and quartiles, smoothly within ±3, then missing indicators
    - ``standard``: float32 ``(n, Q)``, mean 0, deviation 1, clipped at ±10, then missing indicators (linear)
    - ``codes``: int32 ``(n, C)``, categories by training frequency; 0 is unknown or rare, missing is a level
    - ``images``: the pictures, read when asked for; None for a table. Then ``raw`` (0..1) and ``standard`` hold
      8 × 8 area means per channel, for the baselines, and the others have no columns
    """

    raw: NDArray[np.float32]
    quantile: NDArray[np.float32]
    robust: NDArray[np.float32]
    standard: NDArray[np.float32]
    codes: NDArray[np.int32]
    images: ImageRows | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.int64]) -> "Views":
        """The same views for a selection of rows, in that order."""
        return Views(
            raw=self.raw[rows],
            quantile=self.quantile[rows],
            robust=self.robust[rows],
            standard=self.standard[rows],
            codes=self.codes[rows],
            images=None if self.images is None else self.images.take(rows),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewShape:
    """What a model must know to be built for some views.

    ``n_quantile_numeric`` leading columns of ``quantile``, ``robust`` and ``standard`` are real numbers (they may be
    embedded); the rest are 0/1 missing indicators. ``cardinalities`` are the numbers of codes per
    categorical column, code 0 included. ``n_outputs`` is 1 for regression, else the number of classes.
    For pictures: their ``side`` in pixels, ``channels``, and mean and deviation per channel of the training
    rows on the scale 0..1 (0 and empty for a table).
    """

    n_raw: int
    n_quantile: int
    n_quantile_numeric: int
    cardinalities: tuple[int, ...]
    n_outputs: int
    side: int = 0
    channels: int = 0
    image_mean: tuple[float, ...] = ()
    image_std: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """Everything a trainer reads: views of all rows, the encoded target, and who belongs to which part.

    ``target``: int64 class indices into ``Task.classes``, or float64 in the uploaded unit. ``parts`` are
    disjoint sorted row indices. ``target_mean``/``target_scale`` standardise a regression target and come
    from the training rows only (0 and 1 otherwise). ``folder`` is where it was read from, None where it was
    only built; what trainers compute once for all trials lies beside it. ``weight``: how many rows each row stands
    for, ``(n,)``; None where all count the same.

    ``folds``: in a cross-validated search, one per fold with an encoder of its own. Its train part learns, its select
    part stops the learning, and its ``held`` rows are predicted. The views beside ``folds`` are those of the first.
    """

    views: Views
    target: NDArray[np.int64] | NDArray[np.float64]
    parts: dict[Part, NDArray[np.int64]]
    shape: ViewShape
    target_mean: float = 0.0
    target_scale: float = 1.0
    folder: Path | None = None
    weight: NDArray[np.float64] | None = None
    folds: "tuple[Prepared, ...]" = ()
    held: NDArray[np.int64] | None = None

    @property
    def judged(self) -> NDArray[np.int64]:
        """The rows whose predictions compare models, sorted: the select part; with folds train and select."""
        held = [fold.held for fold in self.folds if fold.held is not None]
        return np.sort(np.concatenate(held)) if held else np.asarray(self.parts[Part.SELECT])
