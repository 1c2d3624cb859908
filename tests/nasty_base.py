"""What a nasty table is, and the plain columns that most of them start from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

Random = np.random.Generator
Make = Callable[[Random, int], pd.DataFrame]
LARGE = 4_000  # rows of which 15 % are a test part of more than 500


@dataclass(frozen=True, kw_only=True, slots=True)
class NastyTable:
    """A table, why it is nasty, and what is predicted from it; ``n_rows`` is its size in a benchmark.

    Where ``refused`` is set a search must not start, and the message must hold those words.
    """

    name: str
    reason: str
    make: Make
    n_rows: int = LARGE
    task: str | None = None
    refused: str = ""

    def build(self, n_rows: int | None = None) -> pd.DataFrame:
        """The rows; the target is the column ``y``."""
        wanted = self.n_rows if n_rows is None else min(n_rows, self.n_rows)
        return self.make(np.random.default_rng(crc32(self.name.encode())), wanted)


TABLES: dict[str, NastyTable] = {}


def add(reason: str, n_rows: int = LARGE, task: str | None = None, refused: str = "") -> Callable[[Make], Make]:  # fmt: skip
    def keep(make: Make) -> Make:
        name = make.__name__.strip("_")
        TABLES[name] = NastyTable(name=name, reason=reason, make=make, n_rows=n_rows, task=task, refused=refused)  # fmt: skip
        return make

    return keep


def draw_numbers(rng: Random, n: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Three plain columns and a signal of deviation about 2."""
    x = rng.normal(size=(3, n))
    return dict(zip("abc", x, strict=True)), 1.5 * x[0] - x[1] + np.sin(2 * x[2])


def draw_classes(rng: Random, signal: np.ndarray, share: float = 0.4) -> np.ndarray:
    noisy = signal + rng.logistic(size=len(signal)) * 0.7
    return np.where(noisy > np.quantile(noisy, 1 - share), "yes", "no")


def draw_binary(rng: Random, n: int, extra: Mapping[str, object]) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    return pd.DataFrame({**columns, **extra, "y": draw_classes(rng, signal)})


def draw_values(rng: Random, n: int, extra: Mapping[str, object]) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    return pd.DataFrame({**columns, **extra, "y": signal + rng.normal(size=n) * 0.5})
