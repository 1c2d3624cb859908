"""Text columns as numbers: how long a cell is, and which frequent words it holds.

The words are counted in the training rows, without a look at the target; what a cell holds depends on that cell
alone. Nothing is hashed, so that every input has a name that can be read.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl.data.cells import Floats, cells_to_labels

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ("characters", "words")
MAX_WORDS = 32  # inputs per column; of 64 a network learned less on the one table with names that was measured
MIN_ROWS = 3
MIN_SHARE = 0.005
READ_CHARACTERS = 2_000  # of a cell
FIRST_LETTERS = (
    1,
    2,
    3,
)  # how many of them; a cabin C85 lies on deck C, a ticket PC 17599 starts with pc
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The words of a text column that become inputs; ``c…`` stands for a cell whose first word starts with c."""

    name: str
    words: tuple[str, ...]


def fit_vocabulary(series: "pd.Series[Any]") -> Vocabulary:
    """Choose at most 32 words that divide the training rows best: those nearest to half of them come first.

    A word must stand in 3 cells and half a percent of them, and be absent from as many; of words in the same rows one is kept.
    """
    codes, labels = cells_to_labels(series)
    rows = np.bincount(codes[codes >= 0], minlength=len(labels))
    n_present = int(rows.sum())
    found = [_list_words(label) for label in labels]
    counts: Counter[str] = Counter()
    for words, count in zip(found, rows.tolist(), strict=True):
        for word in words:
            counts[word] += count
    least = max(MIN_ROWS, MIN_SHARE * n_present)
    kept = [word for word, count in counts.items() if least <= count <= n_present - least]
    kept.sort(
        key=lambda word: (-counts[word] * (n_present - counts[word]), word.endswith("…"), word)
    )
    return Vocabulary(name=str(series.name), words=_drop_same(kept, counts, found))


def _drop_same(
    ranked: list[str], counts: Counter[str], found: list[frozenset[str]]
) -> tuple[str, ...]:
    """The first words that stand in different cells."""
    chosen: dict[str, NDArray[np.bool_]] = {}
    for word in ranked:
        if len(chosen) == MAX_WORDS:
            break
        stands = np.array([word in words for words in found])
        rivals = [mask for other, mask in chosen.items() if counts[other] == counts[word]]
        if not any(np.array_equal(mask, stands) for mask in rivals):
            chosen[word] = stands
    return tuple(chosen)


def encode_text(
    series: "pd.Series[Any]", vocabulary: Vocabulary
) -> tuple[list[Floats], NDArray[np.float32]]:
    """Characters and words per cell, each ``(n,)`` with NaN for a missing one, and 0/1 per word ``(n, W)``."""
    codes, labels = cells_to_labels(series)
    index = {word: number for number, word in enumerate(vocabulary.words)}
    marks = np.zeros((len(labels) + 1, len(index)), dtype=np.float32)  # the last is the missing one
    lengths = np.full((len(labels) + 1, len(COUNTS)), np.nan)
    for row, label in enumerate(labels):
        lengths[row] = len(label), len(label.split())
        for word in _list_words(label) & index.keys():
            marks[row, index[word]] = 1.0
    return list(lengths[codes].T), marks[codes]


def _list_words(label: str) -> frozenset[str]:
    """The words of a cell in small letters, and the first letters of the first one."""
    words = _WORD.findall(label[:READ_CHARACTERS].casefold())
    first = words[0] if words else ""
    starts = (f"{first[:n]}…" for n in FIRST_LETTERS if len(first) > n)
    return frozenset((*words, *starts))
