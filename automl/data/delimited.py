"""CSV and TSV: encoding and delimiter found, every cell read as text, nothing dropped or shifted."""

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from automl.data.dataset import Note
from automl.data.file_kinds import READABLE, require_columns
from automl.errors import DataError, UnclearFile
from automl.settings import Settings

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "vertical bar"}
ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")
MAX_CELL_BYTES = 1_000_000
_CHUNK = 4 << 20
_CSV_LIMIT = 1 << 30  # cells are measured later, where their row is known
_SAMPLE_LINES = 200
_SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    delimiter: str
    header: list[str]
    n_skipped: int  # lines before the header: a `sep=` line


def load_delimited(
    path: Path, name: str, settings: Settings, *, delimiter: str | None, encoding: str | None
) -> tuple[list[str], list[pa.ChunkedArray], tuple[Note, ...]]:
    """Read a delimited text file; header, text columns and notes.

    Missing cells stay empty text. Ragged rows, an open quote, NUL bytes, cells over 1 MB and bytes that
    are not UTF-8 are ``DataError``s that name the row.
    """
    data, notes = _decode(path, name, encoding)
    layout = _find_layout(data, name, delimiter)
    require_columns(len(layout.header), name, settings)
    columns = _read_cells(data, name, layout)
    called = DELIMITERS.get(layout.delimiter, repr(layout.delimiter))
    text = f"Read as text separated by {called}, {len(layout.header)} columns."
    header_note = _note_numeric_header(layout.header)
    return layout.header, columns, (*notes, Note(code="delimiter", text=text), *header_note)


def _decode(path: Path, name: str, encoding: str | None) -> tuple[bytes, tuple[Note, ...]]:
    data = path.read_bytes()
    if encoding is not None and encoding not in ENCODINGS:
        raise DataError(
            f"The encoding {encoding!r} is not known.", hint=f"Use one of {', '.join(ENCODINGS)}."
        )
    if encoding is None and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if encoding not in (None, "utf-8"):
        try:
            data = data.decode(encoding).encode()
        except UnicodeDecodeError as error:
            raise UnclearFile(
                f"{name!r} is not {encoding} text: byte {error.start:,} cannot be read.",
                hint="Choose another encoding, or save it as UTF-8.",
            ) from error
        text = f"The text was read as {encoding}."
        return _check_text(data, name), (Note(code="encoding", text=text),)
    return _check_text(data.removeprefix(codecs.BOM_UTF8), name), ()


def _check_text(data: bytes, name: str) -> bytes:
    if not data.strip():
        raise DataError(f"{name!r} is empty.", hint="Choose a file with a header and rows.")
    nul = data.find(b"\0")
    if nul >= 0:
        raise DataError(
            f"{name!r} is not a table: byte {nul + 1:,} is NUL, as in binary files.", hint=READABLE
        )
    try:
        _decode_in_chunks(data)
    except UnicodeDecodeError:
        _refuse_bytes(data, name)
    if _looks_binary(data[: 64 << 10]):
        raise DataError(f"{name!r} is binary, not a table.", hint=READABLE)
    return data


def _decode_in_chunks(data: bytes) -> None:
    """Check that the bytes are UTF-8 without holding a second copy of a large file."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _CHUNK):
        decoder.decode(data[start : start + _CHUNK])
    decoder.decode(b"", final=True)


def _refuse_bytes(data: bytes, name: str) -> NoReturn:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if _looks_binary(data[: 64 << 10]):
            raise DataError(f"{name!r} is binary, not a table.", hint=READABLE) from error
        line = data.count(b"\n", 0, error.start) + 1
        start = max(error.start - 10, data.rfind(b"\n", 0, error.start) + 1)
        shown = data[start : error.start + 5].splitlines()[0].decode("latin-1")
        raise UnclearFile(
            f"{name!r} is not UTF-8: byte 0x{data[error.start]:02x} in line {line:,}, "
            f"near {shown!r}.",
            hint="Save it as UTF-8 (in Excel: CSV UTF-8), or choose its encoding, often cp1252.",
        ) from error
    raise DataError(f"{name!r} is not UTF-8.", hint="Save it as UTF-8.")


def _looks_binary(head: bytes) -> bool:
    """Many control characters: no text in any single-byte encoding has them."""
    values = np.frombuffer(head, dtype=np.uint8)
    controls = (values < 32) & ~np.isin(values, (9, 10, 12, 13, 27))
    return bool(controls.mean() > 0.02)


def _find_layout(data: bytes, name: str, delimiter: str | None) -> _Layout:
    text = _take_lines(data)
    n_skipped = 0
    first = text.split("\n", 1)[0].strip()
    if first.lower().startswith("sep=") and len(first) == 5:
        delimiter = delimiter or first[4]
        text = text.split("\n", 1)[1] if "\n" in text else ""
        n_skipped = 1
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise DataError(f"The delimiter {delimiter!r} cannot be used.", hint="Give one character.")
    chosen = delimiter or _vote(text, name)
    rows = _parse_sample(text, chosen)
    if not rows:
        raise DataError(f"{name!r} has no header.", hint="The first row must hold the names.")
    return _Layout(delimiter=chosen, header=rows[0], n_skipped=n_skipped)


def _take_lines(data: bytes) -> str:
    end = 0
    for _ in range(_SAMPLE_LINES):
        following = data.find(b"\n", end)
        if following < 0:
            end = len(data)
            break
        end = following + 1
    return data[:end].decode().replace("\r\n", "\n").replace("\r", "\n")


def _parse_sample(text: str, delimiter: str) -> list[list[str]]:
    previous = csv.field_size_limit(_CSV_LIMIT)
    try:
        reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
        # the sample may end inside a quoted cell: its last record is then not whole
        return [row for row in reader if row]
    except csv.Error as error:
        raise DataError(
            f"The first rows cannot be read: {error}.",
            hint="Look for a quote that is never closed.",
        ) from error
    finally:
        csv.field_size_limit(previous)


def _vote(text: str, name: str) -> str:
    """The delimiter whose rows agree best on a width above one; ties go to the wider table."""
    tab_first = name.lower().removesuffix(".gz").endswith((".tsv", ".tab"))
    best, best_rank = "\t" if tab_first else ",", (0.0, 0, False)
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in _parse_sample(text, delimiter))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        agreement = round(count / max(widths.total(), 1), 1)
        rank = (agreement, width, tab_first and delimiter == "\t")
        if width > 1 and rank > best_rank:
            best, best_rank = delimiter, rank
    return best


def _read_cells(data: bytes, name: str, layout: _Layout) -> list[pa.ChunkedArray]:
    names = [f"c{index}" for index in range(len(layout.header))]
    ragged: list[tuple[int, int, str]] = []

    def record(row: pa_csv.InvalidRow) -> str:
        ragged.append((row.number or 0, row.actual_columns, row.text))
        return "skip"

    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(
                column_names=names,
                skip_rows=layout.n_skipped,
                skip_rows_after_names=1,
                use_threads=False,
                block_size=min(max(len(data), 1 << 20), 64 << 20),
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=True, invalid_row_handler=record
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise UnclearFile(
            f"{name!r} cannot be read as text separated by {layout.delimiter!r}: {error}.",
            hint="Look for a quote that is never closed, or name the delimiter.",
        ) from error
    if data.count(b'"') % 2:
        _refuse_open_quote(table, name)
    if ragged:
        _refuse_ragged(ragged, name, len(names))
    _refuse_large_cells(table, name, layout.header)
    return list(table.columns)


def _refuse_open_quote(table: pa.Table, name: str) -> None:
    """An open quote swallows the rest of the file into the last row that was read."""
    if not table.num_rows:
        return
    last = table.slice(table.num_rows - 1).to_pylist()[0]
    if any("\n" in (cell or "") for cell in last.values()):
        raise DataError(
            f"{name!r}: a quote opened in row {table.num_rows + 1:,} is never closed.",
            hint='Close it, or double it ("") if it is part of the text. The header is row 1.',
        )


def _refuse_ragged(ragged: list[tuple[int, int, str]], name: str, n_columns: int) -> None:
    shown = "; ".join(
        f"row {number:,} has {count} ({text[:60]!r})" for number, count, text in ragged[:_SHOWN]
    )
    more = f" and {len(ragged) - _SHOWN:,} more" if len(ragged) > _SHOWN else ""
    rows = "row differs" if len(ragged) == 1 else "rows differ"
    raise UnclearFile(
        f"{name!r} has {n_columns} columns, but {len(ragged):,} {rows}: {shown}{more}.",
        hint="Rows are counted from the top of the file. Put quotes around cells that hold the delimiter, or name another "
        "delimiter.",
    )


def _refuse_large_cells(table: pa.Table, name: str, header: list[str]) -> None:
    for title, column in zip(header, table.columns, strict=True):
        lengths = pc.binary_length(column)
        if (pc.max(lengths).as_py() or 0) > MAX_CELL_BYTES:
            row = int(np.argmax(lengths.to_numpy())) + 2
            raise DataError(
                f"{name!r}: the cell in row {row:,} of {title!r} is over 1 MB.",
                hint="Shorten it, or look for a quote that is never closed.",
            )


def _note_numeric_header(header: list[str]) -> tuple[Note, ...]:
    cells = [cell.strip() for cell in header]
    if not cells or not all(cell.replace(".", "", 1).lstrip("+-").isdigit() for cell in cells):
        return ()
    text = (
        f"Every name in the first row is a number ({', '.join(cells[:3])} …). If the file has no "
        "header, add one: the first row is not counted as data."
    )
    return (Note(code="numeric_header", text=text, level="warning"),)
