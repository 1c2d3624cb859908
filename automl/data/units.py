"""Numbers written with a unit: ``12 kg``, ``$1,234``, ``45 %``."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.dataset import Unit
from automl.data.values import MIN_SHARE, ParsedNumbers, has_leading_zeros, parse_numbers

# a sign, a currency before the number or a short unit behind it; ``12-3`` and ``5:30`` are no measures
_MEASURE = (
    r"^(?P<sign>[+-]?)(?P<before>[€$£¥₹]?|[A-Z]{3} )\s*(?P<number>[\d.,]*\d[\d.,]*)\s*"
    r"(?P<after>[^\d\s.,;:+()\[\]/_-][^\s,;:()\[\]_]{0,9}|)$"
)
_NO_UNIT = "\n"
# ``days`` and ``day`` are one unit, ``ms`` and ``m`` are two
_PLURAL = r"(\n)(\pL{2,})s$"


class Measures(NamedTuple):
    """Distinct texts as numbers, and their common unit."""

    unit: Unit
    parsed: ParsedNumbers


def parse_measures(
    texts: pa.Array, counts: NDArray[np.int64], decimal: str | None = None
) -> Measures | None:
    """Numbers of which at least 95 % of the rows share one unit; None where there is no such unit.

    A cell with another unit, or with none, is no number: nothing is converted.
    """
    parts = _split(texts)
    if len(texts) == 0 or parts.singular.null_count == len(texts):
        return None
    common = _find_most(parts.singular, counts)
    is_common = pc.fill_null(pc.equal(parts.singular, common), False)  # noqa: FBT003
    first, last = _find_most(pc.if_else(is_common, parts.written, None), counts).split("\n")
    unit = Unit(before=first, after=last)
    if not str(unit):
        return None
    kept = pc.if_else(is_common, parts.number, "")
    parsed = parse_numbers(kept, counts, decimal)
    share = float(counts[parsed.is_number].sum()) / max(int(counts.sum()), 1)
    return None if share < MIN_SHARE or has_leading_zeros(kept) else Measures(unit, parsed)


def parse_by_unit(
    texts: pa.Array, counts: NDArray[np.int64], unit: Unit | None
) -> tuple[ParsedNumbers, NDArray[np.bool_]]:
    """Plain numbers and those with ``unit``, cell by cell, and which texts are numbers with another unit.

    However few the cells are, none is read by what the others hold but the way in which numbers are written.
    """
    parts = _split(texts)
    known = _get_singular(pa.array([f"{unit.before}\n{unit.after}" if unit else _NO_UNIT]))[0]
    is_known = pc.fill_null(pc.equal(parts.singular, known), True)  # noqa: FBT003
    is_other = pc.and_not(pc.not_equal(pc.fill_null(parts.written, _NO_UNIT), _NO_UNIT), is_known)
    number = pc.if_else(is_known, pc.coalesce(parts.number, texts), texts)
    parsed = parse_numbers(number, counts)
    return parsed, is_other.to_numpy(zero_copy_only=False) & ~parsed.is_number


class _Parts(NamedTuple):
    """Per text its number, and its unit as written and in the singular; null where it is no measure."""

    number: pa.Array
    written: pa.Array
    singular: pa.Array


def _split(texts: pa.Array) -> _Parts:
    parts = pc.extract_regex(texts, _MEASURE)
    before = pc.utf8_trim_whitespace(pc.struct_field(parts, "before"))
    written = pc.binary_join_element_wise(before, pc.struct_field(parts, "after"), "\n")
    number = pc.binary_join_element_wise(
        pc.struct_field(parts, "sign"), pc.struct_field(parts, "number"), ""
    )
    return _Parts(number, written, _get_singular(written))


def _get_singular(written: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(written, _PLURAL, r"\1\2")


def _find_most(texts: pa.Array, counts: NDArray[np.int64]) -> str:
    """The text of the most rows; null is none."""
    coded = texts.dictionary_encode()
    present = np.asarray(coded.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    codes = coded.indices.drop_null().to_numpy()
    rows = np.bincount(codes, weights=counts[present], minlength=len(coded.dictionary))
    return str(coded.dictionary[int(rows.argmax())])
