"""Columns that say much the same: where one is shuffled or changed alone, the others still tell it."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from automl.data.cells import cells_to_days, cells_to_labels, cells_to_numbers
from automl.data.dataset import ColumnUse, Kind

THRESHOLD = 0.7
MOST_LEVELS = 50
MOST_NAMED = 60  # columns with levels that are compared: their pairs are counted one by one

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def find_related(
    frame: pd.DataFrame, columns: tuple[ColumnUse, ...], threshold: float = THRESHOLD
) -> tuple[tuple[str, ...], ...]:
    """Sets of columns that hang together, directly or by a chain; each in the order of the table.

    Between numbers and dates |Spearman's rank correlation|, between categories Cramér's V, between both the correlation
    ratio of the ranks, the latter two less what chance would show. Texts and columns of over 50 levels are left out.
    """
    ranks = {
        column.name: rank
        for column in columns
        if column.kind in (Kind.NUMERIC, Kind.DATETIME)
        and (rank := _rank(frame[column.name], column.kind)) is not None
    }
    codes = {
        column.name: code
        for column in columns
        if column.kind in (Kind.CATEGORICAL, Kind.BOOLEAN)
        and (code := _number(frame[column.name])) is not None
    }
    codes = dict(list(codes.items())[:MOST_NAMED])
    pairs = _correlate(ranks, threshold)
    pairs += [
        (one, other)
        for one, other in combinations(codes, 2)
        if compute_association(codes[one], codes[other]) >= threshold
    ]
    pairs += [
        (one, other)
        for one in ranks
        for other in codes
        if compute_ratio(ranks[one], codes[other]) >= threshold
    ]
    return _join([column.name for column in columns], pairs)


def _rank(series: "pd.Series[Any]", kind: Kind) -> Floats | None:
    """Ranks with the middle one where nothing is; None for a column of one value."""
    values = cells_to_days(series) if kind is Kind.DATETIME else cells_to_numbers(series)
    known = np.isfinite(values)
    if len(np.unique(values[known])) < 2:
        return None
    ranks = np.full(len(values), (known.sum() + 1) / 2)
    ranks[known] = rankdata(values[known])
    return ranks


def _number(series: "pd.Series[Any]") -> Ints | None:
    """Levels as numbers from 0 on, a missing cell being one; None for one level or too many."""
    codes = np.unique(cells_to_labels(series)[0], return_inverse=True)[1].reshape(-1)
    return codes.astype(np.int64) if 2 <= codes.max() + 1 <= MOST_LEVELS else None


def _correlate(ranks: dict[str, Floats], threshold: float) -> list[tuple[str, str]]:
    if len(ranks) < 2:
        return []
    names = list(ranks)
    matrix = np.abs(np.corrcoef(np.stack(list(ranks.values()))))
    firsts, seconds = np.nonzero(np.triu(matrix, 1) >= threshold)
    return [(names[one], names[other]) for one, other in zip(firsts, seconds, strict=True)]


def compute_association(one: Ints, other: Ints) -> float:
    """Cramér's V of two columns of codes, 0..1, corrected for chance (Bergsma 2013)."""
    n, rows, columns = len(one), int(one.max()) + 1, int(other.max()) + 1
    table = np.bincount(one * columns + other, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    filled = expected > 0
    phi = float(((table - expected)[filled] ** 2 / expected[filled]).sum()) / n
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    small = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(min(1.0, phi / small))) if small > 0 else 0.0


def compute_ratio(ranks: Floats, codes: Ints) -> float:
    """How far levels tell the rank, 0..1: the correlation ratio, corrected for chance (Kelley 1935)."""
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=ranks) / np.maximum(counts, 1)
    within = float(((ranks - means[codes]) ** 2).sum())
    total = float(((ranks - ranks.mean()) ** 2).sum())
    n, levels = len(ranks), int((counts > 0).sum())
    if total == 0 or n <= levels:
        return 0.0
    return float(np.sqrt(max(0.0, 1 - within / total * (n - 1) / (n - levels))))


def _join(names: list[str], pairs: list[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Connected columns as sets, those alone left out."""
    home = {name: name for name in names}
    for one, other in pairs:
        kept, gone = home[one], home[other]
        if kept != gone:
            home = {name: kept if place == gone else place for name, place in home.items()}
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(home[name], []).append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
