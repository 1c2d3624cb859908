"""A ZIP of pictures, judged by its directory before a single member is read; nothing is ever extracted.

A dangerous archive (names that leave it, links, nested archives, bombs, encryption) is refused whole.
"""

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from automl.data.images.members import LeftOut, Member, MemberError
from automl.errors import DataError
from automl.settings import Settings

MAX_RATIO = 100.0
SMALL_BYTES = 10_000_000  # short runs of equal bytes pack very well and harm nobody
MAX_MEMBER_BYTES = 200_000_000
UNPACKED_FACTOR = 4  # all members together may unpack to so many times the largest archive
_NESTED = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".jar", ".cab")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADER = struct.Struct("<4s6H3L5H2L")  # one entry of the central directory, without its name
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_LOCAL_BYTES = 30
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryScan:
    """What the central directory says: how many members, and whether it is an Office document."""

    n_members: int
    is_document: bool


def scan_directory(path: Path, name: str, settings: Settings) -> DirectoryScan:
    """Walk the central directory without building records; more members than allowed is a ``DataError``.

    A million entries would cost ``zipfile`` half a gigabyte; here the walk ends at the limit.
    """
    is_document = False
    count = 0
    try:
        with path.open("rb") as file:
            start, size, claimed = _find_directory(file)
            _require_count(claimed, name, settings)
            for member in _walk_directory(file, start, size):
                count += 1
                _require_count(count, name, settings)
                is_document = is_document or member == b"[Content_Types].xml"
    except (zipfile.BadZipFile, struct.error, OSError, ValueError) as error:
        raise _damaged(name, error) from error
    return DirectoryScan(n_members=count, is_document=is_document)


def _walk_directory(file: BinaryIO, start: int, size: int) -> Iterator[bytes]:
    """The raw names in the central directory."""
    file.seek(start)
    left = size
    while left > 0:
        fields = _HEADER.unpack(file.read(_HEADER.size))
        if fields[0] != b"PK\x01\x02":
            raise zipfile.BadZipFile("an entry of its directory is no entry")
        n_name, n_rest = fields[10], fields[11] + fields[12]
        yield file.read(n_name + n_rest)[:n_name]
        left -= _HEADER.size + n_name + n_rest


def _find_directory(file: BinaryIO) -> tuple[int, int, int]:
    """Offset and size of the central directory, and the number of entries it claims."""
    end = file.seek(0, 2)
    start = max(0, end - _END.size - 65_535)  # a comment may follow
    file.seek(start)
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0:
        raise zipfile.BadZipFile("its end is missing")
    fields = _END.unpack(tail[found : found + _END.size])
    claimed, size, stop = fields[4], fields[5], start + found
    if stop >= _LOCATOR_64.size:
        file.seek(stop - _LOCATOR_64.size)
        locator = _LOCATOR_64.unpack(file.read(_LOCATOR_64.size))
        if locator[0] == b"PK\x06\x07":
            stop -= _LOCATOR_64.size + _END_64.size
            file.seek(max(stop, 0))
            wide = _END_64.unpack(file.read(_END_64.size))
            claimed, size = wide[7], wide[8]
    if size > stop:
        raise zipfile.BadZipFile("its directory is larger than the file")
    return stop - size, size, claimed


def _require_count(count: int, name: str, settings: Settings) -> None:
    if count > settings.max_members:
        raise DataError(
            f"{name!r} holds at least {count:,} files; the limit is {settings.max_members:,}.",
            hint="Upload fewer pictures, or raise FAIRLOOM_MAX_MEMBERS.",
        )


def _damaged(name: str, error: Exception) -> DataError:
    why = f": {error}" if isinstance(error, zipfile.BadZipFile) else ""
    return DataError(
        f"{name!r} is a damaged or cut-off ZIP archive{why}.",
        hint="Pack it again and upload it anew.",
    )


class Archive:
    """The members of a ZIP that was found harmless, each read alone and only as long as it claims."""

    def __init__(self, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
        self._archive = archive
        self._entries = entries
        self.left_out: tuple[LeftOut, ...] = ()  # an archive with links is refused whole
        self.members = tuple(
            Member(path=_name_of(entry), size_bytes=entry.file_size, key=key)
            for key, entry in enumerate(entries)
        )

    @contextmanager
    def open(self, member: Member) -> Iterator[BinaryIO]:
        """The bytes of one member as a stream; what cannot be unpacked is a ``MemberError``."""
        try:
            opened = self._archive.open(self._entries[member.key])
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, struct.error) as error:
            # its own header differs from the directory: another name, other flags, no header at all
            raise MemberError("its packed bytes are damaged") from error
        try:
            with opened as stream:
                yield stream  # type: ignore[misc]  # a ZipExtFile reads and seeks like any file
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise MemberError("its packed bytes are damaged") from error

    def read(self, member: Member) -> bytes:
        """All bytes of one member, at most 200 MB; else a ``MemberError``."""
        if member.size_bytes > MAX_MEMBER_BYTES:
            raise MemberError(f"the file has {member.size_bytes / 1e6:,.0f} MB, over 200 MB")
        with self.open(member) as stream:
            return stream.read()


@contextmanager
def open_archive(path: Path, name: str, settings: Settings) -> Iterator[Archive]:
    """Open a ZIP and refuse it whole, with the reason, when any rule is broken."""
    size = path.stat().st_size
    if size > settings.max_archive_bytes:
        raise DataError(
            f"{name!r} has {size / 1e6:,.0f} MB; the limit is "
            f"{settings.max_archive_bytes / 1e6:,.0f} MB.",
            hint="Upload fewer or smaller pictures, or raise FAIRLOOM_MAX_ARCHIVE_BYTES.",
        )
    scan_directory(path, name, settings)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise _damaged(name, error) from error
    with archive:
        entries = archive.infolist()
        _check_names(entries, name)
        _check_sizes(entries, name, size, settings)
        yield Archive(archive, [entry for entry in entries if not entry.is_dir()])


def _check_names(entries: list[zipfile.ZipInfo], name: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        problem = _find_problem(entry)
        if problem:
            raise _refuse(name, entry, problem)
        key = _name_of(entry).rstrip("/").casefold()
        if key in seen:
            raise _refuse(name, entry, "the same name twice (upper and lower case are one)")
        seen.add(key)


def _find_problem(entry: zipfile.ZipInfo) -> str:
    """What makes a member dangerous by its record alone; empty for a harmless one."""
    return _find_name_problem(entry.orig_filename, _name_of(entry)) or _find_kind_problem(entry)


def _find_name_problem(raw: str, path: str) -> str:
    parts = path.rstrip("/").split("/")
    if "\0" in raw:
        return "a name with a NUL character"
    if "\\" in path:
        return "a name with a backslash"
    if path.startswith("/"):
        return "an absolute name"
    if len(parts[0]) >= 2 and parts[0][1] == ":":
        return "a name with a drive"
    if any(part in ("", ".", "..") for part in parts):
        return "a name that leaves its folder"
    if path.lower().endswith(_NESTED) and not path.startswith("__MACOSX/"):
        return "an archive inside the archive"
    return ""


def _find_kind_problem(entry: zipfile.ZipInfo) -> str:
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or a device instead of a file"
    if entry.flag_bits & 0x1:
        return "an encrypted file"
    if entry.compress_type not in _METHODS:
        return f"a file packed by method {entry.compress_type} (only stored and deflated are read)"
    return ""


def _check_sizes(
    entries: list[zipfile.ZipInfo], name: str, size_bytes: int, settings: Settings
) -> None:
    total, stop = 0, 0
    limit = UNPACKED_FACTOR * settings.max_archive_bytes
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.file_size > max(MAX_RATIO * entry.compress_size, SMALL_BYTES):
            raise _refuse(
                name, entry, f"{entry.file_size / 1e6:,.0f} MB packed more than 100 to 1, a bomb"
            )
        if entry.header_offset < stop or entry.header_offset >= size_bytes:
            raise _refuse(name, entry, "bytes that belong to another member too")
        stop = entry.header_offset + _LOCAL_BYTES + entry.compress_size
        total += entry.file_size
    if total > min(limit, max(MAX_RATIO * size_bytes, 10 * SMALL_BYTES)):
        raise DataError(
            f"{name!r} unpacks to {total / 1e6:,.0f} MB from {size_bytes / 1e6:,.0f} MB, over the "
            "limit.",
            hint="Upload fewer or smaller pictures.",
        )


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The name as NFC text; some packers write UTF-8 without saying so."""
    text = entry.filename
    if not entry.flag_bits & 0x800 and not text.isascii():
        try:
            text = text.encode("cp437").decode("utf-8")
        except UnicodeError:
            text = entry.filename
    return unicodedata.normalize("NFC", text)


def _refuse(name: str, entry: zipfile.ZipInfo, what: str) -> DataError:
    shown = entry.filename if len(entry.filename) <= 80 else entry.filename[:77] + "…"
    return DataError(
        f"{name!r} was refused: it holds {what}, {shown!r}.",
        hint="Pack only the folder with the pictures, without a password, and upload it again.",
    )
