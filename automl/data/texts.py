"""Text columns as numbers: how long a cell is, and which frequent words it holds.

The words are counted in training rows, without a look at the target; what a cell holds depends on that cell
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
MAX_CELLS = 20_000  # that choose the words; half a percent of them are 100
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


def fit_vocabulary(series: "pd.Series[Any]", *, seed: int = 0) -> Vocabulary:
    """Choose at most 32 words that divide the training rows best: those nearest to half of them come first.

    Only 20,000 cells, drawn with ``seed``, are looked at where there are more. A word must stand in 3 of them and half
    a percent, and be absent from as many; of words in the same ones one is kept.
    """
    codes, labels = cells_to_labels(series)
    present = codes[codes >= 0]
    generator = np.random.default_rng(seed)
    if len(present) > MAX_CELLS:
        present = generator.choice(present, MAX_CELLS, replace=False)
    counts, places = _count_words(present, labels, generator)
    least = max(MIN_ROWS, MIN_SHARE * len(present))
    kept = [word for word, count in counts.items() if least <= count <= len(present) - least]
    kept.sort(
        key=lambda word: (-counts[word] * (len(present) - counts[word]), word.endswith("…"), word)
    )
    first = {places[word]: word for word in reversed(kept)}
    words = [word for word in kept if first[places[word]] == word]
    return Vocabulary(name=str(series.name), words=tuple(words[:MAX_WORDS]))


def _count_words(
    present: NDArray[np.int32], labels: tuple[str, ...], generator: np.random.Generator
) -> tuple[Counter[str], Counter[str]]:
    """In how many cells each word stands, and a number that only words in the same cells share."""
    shown, rows = np.unique(present, return_counts=True)
    keys = generator.integers(1, 2**63, len(shown)).tolist()
    counts: Counter[str] = Counter()
    places: Counter[str] = Counter()  # sums of random keys: no cell keeps a set of its words
    for code, count, key in zip(shown.tolist(), rows.tolist(), keys, strict=True):
        for word in _list_words(labels[code]):
            counts[word] += count
            places[word] += key
    return counts, places


def measure_text(series: "pd.Series[Any]") -> list[Floats]:
    """Characters and words per cell, each ``(n,)`` with NaN for a missing one."""
    codes, labels = cells_to_labels(series)
    lengths = np.full((len(labels) + 1, len(COUNTS)), np.nan)  # the last is the missing one
    for row, label in enumerate(labels):
        lengths[row] = len(label), len(label.split())
    return list(lengths[codes].T)


def mark_words(series: "pd.Series[Any]", vocabulary: Vocabulary) -> NDArray[np.float32]:
    """1 where a cell holds the word, else 0, ``(n, W)``."""
    codes, labels = cells_to_labels(series)
    index = {word: number for number, word in enumerate(vocabulary.words)}
    marks = np.zeros((len(labels) + 1, len(index)), dtype=np.float32)
    for row, label in enumerate(labels):
        for word in _list_words(label) & index.keys():
            marks[row, index[word]] = 1.0
    return marks[codes]


def _list_words(label: str) -> frozenset[str]:
    """The words of a cell in small letters, and the first letters of the first one."""
    words = _WORD.findall(label[:READ_CHARACTERS].casefold())
    first = words[0] if words else ""
    starts = (f"{first[:n]}…" for n in FIRST_LETTERS if len(first) > n)
    return frozenset((*words, *starts))
