"""From a sensitive column to groups: text, missing as its own group, long numeric columns at quartiles."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.errors import AuditError

MISSING = "(missing)"
MAX_LEVELS = 20  # a numeric column with more distinct values is cut at its quartiles
MIN_LEVELS = 5  # one with so many is cut as well where they are over half as many as its rows
LONG_EDGE = 6  # characters of an edge of a bin that need no shortening
MAX_GROUPS = 200  # more text values than this are an identifier, not groups

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grouping:
    """One sensitive column as group names and a code per row; every row has a group.

    ``note`` says what was done to the column: bins with their edges, missing values counted.
    """

    attribute: str
    names: tuple[str, ...]
    codes: Ints
    is_binned: bool = False
    note: str = ""

    @property
    def sizes(self) -> Ints:
        """Rows of every group."""
        return np.bincount(self.codes, minlength=len(self.names)).astype(np.int64)


def build_grouping(attribute: str, column: pd.Series) -> Grouping:
    """Groups of one column, largest first (bins in order of value), "(missing)" last."""
    if len(column) == 0:
        raise AuditError(f"The sensitive column {attribute!r} has no rows.")
    is_missing = column.isna().to_numpy(dtype=bool)
    is_binned = _needs_bins(column)
    if is_binned:
        places, labels, note = _bin_quartiles(column, is_missing)
    else:
        places, labels = _label_values(column)
        note = ""
    names = _order(labels, np.bincount(places, minlength=len(labels)), is_binned=is_binned)
    if len(names) > MAX_GROUPS:
        raise AuditError(
            f"The sensitive column {attribute!r} has {len(names)} different values.",
            hint=f"Choose a column with at most {MAX_GROUPS} groups, or group its values first.",
        )
    if is_missing.any():
        missing = f"{int(is_missing.sum())} missing values form the group {MISSING}."
        note = f"{note} {missing}".strip()
    position = {name: place for place, name in enumerate(names)}
    codes = np.array([position.get(label, -1) for label in labels])[places]  # −1: does not occur
    return Grouping(attribute, tuple(names), codes.astype(np.int64), is_binned, note)


def build_groupings(attributes: pd.DataFrame) -> tuple[Grouping, ...]:
    """Groups of every sensitive column, in the order given."""
    return tuple(build_grouping(str(name), attributes[name]) for name in attributes.columns)


def _needs_bins(column: pd.Series) -> bool:
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    n_levels = column.nunique()
    is_scale = n_levels > MAX_LEVELS or (n_levels >= MIN_LEVELS and 2 * n_levels > len(column))
    return bool(is_number and is_scale)


def _label_values(column: pd.Series) -> tuple[Ints, list[str]]:
    """The text of every row as a place among the distinct ones, "(missing)" among them where it occurs.

    Each distinct value is written once: there may be a million rows.
    """
    codes, values = pd.factorize(column)
    distinct = pd.Series(values).astype(object)
    is_text = pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column)
    texts = [*(distinct.map(str) if is_text else map(_format_number, distinct)), MISSING]
    labels = list(dict.fromkeys(texts))
    index = {label: place for place, label in enumerate(labels)}
    own = np.array([index[text] for text in texts], dtype=np.int64)
    return own[codes], labels  # the code of a missing value is −1: the last of the texts


def _format_number(value: object) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _order(labels: list[str], counts: Ints, *, is_binned: bool) -> list[str]:
    """Labels that occur, "(missing)" last: bins as they rise, others the largest first."""
    used = [(label, int(count)) for label, count in zip(labels, counts, strict=True) if count]
    if not is_binned:
        used.sort(key=lambda each: (each[0] == MISSING, -each[1], each[0]))
    return [label for label, _ in used]


def _write_edges(edges: NDArray[np.float64]) -> list[str]:
    """Edges as they are; where they are long, in the fewest digits that keep them apart.

    Rows are told apart by the edges themselves, never by what is written.
    """
    whole = [f"{edge:g}" for edge in edges]
    if max(map(len, whole)) <= LONG_EDGE:
        return whole
    for digits in (3, 4, 5):
        texts = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(texts) and not any("e" in text for text in texts):
            return texts
    return whole


def _bin_quartiles(column: pd.Series, is_missing: NDArray[np.bool_]) -> tuple[Ints, list[str], str]:
    """The bin of every row, the labels of the bins with "(missing)" at their end, and what was done."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~is_missing]
    if not np.isfinite(known).all():
        raise AuditError(f"The sensitive column {column.name!r} holds an infinite value.")
    edges = np.unique(np.quantile(known, [0, 0.25, 0.5, 0.75, 1]))
    shown = _write_edges(edges)
    labels = [f"{shown[0]} to {shown[1]}"]
    labels += [f"over {low} to {high}" for low, high in pairwise(shown[1:])]
    places = np.full(len(values), len(labels), dtype=np.int64)
    places[~is_missing] = np.searchsorted(edges[1:-1], known, side="left")
    return places, [*labels, MISSING], "Cut at its quartiles; bins can hide differences."
