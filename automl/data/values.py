"""Text into numbers, dates and labels: the one place that knows how cells are written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.dataset import MISSING_MARKERS

NumberForm = Literal["plain", "thousands", "comma"]

MIN_SHARE = 0.95  # of the non-missing cells must parse for a column to be of a kind
MAX_DIGITS = 15  # more do not survive a float64

_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?$"
_COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d*)?([eE][+-]?\d+)?$"
_INFINITE = r"^[+-]?(?i:inf|infinity)$"
_LEADING_ZERO = r"^[+-]?0\d+$"
_LONG = r"^[+-]?\d{16,}$"
_ISO = r"^\d{4}[-/]\d{2}[-/]\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?Z?$"
_SHORT_DATE = r"^(?P<a>\d{1,2})[./-](?P<b>\d{1,2})[./-](?P<year>\d{4})$"
TRUE_TEXTS = ("true",)
FALSE_TEXTS = ("false",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Coded:
    """A text column by its distinct values.

    ``codes``: int32 ``(n,)`` into ``texts``, −1 for missing; ``counts``: rows per value; ``markers``: how
    often each non-empty missing marker stood there.
    """

    codes: NDArray[np.int32]
    texts: pa.Array
    counts: NDArray[np.int64]
    markers: dict[str, int]

    @property
    def n_present(self) -> int:
        return int(self.counts.sum())

    def find_row(self, value: int) -> int:
        """The first row, from 1, that holds the value of that code."""
        return int(np.argmax(self.codes == value)) + 1


def code_text(column: pa.ChunkedArray | pa.Array) -> Coded:
    """Trim the cells, tell missing markers from values, and number what is left in order of appearance."""
    encoded = _combine(column).dictionary_encode()
    trimmed = pc.utf8_trim_whitespace(encoded.dictionary.cast(pa.string())).dictionary_encode()
    codes = np.full(len(encoded), -1, dtype=np.int32)
    valid = _to_mask(encoded.indices.is_valid())
    merged = trimmed.indices.to_numpy(zero_copy_only=False)
    codes[valid] = merged[encoded.indices.drop_null().to_numpy(zero_copy_only=False)]

    texts = trimmed.dictionary
    counts = np.bincount(codes[codes >= 0], minlength=len(texts)).astype(np.int64)
    missing = _to_mask(pc.is_in(texts, value_set=pa.array(MISSING_MARKERS)))
    markers = {
        str(text): int(count)
        for text, count in zip(texts.filter(pa.array(missing)), counts[missing], strict=True)
        if str(text)
    }
    renumber = np.where(missing, -1, np.cumsum(~missing) - 1).astype(np.int32)
    codes = np.where(codes >= 0, renumber[codes], -1).astype(np.int32) if len(texts) else codes
    return Coded(
        codes=codes,
        texts=texts.filter(pa.array(~missing)),
        counts=counts[~missing],
        markers=markers,
    )


def _combine(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _to_mask(array: pa.Array) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = array.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
    return mask


def _matches(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    return _to_mask(pc.match_substring_regex(texts, pattern))


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedNumbers:
    """Distinct texts as float64, NaN where ``is_number`` is false; ``form`` says how they were written."""

    numbers: NDArray[np.float64]
    is_number: NDArray[np.bool_]
    form: NumberForm


def parse_numbers(
    texts: pa.Array, counts: NDArray[np.int64], decimal: str | None = None
) -> ParsedNumbers:
    """Read distinct texts as numbers in the way of writing that most rows follow.

    ``decimal`` "," or "." fixes the decimal mark; without it a decimal point is tried first, then commas
    between thousands, then a decimal comma. Infinity counts as a number here.
    """
    infinite = _matches(texts, _INFINITE)
    patterns: dict[NumberForm, str] = {"plain": _PLAIN, "thousands": _THOUSANDS, "comma": _COMMA}
    if decimal is not None:
        forms: tuple[NumberForm, ...] = ("comma",) if decimal == "," else ("plain", "thousands")
    else:
        forms = ("plain", "thousands", "comma")
    total = max(int(counts.sum()), 1)
    best, best_mask, best_share = forms[0], infinite, -1.0
    for form in forms:
        mask = _matches(texts, patterns[form]) | infinite
        share = float(counts[mask].sum()) / total
        if share > best_share:
            best, best_mask, best_share = form, mask, share
        if share >= MIN_SHARE:
            break
    return ParsedNumbers(
        numbers=_cast_numbers(texts, best_mask, best), is_number=best_mask, form=best
    )


def _cast_numbers(
    texts: pa.Array, mask: NDArray[np.bool_], form: NumberForm
) -> NDArray[np.float64]:
    kept = pc.if_else(pa.array(mask), texts, pa.scalar(None, pa.string()))
    if form == "thousands":
        kept = pc.replace_substring(kept, ",", "")
    elif form == "comma":
        kept = pc.replace_substring(pc.replace_substring(kept, ".", ""), ",", ".")
    values: NDArray[np.float64] = pc.cast(kept, pa.float64()).to_numpy(zero_copy_only=False)
    return values.astype(np.float64)


def has_leading_zeros(texts: pa.Array) -> bool:
    """True when a value like ``007`` would lose its zeros as a number."""
    return bool(_matches(texts, _LEADING_ZERO).any())


def has_long_numbers(texts: pa.Array) -> bool:
    """True when a whole number has more digits than a float64 keeps."""
    return bool(_matches(texts, _LONG).any())


def parse_booleans(texts: pa.Array) -> NDArray[np.bool_] | None:
    """True and false for distinct texts that say so, whatever the case; None when any says otherwise."""
    lowered = pc.utf8_lower(texts)
    is_true = _to_mask(pc.is_in(lowered, value_set=pa.array(TRUE_TEXTS)))
    is_false = _to_mask(pc.is_in(lowered, value_set=pa.array(FALSE_TEXTS)))
    return is_true if len(texts) and (is_true | is_false).all() else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedDates:
    """Distinct texts as timestamps in microseconds (null where they are none) and how they were read."""

    stamps: pa.Array
    form: str

    @property
    def is_date(self) -> NDArray[np.bool_]:
        return _to_mask(self.stamps.is_valid())


def parse_dates(texts: pa.Array, counts: NDArray[np.int64]) -> ParsedDates:
    """Read distinct texts as ISO dates, or as day and month with a four-digit year.

    With slashes or dashes a first number above 12 anywhere means day first, otherwise month first; dots
    mean day first. Days that do not exist are no dates.
    """
    iso = _matches(texts, _ISO)
    short = _matches(texts, _SHORT_DATE)
    if counts[iso].sum() >= counts[short].sum():
        return ParsedDates(stamps=_parse_iso(texts, iso), form="year-month-day")
    parts = pc.extract_regex(texts, _SHORT_DATE)
    first, second, year = (pc.struct_field(parts, name) for name in ("a", "b", "year"))
    above = _to_mask(pc.greater(pc.cast(first, pa.int64()), 12))
    dotted = _matches(texts, r"^\d{1,2}\.")
    day_first = bool(above.any() or dotted.any())
    day, month = (first, second) if day_first else (second, first)
    joined = pc.binary_join_element_wise(
        year, pc.utf8_lpad(month, 2, padding="0"), pc.utf8_lpad(day, 2, padding="0"), "-"
    )
    form = "day, month, year" if day_first else "month, day, year"
    return ParsedDates(stamps=_parse_iso(joined, short), form=form)


def _parse_iso(texts: pa.Array, mask: NDArray[np.bool_]) -> pa.Array:
    kept = pc.if_else(pa.array(mask), texts, pa.scalar(None, pa.string()))
    plain = pc.replace_substring(pc.utf8_rtrim(kept, characters="Z"), "/", "-")
    date = pc.utf8_slice_codeunits(plain, 0, 10)
    clock = pc.utf8_slice_codeunits(plain, 11, 19)
    length = pc.fill_null(pc.utf8_length(clock), 0)
    clock = pc.if_else(pc.equal(length, 0), "00:00:00", clock)
    clock = pc.if_else(pc.equal(length, 5), pc.binary_join_element_wise(clock, "00", ":"), clock)
    stamp = pc.binary_join_element_wise(date, clock, " ")
    parsed = pc.strptime(stamp, format="%Y-%m-%d %H:%M:%S", unit="us", error_is_null=True)
    # strptime turns 30 February into 2 March; a day that does not survive the way back is no date
    exists = pc.fill_null(pc.equal(pc.strftime(parsed, format="%Y-%m-%d"), date), False)  # noqa: FBT003
    parsed = pc.if_else(exists, parsed, pa.scalar(None, pa.timestamp("us")))
    fraction = pc.utf8_rpad(pc.utf8_slice_codeunits(plain, 20, 26), 6, padding="0")
    extra = pc.fill_null(pc.cast(fraction, pa.int64()), 0)
    return pc.cast(pc.add(pc.cast(parsed, pa.int64()), extra), pa.timestamp("us"))


def format_number(value: float) -> str:
    """A number as a label: whole ones without a point, others in their shortest form."""
    return (
        str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    )


def is_same_number(label: str, wanted: str) -> bool:
    """True for ``1`` and ``1.0``; text is no number."""
    try:
        return float(label) == float(wanted)
    except ValueError:
        return False


def sort_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels in the order of ``Task.classes``: by value when all are numbers, else as text."""
    distinct = set(labels)
    try:
        return tuple(sorted(distinct, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(distinct))
