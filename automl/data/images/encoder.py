"""What a model must know about its pictures, learned from training rows: JSON, nothing in it can run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from automl.data.dataset import ColumnUse, ImageFacts
from automl.data.images.rows import ImageRows
from automl.data.views import Views, ViewShape
from automl.errors import DataError

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

N_CELLS = 8  # per side, for the baselines
CHUNK_BYTES = 32_000_000  # of float32 pixels at a time, whatever their size
CLIP = 10.0
MIN_DEVIATION = 1 / 255  # one step of grey; a channel of one value is not blown up


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelFacts:
    """Numbers of every picture, 0..1: ``cells`` ``(n, 64 · C)`` are area means of an 8 × 8 grid per channel,
    row by row; ``mean`` and ``square`` ``(n, C)`` the means of its pixels and of their squares.
    """

    cells: Floats32
    mean: Floats
    square: Floats


def compute_pixel_facts(images: ImageRows) -> PixelFacts:
    """One pass over the pictures, a chunk at a time."""
    side, channels = images.side, images.channels
    weights = _build_weights(side)
    cells = np.empty((len(images), N_CELLS * N_CELLS * channels), dtype=np.float32)
    evenly = np.full((1, side), 1 / side, dtype=np.float32)
    square = np.empty((len(images), channels))
    for start, stop in _list_chunks(len(images), side * side * channels * 4):
        pixels = images.load(start, stop).astype(np.float32)
        flat = pixels.reshape(stop - start, side, side * channels)
        rows = np.matmul(weights, flat)
        grid = np.matmul(weights, rows.reshape(-1, side, channels))
        cells[start:stop] = grid.reshape(stop - start, -1) / 255
        np.square(flat, out=flat)
        rows = np.matmul(evenly, flat).reshape(-1, side, channels)
        square[start:stop] = rows.mean(axis=1) / 255**2
    mean = cells.reshape(len(cells), -1, channels).mean(axis=1, dtype=np.float64)  # equal areas
    return PixelFacts(cells=cells, mean=mean, square=square)


def _list_chunks(n_rows: int, row_bytes: int) -> Iterator[tuple[int, int]]:
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, n_rows, step):
        yield start, min(start + step, n_rows)


def _build_weights(side: int) -> Floats32:
    """Rows average a picture's side over eighths; a pixel on a border counts in both: ``(8, side)``."""
    edges = np.linspace(0, side, N_CELLS + 1)
    low, high = np.arange(side), np.arange(side) + 1
    covered = np.minimum(high, edges[1:, None]) - np.maximum(low, edges[:-1, None])
    return np.asarray(covered.clip(0) * (N_CELLS / side), dtype=np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageEncoder:
    """A fitted encoder of pictures; build one with ``fit_image_encoder``, read one with ``load_encoder``.

    Pictures are uint8 ``(n, side, side, channels)``, made square by ``fit``. ``image_mean`` and ``image_std``
    are per channel, ``cell_mean`` and ``cell_scale`` per cell of the grid, all 0..1 and of training rows.
    """

    columns: tuple[ColumnUse, ...]
    side: int
    channels: int
    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]
    cell_mean: tuple[float, ...]
    cell_scale: tuple[float, ...]
    fit: Literal["crop"] = "crop"
    kind: Literal["images"] = "images"
    version: Literal[1] = 1

    def compute_shape(self, n_outputs: int) -> ViewShape:
        """What a model must know to be built for these views."""
        return ViewShape(
            n_raw=len(self.cell_mean),
            n_quantile=0,
            n_quantile_numeric=0,
            cardinalities=(),
            n_outputs=n_outputs,
            side=self.side,
            channels=self.channels,
            image_mean=self.image_mean,
            image_std=self.image_std,
        )

    def encode_images(self, images: ImageRows, facts: PixelFacts | None = None) -> Views:
        """Views of every picture; ``facts`` if they were computed before. Another shape is a ``DataError``."""
        if (images.side, images.channels) != (self.side, self.channels):
            raise DataError(
                f"The pictures have {images.side} pixels and {images.channels} channels; the model "
                f"reads {self.side} and {self.channels}.",
                hint="Let the bundle decode the pictures itself.",
            )
        cells = (facts or compute_pixel_facts(images)).cells
        mean = np.asarray(self.cell_mean, dtype=np.float32)
        scale = np.asarray(self.cell_scale, dtype=np.float32)
        standard = cells - mean
        np.divide(standard, scale, out=standard, where=scale > 0)
        standard[:, scale == 0] = 0
        return Views(
            raw=cells,
            quantile=np.zeros((len(images), 0), dtype=np.float32),
            robust=np.zeros((len(images), 0), dtype=np.float32),
            standard=np.clip(standard, -CLIP, CLIP, out=standard),
            codes=np.zeros((len(images), 0), dtype=np.int32),
            images=images,
        )


def fit_image_encoder(
    facts: PixelFacts, rows: NDArray[np.int64], columns: tuple[ColumnUse, ...], shape: ImageFacts
) -> ImageEncoder:
    """Learn means and deviations from ``rows`` of the pictures: training rows and no others."""
    if not len(rows):
        raise DataError("There are no pictures to learn from.", hint="Add pictures.")
    mean = facts.mean[rows].mean(axis=0)
    variance = facts.square[rows].mean(axis=0) - mean**2
    cells = facts.cells[rows]
    scale = cells.std(axis=0, dtype=np.float64)
    scale[np.ptp(cells, axis=0) == 0] = 0
    return ImageEncoder(
        columns=columns,
        side=shape.side,
        channels=shape.channels,
        fit=shape.fit,
        image_mean=tuple(mean.tolist()),
        image_std=tuple(np.sqrt(variance.clip(MIN_DEVIATION**2)).tolist()),
        cell_mean=tuple(cells.mean(axis=0, dtype=np.float64).tolist()),
        cell_scale=tuple(scale.tolist()),
    )


_ADAPTER = TypeAdapter(ImageEncoder)


def render_image_encoder(encoder: ImageEncoder) -> bytes:
    """The encoder as JSON."""
    return _ADAPTER.dump_json(encoder, indent=1)


def parse_image_encoder(content: bytes) -> ImageEncoder:
    """Read an encoder from JSON; one that does not fit itself is a ``ValueError``."""
    try:
        encoder = _ADAPTER.validate_json(content)
    except ValidationError as error:
        raise ValueError(f"{error.error_count()} fields are wrong") from error
    n_cells = N_CELLS * N_CELLS * encoder.channels
    is_whole = (
        encoder.channels in (1, 3)
        and encoder.side >= 1
        and len(encoder.image_mean) == len(encoder.image_std) == encoder.channels
        and len(encoder.cell_mean) == len(encoder.cell_scale) == n_cells
        and all(np.isfinite(encoder.image_mean + encoder.image_std + encoder.cell_mean))
        and all(np.isfinite(encoder.cell_scale))
        and min(encoder.image_std) > 0
    )
    if not is_whole:
        raise ValueError("its numbers do not fit its side and channels")
    return encoder
