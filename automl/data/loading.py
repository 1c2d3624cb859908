"""Any readable file into one raw table: text cells or typed columns, and what was noticed on the way."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from automl.data.columnar import load_parquet
from automl.data.dataset import Note
from automl.data.delimited import load_delimited
from automl.data.file_kinds import FileKind, detect_kind, is_gzip, unpack_gzip
from automl.data.headers import build_names
from automl.data.spreadsheet import load_workbook_table
from automl.errors import DataError
from automl.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadOptions:
    """What a person may fix about a file; None means: find out.

    ``encoding`` is ``utf-8``, ``utf-16``, ``cp1252`` or ``latin-1``.
    """

    delimiter: str | None = None
    decimal: str | None = None
    sheet: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RawTable:
    """A table as it stood in the file: text columns (CSV) or typed ones, with usable unique names."""

    table: pa.Table
    notes: tuple[Note, ...]
    kind: FileKind


def load_raw(
    path: Path, name: str, settings: Settings, options: LoadOptions | None = None
) -> RawTable:
    """Read a CSV, TSV, Parquet or XLSX file (text also gzipped) of at most the set sizes.

    ``name`` is what the person called it; it only appears in messages and must not contradict the
    content. Everything that cannot be read is a ``DataError``. Run it in a limited child for uploads.
    """
    options = options or LoadOptions()
    if path.is_dir():
        raise DataError(f"{name!r} is a folder, not a table.", hint="Name a file in it.")
    if not path.is_file():
        raise DataError(f"There is no file {name!r}.", hint="Check the name and the folder.")
    size = path.stat().st_size
    if size > settings.max_table_bytes:
        raise DataError(
            f"{name!r} has {size / 1e6:,.1f} MB; the limit is "
            f"{settings.max_table_bytes / 1e6:,.1f} MB.",
            hint="Upload fewer rows or columns, pack it as Parquet, or raise "
            "FAIRLOOM_MAX_TABLE_BYTES.",
        )
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        if size and is_gzip(path):
            path = unpack_gzip(path, name, Path(folder), settings)
        kind, notes = detect_kind(path, name)
        raw = _load_kind(kind, path, name, settings, options)
    return _finish(raw, name, kind, notes, settings)


def _load_kind(
    kind: FileKind, path: Path, name: str, settings: Settings, options: LoadOptions
) -> tuple[list[str], list[pa.ChunkedArray], tuple[Note, ...]]:
    if kind is FileKind.PARQUET:
        return load_parquet(path, name, settings)
    if kind is FileKind.XLSX:
        return load_workbook_table(path, name, settings, sheet=options.sheet)
    return load_delimited(
        path, name, settings, delimiter=options.delimiter, encoding=options.encoding
    )


def _finish(
    raw: tuple[list[str], list[pa.ChunkedArray], tuple[Note, ...]],
    name: str,
    kind: FileKind,
    notes: tuple[Note, ...],
    settings: Settings,
) -> RawTable:
    header, columns, found = raw
    names, renamed = build_names(header)
    table = pa.table(columns, names=list(names))
    if table.num_rows == 0:
        raise DataError(
            f"{name!r} has a header ({len(names)} columns) but no rows.",
            hint="Choose a file with at least one row under the header.",
        )
    if table.num_rows > settings.max_rows:
        raise DataError(
            f"{name!r} has {table.num_rows:,} rows; the limit is {settings.max_rows:,}.",
            hint="Upload fewer rows, or raise FAIRLOOM_MAX_ROWS.",
        )
    return RawTable(table=table, notes=(*notes, *found, *renamed), kind=kind)
