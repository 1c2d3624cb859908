"""Parquet: the footer is judged before any row is read; only flat columns of plain types come in."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from automl.data.dataset import Note
from automl.data.file_kinds import require_columns
from automl.errors import DataError
from automl.settings import Settings

MAX_ROW_GROUPS = 100_000


def load_parquet(
    path: Path, name: str, settings: Settings
) -> tuple[list[str], list[pa.ChunkedArray], tuple[Note, ...]]:
    """Read a Parquet file; header, columns of int64, float64, bool, string or timestamp, and notes.

    Nested, binary and extension types, and sizes over the limits, are ``DataError``s.
    """
    try:
        with pq.ParquetFile(path) as file:
            _check_footer(file, name, settings)
            schema = file.schema_arrow
            keep = [i for i, field in enumerate(schema) if not field.name.startswith("__index_")]
            for index in keep:
                _check_type(schema.field(index), name)
            table = file.read(use_threads=False).select(keep)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{name!r} is a damaged Parquet file: {str(error).splitlines()[0][:200]}",
            hint="Write it again and upload it anew.",
        ) from error
    columns = [_plain(column) for column in table.columns]
    notes: tuple[Note, ...] = ()
    if len(keep) < len(schema):
        notes = (Note(code="index_dropped", text="The stored row index was left out."),)
    return list(table.schema.names), columns, notes


def _check_footer(file: pq.ParquetFile, name: str, settings: Settings) -> None:
    meta = file.metadata
    require_columns(meta.num_columns, name, settings)
    if meta.num_rows > settings.max_rows:
        raise DataError(
            f"{name!r} has {meta.num_rows:,} rows; the limit is {settings.max_rows:,}.",
            hint="Upload fewer rows, or raise FAIRLOOM_MAX_ROWS.",
        )
    if meta.num_row_groups > MAX_ROW_GROUPS:
        raise DataError(
            f"{name!r} has {meta.num_row_groups:,} row groups.", hint="Write it with fewer."
        )
    claimed = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    if claimed > settings.import_memory_bytes // 2:
        raise DataError(
            f"{name!r} unpacks to {claimed / 1e6:,.0f} MB, over the limit of "
            f"{settings.import_memory_bytes / 2e6:,.0f} MB.",
            hint="Upload fewer rows or columns.",
        )


def _check_type(field: pa.Field, name: str) -> None:
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_date(kind)
        or pa.types.is_null(kind)
    ):
        raise DataError(
            f"{name!r}: column {field.name!r} has the type {field.type}, which is not read.",
            hint="Leave it out, or store it as text, numbers or dates.",
        )


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_boolean(kind):
        return column
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            column = column.cast(pa.timestamp(kind.unit))  # the instant, as UTC
        return column.cast(pa.timestamp("us"), safe=False)
    if pa.types.is_uint64(kind) and (pc.max(column).as_py() or 0) > 2**63 - 1:
        return column.cast(pa.string())
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # through text, so that 0.1 is 0.1 as in a CSV and not 0.10000000149
        return column.cast(pa.float32()).cast(pa.string()).cast(pa.float64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    return column.cast(pa.string())
