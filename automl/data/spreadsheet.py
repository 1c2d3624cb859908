"""XLSX: a ZIP of XML, so the ZIP is judged first and the XML is read without entities or macros."""

import datetime as dt
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

import pyarrow as pa

from automl.data.dataset import Note
from automl.data.file_kinds import require_columns
from automl.data.values import format_number
from automl.errors import DataError, UnclearFile
from automl.settings import Settings

MAX_MEMBERS = 10_000
ERROR_CELLS = frozenset({"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"})


def load_workbook_table(
    path: Path, name: str, settings: Settings, *, sheet: str | None
) -> tuple[list[str], list[pa.ChunkedArray], tuple[Note, ...]]:
    """Read one sheet (the first, unless named); header, columns and notes.

    Formulas give their stored values; error cells (``#N/A`` …) are missing and counted. ZIP bombs,
    encrypted members and XML with entities are ``DataError``s.
    """
    _check_archive(path, name, settings)
    try:
        rows, notes = _read_rows(path, name, settings, sheet)
    except DataError:
        raise
    except Exception as error:  # openpyxl raises whatever its XML reader does: all mean a bad file
        raise DataError(
            f"{name!r} cannot be read as XLSX: {type(error).__name__} ({str(error)[:120]}).",
            hint="Save it again as .xlsx, or as CSV.",
        ) from error
    if not rows:
        raise UnclearFile(
            f"{name!r} is empty{f' in the sheet {sheet!r}' if sheet else ' in its first sheet'}.",
            hint="The first row must hold the names. If another sheet holds the table, name it.",
        )
    header = ["" if cell is None else _to_text(cell) for cell in rows[0]]
    columns, n_errors = _build_columns(rows[1:], len(header))
    if n_errors:
        text = f"{n_errors:,} cells hold a spreadsheet error such as #N/A; they are missing."
        notes = (*notes, Note(code="error_cells", text=text, level="warning"))
    return header, columns, notes


def _check_archive(path: Path, name: str, settings: Settings) -> None:
    try:
        with ZipFile(path) as archive:
            members = archive.infolist()
            unpacked = 0
            if len(members) > MAX_MEMBERS:
                raise DataError(
                    f"{name!r} holds {len(members):,} parts.", hint="Save only the sheet you need."
                )
            for member in members:
                if member.flag_bits & 1:
                    raise DataError(
                        f"{name!r} is protected by a password.", hint="Save it without one."
                    )
                with archive.open(member) as part:
                    while chunk := part.read(1 << 20):  # real bytes: sizes in a ZIP may lie
                        unpacked += len(chunk)
                        _check_size(unpacked, path, name, settings)
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(
            f"{name!r} is a damaged XLSX file.", hint="Save it again and upload it anew."
        ) from error


def _check_size(unpacked: int, path: Path, name: str, settings: Settings) -> None:
    packed = path.stat().st_size
    limit = min(settings.max_table_bytes, max(packed * settings.max_gzip_ratio, 10e6))
    if unpacked > limit:
        raise DataError(
            f"{name!r} unpacks to more than {limit / 1e6:,.0f} MB from {packed / 1e6:,.3f} MB, over "
            "the limit.",
            hint="Save the table as CSV or Parquet.",
        )


def _read_rows(
    path: Path, name: str, settings: Settings, sheet: str | None
) -> tuple[list[tuple[Any, ...]], tuple[Note, ...]]:
    import openpyxl  # 0.2 s that only a workbook needs

    if not openpyxl.DEFUSEDXML:
        raise DataError(
            "XLSX files cannot be read safely: the package defusedxml is absent.",
            hint="Install it, or save the table as CSV.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which are not read
        with path.open("rb") as file:  # by handle: openpyxl refuses uploads by their ".part"
            return _read_sheet(openpyxl, file, name, settings, sheet)


def _read_sheet(
    openpyxl: ModuleType, file: BinaryIO, name: str, settings: Settings, sheet: str | None
) -> tuple[list[tuple[Any, ...]], tuple[Note, ...]]:
    book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        titles = [page.title for page in book.worksheets]
        if not titles:
            raise DataError(f"{name!r} has no sheet with cells.", hint="Save the table as CSV.")
        if sheet is not None and sheet not in titles:
            raise UnclearFile(
                f"{name!r} has no sheet {sheet!r}.", hint=f"Choose one of {', '.join(titles)}."
            )
        chosen = sheet or titles[0]
        page = book[chosen]
        page.reset_dimensions()  # the stored dimensions may lie
        rows = list(_take_rows(page.iter_rows(values_only=True), name, settings))
    finally:
        book.close()
    others = [title for title in titles if title != chosen]
    text = f"Read from the sheet {chosen!r}."
    if others:
        text += f" Other sheets were left out: {', '.join(others)}."
    return rows, (Note(code="sheet", text=text),)


def _take_rows(
    cells: Iterator[tuple[Any, ...]], name: str, settings: Settings
) -> Iterator[tuple[Any, ...]]:
    """Rows from the first that holds anything, cut to the header's width; empty ones are left out."""
    width = 0
    for number, row in enumerate(cells, start=1):
        filled = len(row)
        while filled and row[filled - 1] is None:
            filled -= 1
        if not filled:
            continue
        if not width:
            width = filled
            require_columns(width, name, settings)
        elif filled > width:
            raise UnclearFile(
                f"{name!r} has {width} columns, but row {number:,} has {filled}.",
                hint="Give every column a name in the first row, or clear the extra cells.",
            )
        if number > settings.max_rows + 1:
            raise DataError(
                f"{name!r} has more than {settings.max_rows:,} rows.", hint="Upload fewer rows."
            )
        yield row[:width] + (None,) * (width - len(row))


def _build_columns(
    rows: Sequence[tuple[Any, ...]], n_columns: int
) -> tuple[list[pa.ChunkedArray], int]:
    columns, n_errors = [], 0
    for index in range(n_columns):
        cells = [row[index] for row in rows]
        errors = sum(1 for cell in cells if isinstance(cell, str) and cell in ERROR_CELLS)
        if errors:
            n_errors += errors
            cells = [None if isinstance(c, str) and c in ERROR_CELLS else c for c in cells]
        columns.append(pa.chunked_array([_build_column(cells)]))
    return columns, n_errors


def _build_column(cells: list[Any]) -> pa.Array:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {bool}:
        return pa.array(cells, pa.bool_())
    if kinds and kinds <= {int, float}:
        return pa.array([None if c is None else float(c) for c in cells], pa.float64())
    if kinds == {dt.datetime}:
        return pa.array(cells, pa.timestamp("us"))
    return pa.array([None if cell is None else _to_text(cell) for cell in cells], pa.string())


def _to_text(cell: object) -> str:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return format_number(cell)
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return str(cell)
