"""The pixels of stored data sets: the memory map, the list of originals, thumbnails."""

import hashlib
import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet as pq

from automl.errors import DataError
from automl.settings import Workspace

PIXELS = "images.npy"
ORIGINALS = "originals.parquet"
_BUFFER_BYTES = 8 << 20


def load_images(workspace: Workspace, dataset_id: str) -> NDArray[np.uint8]:
    """The pictures, uint8 ``(n_rows, side, side, channels)``, as a read-only memory map."""
    path = workspace.dataset(dataset_id) / PIXELS
    try:
        array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _gone(dataset_id) from error
    return array


def load_originals(
    workspace: Workspace, dataset_id: str, columns: tuple[str, ...] | None = None
) -> pa.Table:
    """Every member that was seen: file, part, label, sha256, width, height, mode, format, bytes, phash, row, reason.

    ``row`` is the row of the table, −1 for what was left out for ``reason``.
    """
    path = workspace.dataset(dataset_id) / ORIGINALS
    try:
        return pq.read_table(path, columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowException) as error:
        raise _gone(dataset_id) from error


def _gone(dataset_id: str) -> DataError:
    return DataError(
        f"The data set {dataset_id[:12]!r} has no pictures; it may have been deleted.",
        hint="Choose one from the list, or upload the file again.",
    )


def encode_thumbnail(pixels: NDArray[np.uint8], side: int = 96) -> bytes:
    """One stored picture ``(side, side, channels)`` as PNG; small ones are enlarged in whole squares."""
    image = Image.fromarray(
        pixels[:, :, 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels)
    )
    if image.width != side:
        way = Image.Resampling.NEAREST if image.width < side else Image.Resampling.BOX
        image = image.resize((side, side), way)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


class PixelWriter:
    """Writes ``images.npy`` picture by picture: no map, so that memory stays flat whatever its size.

    The number of pictures is known at the end; ``sha256`` is that of the pixels alone.
    """

    def __init__(self, path: Path, side: int, channels: int) -> None:
        self.n_pictures = 0
        self._shape = (side, side, channels)
        self._digest = hashlib.sha256()
        self._file: BinaryIO = path.open("wb", buffering=_BUFFER_BYTES)
        self._write_header()

    def append(self, pixels: NDArray[np.uint8]) -> None:
        """Add one picture of the agreed shape."""
        if pixels.shape != self._shape or pixels.dtype != np.uint8:
            raise ValueError(f"expected uint8 {self._shape}, got {pixels.dtype} {pixels.shape}")
        content = np.ascontiguousarray(pixels).data
        self._digest.update(content)
        self._file.write(content)
        self.n_pictures += 1

    def close(self) -> str:
        """Write the final header; the SHA-256 of all pixels."""
        self._file.seek(0)
        self._write_header()  # of the same length: numpy leaves room for the digits
        self._file.close()
        return self._digest.hexdigest()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _write_header(self) -> None:
        np.lib.format.write_array_header_1_0(
            self._file,
            {"descr": "|u1", "fortran_order": False, "shape": (self.n_pictures, *self._shape)},
        )
