"""Numbers written with a unit: ``12 kg``, ``$1,234``, ``45 %``."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.values import MIN_SHARE, ParsedNumbers, has_leading_zeros, parse_numbers

# a sign, a currency before the number or a short unit behind it; ``12-3`` and ``5:30`` are no measures
_MEASURE = (
    r"^(?P<sign>[+-]?)(?P<before>[€$£¥₹]?|[A-Z]{3} )\s*(?P<number>[\d.,]*\d[\d.,]*)\s*"
    r"(?P<after>[^\d\s.,;:+()\[\]/_-][^\s,;:()\[\]_]{0,9}|)$"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """What stands before and behind every number, as it is written."""

    before: str
    after: str

    def __str__(self) -> str:
        return self.before or self.after


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
    parts = pc.extract_regex(texts, _MEASURE)
    if len(texts) == 0 or parts.null_count == len(parts):
        return None
    before, after = (pc.fill_null(pc.struct_field(parts, name), "") for name in ("before", "after"))
    pair = pc.binary_join_element_wise(before, after, "\n")
    coded = pair.dictionary_encode()
    rows = np.bincount(coded.indices.to_numpy(), weights=counts, minlength=len(coded.dictionary))
    common = str(coded.dictionary[int(rows.argmax())])
    first, last = common.split("\n")
    unit = Unit(before=first.strip(), after=last)
    if not str(unit):
        return None
    number = pc.binary_join_element_wise(
        pc.struct_field(parts, "sign"), pc.struct_field(parts, "number"), ""
    )
    kept = pc.if_else(pc.equal(pair, common), pc.fill_null(number, ""), "")
    parsed = parse_numbers(kept, counts, decimal)
    share = float(counts[parsed.is_number].sum()) / max(int(counts.sum()), 1)
    return None if share < MIN_SHARE or has_leading_zeros(kept) else Measures(unit, parsed)
