"""The levels of a categorical column, learned from training rows, and cells as codes into them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl.data.cells import cells_to_labels, is_number_column
from automl.data.dataset import Note

if TYPE_CHECKING:
    import pandas as pd

MIN_LEVEL_ROWS = 3
MAX_OPEN_LEVELS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """The levels of a categorical input: code ``i + 1`` is ``levels[i]``, None is the missing level.

    ``rare`` levels were seen in under 3 training rows and share code 0 with unknown ones.
    ``as_numbers``: the column was stored as numbers, so labels are compared as numbers. ``is_open``: a text column, of
    which new values are expected and which keeps no list of the rare ones.
    """

    name: str
    levels: tuple[str | None, ...]
    rare: tuple[str, ...] = ()
    as_numbers: bool = False
    is_open: bool = False


def fit_levels(series: "pd.Series[Any]") -> Levels:
    """Levels by training frequency, those of under 3 rows apart."""
    as_numbers = is_number_column(series)
    codes, labels = cells_to_labels(series, as_numbers=as_numbers)
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    n_missing = int((codes < 0).sum())
    ranked: list[tuple[int, str, str | None]] = [
        (-int(count), label, label)
        for label, count in zip(labels, counts, strict=True)
        if count >= MIN_LEVEL_ROWS
    ]
    if n_missing:
        ranked.append((-n_missing, "", None))
    rare = tuple(
        sorted(label for label, count in zip(labels, counts, strict=True) if count < MIN_LEVEL_ROWS)
    )
    levels = tuple(level for _, _, level in sorted(ranked, key=lambda item: item[:2]))
    return Levels(name=str(series.name), levels=levels, rare=rare, as_numbers=as_numbers)


def fit_open_levels(series: "pd.Series[Any]") -> Levels | None:
    """The most frequent values of a text column, None where hardly any comes back."""
    found = fit_levels(series)
    if found.levels in ((), (None,)):
        return None
    return replace(found, levels=found.levels[:MAX_OPEN_LEVELS], rare=(), is_open=True)


def encode_levels(series: "pd.Series[Any]", levels: Levels, notes: list[Note]) -> NDArray[np.int32]:
    """Codes ``(n,)`` of the cells; values that training never saw are added to ``notes``."""
    codes, labels = cells_to_labels(series, as_numbers=levels.as_numbers)
    known = {level: index + 1 for index, level in enumerate(levels.levels)}
    rare = set(levels.rare)
    table = np.array(
        [*(known.get(label, 0) for label in labels), known.get(None, 0)], dtype=np.int32
    )
    unseen = [i for i, label in enumerate(labels) if label not in known and label not in rare]
    if unseen and not levels.is_open:
        count = int(np.isin(codes, unseen).sum())
        text = (
            f"{levels.name!r} holds values that training never saw in {count_rows(count)}, for example "
            f"{labels[unseen[0]][:40]!r}; they are treated as unknown."
        )
        notes.append(Note(code="unseen_level", column=levels.name, text=text, level="warning"))
    n_missing = int((codes < 0).sum())
    if n_missing and None not in known and not levels.is_open:
        text = (
            f"{levels.name!r} is missing in {count_rows(n_missing)}, and never was in training; treated "
            "as unknown."
        )
        notes.append(Note(code="newly_missing", column=levels.name, text=text, level="warning"))
    return table[codes]


def count_rows(count: int) -> str:
    """``1 row`` or ``1,234 rows``."""
    return "1 row" if count == 1 else f"{count:,} rows"
