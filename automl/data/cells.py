"""Columns of any frame as numbers, dates or labels, whether they were typed before or are text."""

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.dataset import Unit
from automl.data.units import parse_by_unit, parse_measures
from automl.data.values import (
    MIN_SHARE,
    Coded,
    code_text,
    format_number,
    parse_booleans,
    parse_dates,
    parse_numbers,
)

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


def cells_to_numbers(series: "pd.Series[Any]") -> Floats:
    """float64 ``(n,)``, NaN where there is no number; infinite values stay infinite.

    Text is read as at import, a common unit left off; dates become days since 1970-01-01, true and false 1 and 0.
    """
    kind = series.dtype.kind
    if kind in "iufb":
        return cast("Floats", series.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "M":
        return cells_to_days(series)
    array = _to_arrow(series)
    if not pa.types.is_string(array.type):
        return np.asarray(
            array.cast(pa.int8() if pa.types.is_boolean(array.type) else array.type)
            .cast(pa.float64(), safe=False)
            .to_numpy(zero_copy_only=False),
            dtype=np.float64,
        )
    coded = code_text(array)
    return np.append(_parse_texts(coded), np.nan)[coded.codes]


def _parse_texts(coded: Coded) -> Floats:
    booleans = parse_booleans(coded.texts)
    if booleans is not None:
        return booleans.astype(np.float64)
    numbers = parse_numbers(coded.texts, coded.counts)
    if coded.counts[numbers.is_number].sum() < MIN_SHARE * coded.n_present:
        measures = parse_measures(coded.texts, coded.counts)
        return numbers.numbers if measures is None else measures.parsed.numbers
    return numbers.numbers


def find_unit(series: "pd.Series[Any]") -> Unit | None:
    """The unit that ``cells_to_numbers`` leaves off; None where there is none."""
    if not is_text_column(series):
        return None
    coded = code_text(_to_arrow(series))
    measures = parse_measures(coded.texts, coded.counts)
    return None if measures is None else measures.unit


def cells_by_unit(series: "pd.Series[Any]", unit: Unit | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Text as float64 ``(n,)``, NaN where there is neither a plain number nor one with ``unit``.

    Also ``(n,)`` true where a number has another unit. True and false are 1 and 0 where a column holds nothing else.
    """
    coded = code_text(_to_arrow(series))
    booleans = parse_booleans(coded.texts)
    if booleans is not None:
        return np.append(booleans, np.nan)[coded.codes], np.zeros(len(series), dtype=bool)
    parsed, is_other = parse_by_unit(coded.texts, coded.counts, unit)
    return np.append(parsed.numbers, np.nan)[coded.codes], np.append(is_other, [False])[coded.codes]


def cells_to_days(series: "pd.Series[Any]") -> Floats:
    """float64 ``(n,)`` days since 1970-01-01 with the time as fraction, NaN where there is no date."""
    if series.dtype.kind == "M":
        array = pa.array(series, from_pandas=True)
        stamps = pc.cast(array, pa.timestamp("us"), safe=False)
    else:
        coded = code_text(_to_arrow(series).cast(pa.string()))
        dates = parse_dates(coded.texts, coded.counts).stamps
        stamps = dates.take(pa.array(coded.codes, mask=coded.codes < 0))
    micros = pc.cast(pc.cast(stamps, pa.int64()), pa.float64(), safe=False)
    return np.asarray(micros.to_numpy(zero_copy_only=False) / 86_400e6, dtype=np.float64)


def cells_to_labels(
    series: "pd.Series[Any]", *, as_numbers: bool = False
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Codes ``(n,)`` into labels, −1 for missing; whole numbers without a point, 1 and 0 for booleans.

    ``as_numbers`` reads text as numbers first, so that ``1``, ``1.0`` and ``01`` are one label.
    """
    if as_numbers or series.dtype.kind in "iufb":
        return _label_numbers(cells_to_numbers(series))
    array = _to_arrow(series)
    if pa.types.is_boolean(array.type):
        return _label_numbers(cells_to_numbers(series))
    coded = code_text(array.cast(pa.string()))
    return coded.codes, tuple(coded.texts.to_pylist())


def is_number_column(series: "pd.Series[Any]") -> bool:
    """True when a column is stored as numbers or booleans, so that its labels are those of numbers."""
    return series.dtype.kind in "iufb" or pa.types.is_boolean(_to_arrow(series.head(0)).type)


def is_text_column(series: "pd.Series[Any]") -> bool:
    """True when the cells, or some of them, are text."""
    return series.dtype.kind not in "iufbM" and pa.types.is_string(_to_arrow(series).type)


def _label_numbers(values: Floats) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    distinct, inverse = np.unique(values, return_inverse=True)  # NaN comes last, once
    labels = tuple(format_number(value) for value in distinct if not np.isnan(value))
    codes = inverse.reshape(-1).astype(np.int32)
    return np.where(codes < len(labels), codes, -1).astype(np.int32), labels


def _to_arrow(series: "pd.Series[Any]") -> pa.Array:
    """Text, or the type the values have; objects of mixed types become text."""
    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        import pandas as pd

        texts = [None if pd.isna(value) else str(value) for value in series]
        return pa.array(texts, pa.string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    return array
