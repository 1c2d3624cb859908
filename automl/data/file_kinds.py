"""What a file is, told by its first bytes; the name only has to agree."""

import gzip
import zlib
from enum import StrEnum
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from automl.data.dataset import Note
from automl.errors import DataError
from automl.settings import Settings

READABLE = "Upload a CSV, TSV, Parquet or XLSX file (CSV and TSV also as .gz)."
PICTURES = "Pack pictures into a ZIP with one folder per class, and upload that."
_CHUNK = 1 << 20


class FileKind(StrEnum):
    """The kinds of file a table is read from."""

    TEXT = "text"
    PARQUET = "Parquet"
    XLSX = "XLSX"


_REFUSED = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel file (.xls) or one with a password",
        "Save it as .xlsx without a password, or as CSV.",
    ),
    (b"ARROW1", "an Arrow or Feather file", "Save it as Parquet."),
    (b"FEA1", "a Feather file", "Save it as Parquet."),
    (b"%PDF", "a PDF", READABLE),
    (b"\x89PNG", "a PNG picture", PICTURES),
    (b"\xff\xd8\xff", "a JPEG picture", PICTURES),
    (b"GIF8", "a GIF picture", PICTURES),
    (b"SQLite format 3", "a SQLite database", "Export the table as CSV."),
    (b"BZh", "a bzip2 archive", "Unpack it, or pack it with gzip."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it, or pack it with gzip."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it, or pack it with gzip."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it; pack pictures as a ZIP."),
    (b"Rar!", "a RAR archive", "Unpack it; pack pictures as a ZIP."),
    (b"\x7fELF", "a program", READABLE),
    (b"MZ\x90\x00", "a program", READABLE),
    (
        b"\x80\x02",
        "a Python pickle",
        "Pickles can run code and are never opened. Save it as Parquet.",
    ),
    (
        b"\x80\x03",
        "a Python pickle",
        "Pickles can run code and are never opened. Save it as Parquet.",
    ),
    (
        b"\x80\x04",
        "a Python pickle",
        "Pickles can run code and are never opened. Save it as Parquet.",
    ),
    (
        b"\x80\x05",
        "a Python pickle",
        "Pickles can run code and are never opened. Save it as Parquet.",
    ),
)
_NAMES = {
    FileKind.TEXT: (".csv", ".tsv", ".txt", ".tab", ".data", ".dat", ".test", ".part", ""),
    FileKind.PARQUET: (".parquet", ".pq", ".part", ""),
    FileKind.XLSX: (".xlsx", ".part", ""),
}
_KNOWN = frozenset(suffix for names in _NAMES.values() for suffix in names)


def detect_kind(path: Path, name: str) -> tuple[FileKind, tuple[Note, ...]]:
    """Tell the kind of an unpacked file by its content; what is not a table is a ``DataError``.

    A name of another kind that could be a table is only noted, since the content decides. A name of a
    kind that is never read (``.json``, ``.pkl`` …) is refused whatever the content.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise DataError(f"{name!r} is empty.", hint="Choose a file with a header and rows.")
    kind = _detect_by_content(path, name, head)
    suffix = _find_suffix(name)
    if suffix in _NAMES[kind]:
        return kind, ()
    if suffix == ".zip":
        raise DataError(
            f"{name!r} is no ZIP archive, although its name ends in '.zip'.",
            hint="Pack it again and upload it anew.",
        )
    if suffix not in _KNOWN:
        raise DataError(f"{name!r}: files ending in {suffix!r} are not read.", hint=READABLE)
    content = "text (CSV or TSV)" if kind is FileKind.TEXT else str(kind)
    text = f"{name!r} ends in {suffix!r}, but its content is {content}; it was read as that."
    return kind, (Note(code="wrong_extension", text=text, level="warning"),)


def _detect_by_content(path: Path, name: str, head: bytes) -> FileKind:
    for magic, what, hint in _REFUSED:
        if head.startswith(magic):
            raise DataError(f"{name!r} is {what}, which is not read as a table.", hint=hint)
    if head.startswith(b"PAR1"):
        return FileKind.PARQUET
    if head.startswith(b"PK"):
        return _check_workbook(path, name)
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
        raise DataError(f"{name!r} is a web page or XML, not a table.", hint=READABLE)
    return FileKind.TEXT


def _check_workbook(path: Path, name: str) -> FileKind:
    try:
        with ZipFile(path) as archive:
            members = set(archive.namelist())
    except (BadZipFile, OSError, ValueError) as error:
        raise DataError(
            f"{name!r} is a damaged ZIP or XLSX file.", hint="Save it again and upload it anew."
        ) from error
    if "[Content_Types].xml" not in members or not any(m.startswith("xl/") for m in members):
        raise DataError(
            f"{name!r} is a ZIP archive, not a table.",
            hint="Unpack it and upload the table inside.",
        )
    if any(member.lower().endswith("vbaproject.bin") for member in members):
        raise DataError(
            f"{name!r} is a workbook with macros.",
            hint="Save it as .xlsx without macros, or as CSV.",
        )
    if "xl/workbook.xml" not in members:
        raise DataError(f"{name!r} is a workbook of another kind.", hint="Save it as .xlsx or CSV.")
    return FileKind.XLSX


def _find_suffix(name: str) -> str:
    plain = PurePosixPath(name.lower())
    return (plain.with_suffix("") if plain.suffix == ".gz" else plain).suffix


def is_gzip(path: Path) -> bool:
    """True for a file that starts like a gzip stream."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def unpack_gzip(path: Path, name: str, scratch: Path, settings: Settings) -> Path:
    """Unpack into ``scratch``, counting real bytes; bombs and torn files are a ``DataError``."""
    target = scratch / "unpacked"
    packed = path.stat().st_size
    # a short run of equal bytes packs very well and harms nobody: the ratio counts from 10 MB on
    limit = min(settings.max_table_bytes, max(packed * settings.max_gzip_ratio, 10e6))
    size = 0
    try:
        with gzip.open(path, "rb") as source, target.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise DataError(
                        f"{name!r} unpacks to more than {limit / 1e6:,.0f} MB from "
                        f"{packed / 1e6:,.3f} MB, over the limit.",
                        hint="Upload the unpacked file, or a smaller part of it.",
                    )
                sink.write(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{name!r} is a damaged or cut-off gzip file.", hint="Pack it again and upload it anew."
        ) from error
    return target


def require_columns(n_columns: int, name: str, settings: Settings) -> None:
    """Raise ``DataError`` when a file has more columns than the limit."""
    if n_columns > settings.max_columns:
        raise DataError(
            f"{name!r} has {n_columns:,} columns; the limit is {settings.max_columns:,}.",
            hint="Leave out columns, or raise FAIRLOOM_MAX_COLUMNS.",
        )
