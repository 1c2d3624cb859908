"""Findings about a table that ask for a decision; each is said once."""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl.data.dataset import Column, Dataset, Kind, Note

MISSING_SHARE = 0.4
Z_LIMIT = 3.0
FAR_Z = 6.0  # the farthest must lie beyond it: skewed columns have a tail, and that is no finding
NAMED = 10  # rows that a finding names
DECIDE = ("ignore", "keep")
# as surveys name them; a plain "weight" is as often that of a body or a parcel
WEIGHT_NAME = re.compile(
    r"fnlwgt|(p|f|hh|final|person|house|case|sample|sampling|survey|row|inst)[ _.]?(wt|wgt|weight)s?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFacts:
    """What was counted over whole rows and columns; ``test_overlap`` are rows of the test file, from 0."""

    n_duplicate_rows: int
    test_overlap: tuple[int, ...]
    same_columns: tuple[tuple[str, str], ...]


def build_findings(dataset: Dataset, table: pa.Table, facts: TableFacts) -> tuple[Note, ...]:
    """Findings in the order of the table, those about whole rows first."""
    notes = _find_rows(dataset, facts)
    copies = {copy: original for original, copy in facts.same_columns}
    for column in dataset.columns:
        if column.name in copies:
            text = f"{column.name!r} holds the same values as {copies[column.name]!r}, row by row."
            notes.append(
                Note(code="duplicate_column", column=column.name, text=text, actions=DECIDE)
            )
        found = _find_in_column(column, dataset)
        if found is None and dataset.images is None:  # pictures have no weights
            found = _find_weight(column, table.column(column.name))
        if found is None and column.kind is Kind.NUMERIC:
            found = _find_outliers(column, table.column(column.name))
        if found is not None:
            notes.append(found)
    return tuple(notes)


def _find_rows(dataset: Dataset, facts: TableFacts) -> list[Note]:
    notes = []
    if facts.n_duplicate_rows:
        rows = "row repeats" if facts.n_duplicate_rows == 1 else "rows repeat"
        text = (
            f"{facts.n_duplicate_rows:,} {rows} an earlier one exactly. Equal rows stay in one part "
            "of the split, so that nothing is tested on what it was trained on."
        )
        notes.append(Note(code="duplicate_rows", text=text))
    if facts.test_overlap:
        n_more = len(facts.test_overlap) - NAMED
        named = ", ".join(map(str, facts.test_overlap[:NAMED]))
        text = (
            f"{len(facts.test_overlap):,} of {dataset.n_test_rows:,} rows of the test file also stand "
            "in the main file. The test results are a little too good for them. Counted from 0, they are rows "
            f"{named}{f' and {n_more:,} more' if n_more > 0 else ''}."
        )
        notes.append(Note(code="test_overlap", text=text, level="warning"))
    return notes


def _find_in_column(column: Column, dataset: Dataset) -> Note | None:
    """The one most important thing about a column."""
    name, n_rows = column.name, dataset.n_rows
    if column.n_distinct == 0:
        text = f"{name!r} is empty: every value is missing."
        return Note(code="empty_column", column=name, text=text, actions=DECIDE)
    if column.n_distinct == 1:
        text = f"{name!r} is constant: {column.role_reason}."
        return Note(code="constant", column=name, text=text, actions=DECIDE)
    if "identifier" in column.role_reason:
        text = (
            f"{name!r} looks like an identifier: {column.n_distinct:,} different values in "
            f"{n_rows - column.n_missing:,} rows. A model can learn it by heart, and nothing from it."
        )
        return Note(code="identifier", column=name, text=text, actions=DECIDE)
    if column.kind is Kind.TEXT and dataset.images is None:  # beside pictures no text is read
        text = (
            f"{name!r} has {column.n_distinct:,} different texts; its length, its most frequent words and texts "
            "that come back are read."
        )
        return Note(code="high_cardinality", column=name, text=text, actions=DECIDE)
    if column.n_missing > MISSING_SHARE * n_rows:
        text = f"{name!r} is missing in {column.n_missing / n_rows:.0%} of the rows."
        return Note(
            code="many_missing", column=name, text=text, level="warning", actions=("keep", "ignore")
        )
    return None


def _find_weight(column: Column, values: pa.ChunkedArray) -> Note | None:
    """Numbers without a gap, none negative, called as surveys call how many people a row stands for."""
    if column.kind is not Kind.NUMERIC or not WEIGHT_NAME.fullmatch(column.name):
        return None
    if column.n_missing or pc.min(values).as_py() < 0:
        return None
    text = f"{column.name!r} looks like a weight: how many cases a row stands for, nothing about the case."
    return Note(
        code="weight", column=column.name, text=text, level="warning", actions=("weight", *DECIDE)
    )


def _find_outliers(column: Column, values: pa.ChunkedArray) -> Note | None:
    """Values both over 3 deviations from the mean and over 3 quartile ranges outside the quartiles.

    Both rules at once, and one value over 6 deviations away, because each alone flags every skewed column.
    """
    numbers = values.drop_null().cast(pa.float64(), safe=False).to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = numbers.std()
        low, high = np.quantile(numbers, [0.25, 0.75])
        reach = 3 * (high - low)
        if not (np.isfinite(deviation) and deviation > 0 and reach > 0):
            return None
        far = np.abs(numbers - numbers.mean()) > Z_LIMIT * deviation
    far &= (numbers < low - reach) | (numbers > high + reach)
    n_far = int(far.sum())
    extreme = numbers[np.argmax(np.abs(numbers - numbers.mean()))]
    if not n_far or abs(extreme - numbers.mean()) <= FAR_Z * deviation:
        return None
    rows = "value lies" if n_far == 1 else "values lie"
    text = f"{column.name!r}: {n_far:,} {rows} far from the rest, the farthest is {extreme:g}."
    return Note(code="outliers", column=column.name, text=text, actions=("keep", "ignore"))
