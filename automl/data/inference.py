"""What each column is, with the reason, and what it is probably good for."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.dataset import Column, Kind, Note, Role, Unit
from automl.data.units import Measures, parse_measures
from automl.data.values import (
    MAX_DIGITS,
    MIN_SHARE,
    Coded,
    ParsedNumbers,
    code_text,
    has_leading_zeros,
    has_long_numbers,
    parse_booleans,
    parse_dates,
    parse_numbers,
)

MAX_LEVELS = 50
MAX_LEVEL_SHARE = 0.05
MIN_UNIQUE_SHARE = 0.95
MIN_ROWS_FOR_IDENTIFIER = 20
MAX_CODE_LEVELS = 15
_MIXED_SHARE = 0.05  # below it a few numbers among texts are just names
_ID_NAME = re.compile(
    r"(^|[^a-z])(id|ids|key|uuid|guid|index|idx|nr|no|number|ssn|phone)([^a-z]|$)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedColumn:
    """A column in its stored form: int64, float64, bool, string or timestamp[us], null where missing."""

    column: Column
    array: pa.Array
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A kind and its reason, before roles."""

    kind: Kind
    reason: str
    array: pa.Array
    n_distinct: int
    notes: tuple[Note, ...] = ()
    unit: Unit | None = None


def infer_column(
    name: str, raw: pa.ChunkedArray | pa.Array, decimal: str | None = None
) -> TypedColumn:
    """Decide the kind of one raw column, cast it, and suggest a role.

    Cells that do not fit the kind become missing and are counted in a note with an example. ``decimal``
    fixes the decimal mark of numbers written as text.
    """
    array = raw.combine_chunks() if isinstance(raw, pa.ChunkedArray) else raw
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        found = _infer_numbers(name, array)
    elif pa.types.is_boolean(array.type):
        found = _found_booleans(array)
    elif pa.types.is_timestamp(array.type):
        found = _found_dates(array, "stored as dates")
    elif pa.types.is_null(array.type):
        found = _infer_text(name, array.cast(pa.string()), decimal)
    else:
        found = _infer_text(name, array, decimal)
    role, role_reason = _suggest_role(name, found)
    column = Column(
        name=name,
        kind=found.kind,
        reason=found.reason,
        n_missing=found.array.null_count,
        n_distinct=found.n_distinct,
        suggested_role=role,
        role_reason=role_reason,
        unit=found.unit,
    )
    return TypedColumn(column=column, array=found.array, notes=found.notes)


def _infer_numbers(name: str, array: pa.Array) -> _Found:
    values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    if pa.types.is_integer(array.type) and (np.abs(values[~np.isnan(values)]) >= 1e15).any():
        return _infer_text(name, array.cast(pa.string()), None)  # a float64 would lose digits
    return _found_numbers(name, values, "stored as numbers")


def _found_numbers(name: str, values: NDArray[np.float64], reason: str) -> _Found:
    """Kind of a numeric column; infinite values become missing, whole numbers int64."""
    notes: tuple[Note, ...] = ()
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.argmax(infinite)) + 1
        text = (
            f"{name!r} holds {_count(infinite.sum(), 'infinite value')} (the first in data row "
            f"{row:,}); read as missing."
        )
        notes = (Note(code="infinite", column=name, text=text, level="warning"),)
        values = np.where(infinite, np.nan, values)
    present = values[~np.isnan(values)]
    distinct = np.unique(present)
    whole = bool(len(present)) and bool((present == np.round(present)).all())
    whole = whole and bool((np.abs(present) < 1e15).all())
    missing = np.isnan(values)
    if whole:
        filled = np.where(missing, 0, values).astype(np.int64)
        array = pa.array(filled, mask=missing)
    else:
        array = pa.array(values + 0.0, mask=missing)
    kind, why = _kind_of_numbers(distinct, reason, is_whole=whole)
    return _Found(kind=kind, reason=why, array=array, n_distinct=len(distinct), notes=notes)


def _kind_of_numbers(
    distinct: NDArray[np.float64], reason: str, *, is_whole: bool
) -> tuple[Kind, str]:
    if len(distinct) == 2 and is_whole and set(distinct) == {0.0, 1.0}:
        return Kind.BOOLEAN, "only 0 and 1"
    if len(distinct) == 2:
        return Kind.CATEGORICAL, f"two values only, {distinct[0]:g} and {distinct[1]:g}"
    if is_whole and 2 < len(distinct) <= MAX_CODE_LEVELS:
        return Kind.NUMERIC, (
            f"whole numbers with {len(distinct)} different values; choose categorical if they are "
            "codes without an order"
        )
    return Kind.NUMERIC, f"whole numbers, {reason}" if is_whole else reason


def _found_booleans(array: pa.Array) -> _Found:
    n_distinct = len(pc.unique(array.drop_null()))
    return _Found(
        kind=Kind.BOOLEAN, reason="only true and false", array=array, n_distinct=n_distinct
    )


def _found_dates(array: pa.Array, reason: str, notes: tuple[Note, ...] = ()) -> _Found:
    n_distinct = len(pc.unique(array.drop_null()))
    return _Found(
        kind=Kind.DATETIME, reason=reason, array=array, n_distinct=n_distinct, notes=notes
    )


def _infer_text(name: str, array: pa.Array, decimal: str | None) -> _Found:
    coded = code_text(array)
    markers = _note_markers(name, coded)
    if not coded.n_present:
        empty = pa.nulls(len(array), pa.string())
        return _Found(
            kind=Kind.CATEGORICAL, reason="no values", array=empty, n_distinct=0, notes=markers
        )
    booleans = parse_booleans(coded.texts)
    if booleans is not None:
        values = _spread(pa.array(booleans), coded)
        return _with_notes(_found_booleans(values), markers)
    numbers = parse_numbers(coded.texts, coded.counts, decimal)
    share = _share(numbers.is_number, coded)
    if share >= MIN_SHARE:
        kept = _why_not_numbers(coded)
        if kept:
            return _with_notes(_found_labels(coded, kept), markers)
        return _with_notes(_cast_numbers(name, coded, numbers), markers)
    # two of them stay labels, so that classes like "7 days" keep their names
    measures = parse_measures(coded.texts, coded.counts, decimal) if len(coded.texts) > 2 else None
    if measures is not None:
        return _with_notes(_cast_measures(name, coded, measures), markers)
    dates = parse_dates(coded.texts, coded.counts)
    if _share(dates.is_date, coded) >= MIN_SHARE:
        failed = _note_failed(name, coded, dates.is_date, "dates")
        found = _found_dates(_spread(dates.stamps, coded), f"dates as {dates.form}", failed)
        return _with_notes(found, markers)
    return _with_notes(_found_labels(coded, ""), markers + _note_mixed(name, coded, numbers, share))


def _with_notes(found: _Found, before: tuple[Note, ...]) -> _Found:
    return replace(found, notes=(*before, *found.notes))


def _share(mask: NDArray[np.bool_], coded: Coded) -> float:
    return float(coded.counts[mask].sum()) / coded.n_present


def _spread(values: pa.Array, coded: Coded) -> pa.Array:
    """The value of every row from the values of the distinct texts."""
    return values.take(pa.array(coded.codes, mask=coded.codes < 0))


def _why_not_numbers(coded: Coded) -> str:
    if has_leading_zeros(coded.texts):
        return "numbers with leading zeros, which would be lost"
    if has_long_numbers(coded.texts):
        return f"numbers of more than {MAX_DIGITS} digits, which would be rounded"
    return ""


def _cast_measures(name: str, coded: Coded, measures: Measures) -> _Found:
    """Numbers with a common unit, which the reason names before it advises."""
    found = _cast_numbers(name, coded, measures.parsed)
    facts, mark, advice = found.reason.partition(";")
    reason = f"{facts}, with the unit {str(measures.unit)!r}{mark}{advice}"
    return replace(found, reason=reason, unit=measures.unit)


def _cast_numbers(name: str, coded: Coded, numbers: ParsedNumbers) -> _Found:
    failed = _note_failed(name, coded, numbers.is_number, "numbers")
    values = np.full(len(coded.codes), np.nan)
    present = coded.codes >= 0
    values[present] = numbers.numbers[coded.codes[present]]
    share = _share(numbers.is_number, coded)
    reason = "every value is a number" if share == 1 else f"{share:.1%} of the values are numbers"
    forms = {"thousands": ", with commas between thousands", "comma": ", with a decimal comma"}
    found = _found_numbers(name, values, reason + forms.get(numbers.form, ""))
    return _with_notes(found, failed)


def _found_labels(coded: Coded, why: str) -> _Found:
    n_distinct, n_rows = len(coded.texts), len(coded.codes)
    array = _spread(coded.texts, coded)
    if n_distinct <= max(MAX_LEVELS, MAX_LEVEL_SHARE * n_rows):
        values = "value" if n_distinct == 1 else "values"
        reason = why or f"text with {n_distinct:,} different {values}"
        return _Found(kind=Kind.CATEGORICAL, reason=reason, array=array, n_distinct=n_distinct)
    reason = f"{why or 'text'}; {n_distinct:,} different values in {n_rows:,} rows"
    return _Found(kind=Kind.TEXT, reason=reason, array=array, n_distinct=n_distinct)


def _note_markers(name: str, coded: Coded) -> tuple[Note, ...]:
    if not coded.markers:
        return ()
    listed = ", ".join(f"{marker!r} ({count:,})" for marker, count in sorted(coded.markers.items()))
    text = f"In {name!r} these stand for missing values: {listed}."
    return (Note(code="missing_marker", column=name, text=text),)


def _note_failed(name: str, coded: Coded, fits: NDArray[np.bool_], what: str) -> tuple[Note, ...]:
    if fits.all():
        return ()
    first = int(np.argmax(~fits))
    n_failed = int(coded.counts[~fits].sum())
    text = (
        f"{name!r}: {n_failed:,} of {coded.n_present:,} values are no {what}, for example "
        f"{str(coded.texts[first])[:40]!r} in data row {coded.find_row(first):,}; read as missing."
    )
    actions = ("keep", "categorical")
    return (Note(code="mixed_types", column=name, text=text, level="warning", actions=actions),)


def _note_mixed(name: str, coded: Coded, numbers: ParsedNumbers, share: float) -> tuple[Note, ...]:
    if share < _MIXED_SHARE or len(coded.texts) <= 2:
        return ()
    first = int(np.argmax(~numbers.is_number))
    text = (
        f"{name!r} mixes numbers ({share:.0%}) and text, for example "
        f"{str(coded.texts[first])[:40]!r} in data row {coded.find_row(first):,}; read as text. "
        "Choose numeric to read the text as missing, or correct the file."
    )
    actions = ("keep", "numeric", "ignore")
    return (Note(code="mixed_types", column=name, text=text, level="warning", actions=actions),)


def _suggest_role(name: str, found: _Found) -> tuple[Role, str]:
    n_present = len(found.array) - found.array.null_count
    if not n_present:
        return Role.IGNORED, "every value is missing"
    if found.n_distinct == 1:
        return Role.IGNORED, "the same value in every row that has one"
    is_unique = found.n_distinct > MIN_UNIQUE_SHARE * n_present
    is_unique = is_unique and n_present >= MIN_ROWS_FOR_IDENTIFIER
    if found.kind is Kind.TEXT and not (is_unique and _is_one_word(found.array)):
        return Role.FEATURE, ""
    if is_unique and pa.types.is_string(found.array.type):
        return Role.IGNORED, "nearly every row has its own value: an identifier"
    if is_unique and pa.types.is_integer(found.array.type) and _is_identifier(name, found):
        return Role.IGNORED, "whole numbers, nearly all different: an identifier"
    return Role.FEATURE, ""


def _is_one_word(array: pa.Array) -> bool:
    """Most cells hold no space: names and sentences share words, codes do not."""
    return bool((pc.mean(pc.match_substring(array, " ")).as_py() or 0) < 0.5)


def _is_identifier(name: str, found: _Found) -> bool:
    """A running number, or a name that says so; amounts and counts may be all different, too."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    if _ID_NAME.search(words):
        return True
    limits = pc.min_max(found.array).as_py()
    return bool(limits["max"] - limits["min"] + 1 <= 1.5 * found.n_distinct)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
