"""A shallow tree on errors, grown to be read: one condition per step, plain numbers, one level against all others.

It is grown on some rows and says nothing about how large the errors are; that is measured on other rows
(``automl.evaluation.error_slices``). Own code, because the trees of scikit-learn split categories as numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl.data.cells import Floats, cells_to_days, cells_to_labels, cells_to_numbers
from automl.data.dataset import Kind
from automl.data.values import format_number

if TYPE_CHECKING:
    import pandas as pd

MAX_DEPTH = 3
N_CUTS = 31  # of a column of numbers, at its quantiles
MOST_VALUES = 100  # so many different values or fewer are all tried
MAX_LEVELS = 40  # of a category, the most frequent
LEAST_Z = 3.0  # a split parts the mean errors by three standard errors, else there is none
CUT_DIGITS = 3

Ints = NDArray[np.int64]
Marks = NDArray[np.bool_]


class Relation(StrEnum):
    """How a condition compares a cell with its value; a missing cell is neither at most nor above anything."""

    AT_MOST = "at_most"
    ABOVE = "above"  # or missing, where the column has missing cells: ``with_missing``
    IS = "is"
    IS_NOT = "is_not"
    MISSING = "missing"
    PRESENT = "present"


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One step of a path: ``cut`` for numbers and days since 1970, ``level`` for categories."""

    column: str
    kind: Kind
    relation: Relation
    cut: float = 0.0
    level: str = ""
    with_missing: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Feature:
    """A column of the growing rows as small numbers: bins of the cuts or levels, then one for missing."""

    name: str
    kind: Kind
    codes: NDArray[np.int16]
    cuts: Floats
    levels: tuple[str, ...]

    @property
    def n_codes(self) -> int:
        """Codes in use: the bins between the cuts or the levels, all other levels, and missing cells."""
        return (len(self.cuts) + 1 if not self.levels else len(self.levels) + 1) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Split:
    gain: float
    goes_left: Marks  # of the growing rows
    left: Condition
    right: Condition


def is_number(kind: Kind) -> bool:
    """Whether a column is cut at values, not parted by levels."""
    return kind in (Kind.NUMERIC, Kind.DATETIME)


def read_numbers(series: "pd.Series[Any]", kind: Kind) -> Floats:
    """Cells as numbers, dates as days; what is infinite is missing."""
    values = cells_to_days(series) if kind is Kind.DATETIME else cells_to_numbers(series)
    return np.where(np.isfinite(values), values, np.nan)


def grow_tree(
    frame: "pd.DataFrame", kinds: Mapping[str, Kind], errors: Floats, least: int
) -> tuple[tuple[Condition, ...], ...]:
    """The paths to the leaves of a tree of depth 3 at most; none where no column parts the errors.

    ``frame`` and ``errors`` ``(n,)`` are the growing rows, ``kinds`` the columns to look at; a leaf keeps ``least``
    rows. Every split takes the condition with the greatest fall of variance, and is made only where the two means
    lie three standard errors apart.
    """
    features = [_build_feature(frame[name], name, kind) for name, kind in kinds.items()]
    paths = list(_grow(features, errors, np.arange(len(errors)), least, ()))
    return tuple(path for path in paths if path)


def _grow(
    features: Sequence[_Feature],
    errors: Floats,
    rows: Ints,
    least: int,
    path: tuple[Condition, ...],
) -> Iterator[tuple[Condition, ...]]:
    best = None
    if len(path) < MAX_DEPTH and len(rows) >= 2 * least:
        found = (_find_split(feature, errors, rows, least) for feature in features)
        best = max((each for each in found if each is not None), key=lambda s: s.gain, default=None)
    if best is None:
        yield path
        return
    for side, condition in ((best.goes_left, best.left), (~best.goes_left, best.right)):
        yield from _grow(features, errors, rows[side], least, (*path, condition))


def _build_feature(series: "pd.Series[Any]", name: str, kind: Kind) -> _Feature:
    if is_number(kind):
        values = read_numbers(series, kind)
        cuts = _choose_cuts(values[~np.isnan(values)])
        codes = np.searchsorted(cuts, values, side="left")
        codes[np.isnan(values)] = len(cuts) + 1
        return _Feature(name=name, kind=kind, codes=codes.astype(np.int16), cuts=cuts, levels=())
    found, labels = cells_to_labels(series)
    counts = np.bincount(found[found >= 0], minlength=len(labels))
    common = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
    table = np.full(len(labels) + 1, len(common), dtype=np.int16)  # the last entry is reached by −1
    table[common] = np.arange(len(common))
    table[-1] = len(common) + 1
    levels = tuple(labels[place] for place in common)
    return _Feature(name=name, kind=kind, codes=table[found], cuts=np.zeros(0), levels=levels)


def _choose_cuts(values: Floats) -> Floats:
    """Few values as they are; else quantiles, in three digits where that moves no more than a few rows."""
    distinct = np.unique(values)
    if len(distinct) <= MOST_VALUES:
        return np.asarray(distinct[:-1])
    exact = np.quantile(values, np.linspace(0, 1, N_CUTS + 2)[1:-1], method="lower")
    short = np.array([float(f"{cut:.{CUT_DIGITS}g}") for cut in exact])
    near = np.diff(np.quantile(values, [0.0, 1.0])) / 1_000
    cuts = np.unique(np.where(np.abs(short - exact) <= near, short, exact))
    return np.asarray(cuts[(cuts >= values.min()) & (cuts < values.max())])


def _find_split(feature: _Feature, errors: Floats, rows: Ints, least: int) -> _Split | None:
    """The best split of some rows by one column, None where there is none that is worth it."""
    codes, own = feature.codes[rows], errors[rows]
    n = np.bincount(codes, minlength=feature.n_codes).astype(np.float64)
    total = np.bincount(codes, weights=own, minlength=feature.n_codes)
    if not feature.levels:  # the last candidate: everything that is present
        n_left, sums = np.cumsum(n[:-1]), np.cumsum(total[:-1])
    else:
        n_left, sums = np.append(n[:-2], n[-1]), np.append(total[:-2], total[-1])
    n_right = len(rows) - n_left
    is_open = (n_left >= least) & (n_right >= least)
    if not is_open.any():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = sums / n_left - (own.sum() - sums) / n_right
        gain = np.where(is_open, n_left * n_right / len(rows) * apart**2, -1.0)
    place = int(gain.argmax())
    if gain[place] <= LEAST_Z**2 * float(own.var()):
        return None
    left, right = _name_sides(feature, place, has_missing=n[-1] > 0)
    if not feature.levels:
        goes_left = codes <= place
    else:
        goes_left = codes == (place if place < len(feature.levels) else feature.n_codes - 1)
    return _Split(gain=float(gain[place]), goes_left=goes_left, left=left, right=right)


def _name_sides(feature: _Feature, place: int, *, has_missing: bool) -> tuple[Condition, Condition]:
    name, kind = feature.name, feature.kind
    if not feature.levels:
        if place == len(feature.cuts):
            return (
                Condition(column=name, kind=kind, relation=Relation.PRESENT),
                Condition(column=name, kind=kind, relation=Relation.MISSING),
            )
        cut = float(feature.cuts[place])
        return (
            Condition(column=name, kind=kind, relation=Relation.AT_MOST, cut=cut),
            Condition(
                column=name, kind=kind, relation=Relation.ABOVE, cut=cut, with_missing=has_missing
            ),
        )
    if place == len(feature.levels):
        return (
            Condition(column=name, kind=kind, relation=Relation.MISSING),
            Condition(column=name, kind=kind, relation=Relation.PRESENT),
        )
    level = feature.levels[place]
    left = Condition(column=name, kind=kind, relation=Relation.IS, level=level)
    if len(feature.levels) == 2 and not has_missing:  # the other one by its name
        return left, replace(left, level=feature.levels[1 - place])
    return left, replace(left, relation=Relation.IS_NOT)


def mark_rows(frame: "pd.DataFrame", path: Sequence[Condition]) -> Marks:
    """Which rows of any frame with these columns meet all conditions. ``(n,)``."""
    marks = np.ones(len(frame), dtype=bool)
    for condition in path:
        marks &= _mark(frame[condition.column], condition)
    return marks


def _mark(series: "pd.Series[Any]", condition: Condition) -> Marks:
    if is_number(condition.kind):
        values = read_numbers(series, condition.kind)
        is_missing = np.isnan(values)
        match condition.relation:
            case Relation.AT_MOST:
                return np.asarray(values <= condition.cut)
            case Relation.ABOVE:
                return np.asarray((values > condition.cut) | (is_missing & condition.with_missing))
    else:
        codes, labels = cells_to_labels(series)
        is_missing = codes < 0
        match condition.relation:
            case Relation.IS | Relation.IS_NOT:
                place = labels.index(condition.level) if condition.level in labels else -2
                return np.asarray((codes == place) == (condition.relation is Relation.IS))
    return np.asarray(is_missing == (condition.relation is Relation.MISSING))


def describe_path(path: Sequence[Condition]) -> str:
    """Conditions in words, one column once: ``age over 30 to 50, race is not Black, Other``."""
    by_column: dict[str, list[Condition]] = {}
    for condition in path:
        by_column.setdefault(condition.column, []).append(condition)
    return "; ".join(_describe_column(each) for each in by_column.values())


def _describe_column(conditions: Sequence[Condition]) -> str:
    name, kind = conditions[0].column, conditions[0].kind
    by = {relation: [c for c in conditions if c.relation is relation] for relation in Relation}
    if by[Relation.MISSING]:
        return f"{name} is missing"
    if by[Relation.IS]:
        return f"{name} is {by[Relation.IS][-1].level}"
    if by[Relation.IS_NOT]:
        return f"{name} is not {', '.join(c.level for c in by[Relation.IS_NOT])}"
    low = max((c.cut for c in by[Relation.ABOVE]), default=None)
    high = min((c.cut for c in by[Relation.AT_MOST]), default=None)
    if low is None and high is None:
        return f"{name} is not missing"
    if low is None:
        return f"{name} at most {_write(high, kind)}"
    if high is None:
        is_open = not by[Relation.PRESENT] and all(c.with_missing for c in by[Relation.ABOVE])
        return f"{name} over {_write(low, kind)}{' or missing' if is_open else ''}"
    return f"{name} over {_write(low, kind)} to {_write(high, kind)}"


def _write(cut: float | None, kind: Kind) -> str:
    value = 0.0 if cut is None else cut
    if kind is not Kind.DATETIME:
        is_long = value.is_integer() and 1e4 <= abs(value) < 1e15
        return f"{value:,.0f}" if is_long else format_number(value)
    return (
        str(np.datetime64(round(value * 86_400), "s")).replace("T", " ").removesuffix(" 00:00:00")
    )
