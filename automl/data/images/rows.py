"""Pictures by row, read from the memory map only when they are asked for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageRows:
    """Rows of a picture array: uint8 ``(N, side, side, channels)``, usually a read-only memory map.

    ``rows`` are indices into ``array`` in any order; None means all of them.
    """

    array: NDArray[np.uint8]
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.array) if self.rows is None else len(self.rows)

    @property
    def side(self) -> int:
        return int(self.array.shape[1])

    @property
    def channels(self) -> int:
        return int(self.array.shape[3])

    @property
    def size_bytes(self) -> int:
        """Bytes of these rows once they are loaded."""
        return len(self) * int(np.prod(self.array.shape[1:]))

    def take(self, rows: NDArray[Any]) -> "ImageRows":
        """A selection of these rows, in that order; nothing is read."""
        chosen = np.asarray(rows, dtype=np.int64)
        known = chosen if self.rows is None else self.rows[chosen]
        return ImageRows(array=self.array, rows=known)

    def load(self, start: int = 0, stop: int | None = None) -> NDArray[np.uint8]:
        """Pictures ``start`` to ``stop`` of these rows, uint8 ``(n, side, side, channels)``, in memory."""
        if self.rows is None:
            return np.array(self.array[start:stop])
        return np.asarray(self.array[self.rows[start:stop]])
