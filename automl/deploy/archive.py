"""A folder as a ZIP and back; names in a ZIP are never trusted."""

import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from automl.errors import BundleError

MAX_MEMBERS = 1_000
MAX_BYTES = 4_000_000_000
TOP = "bundle"
OLDEST = (1980, 1, 1, 0, 0, 0)  # one date for all, so that the same folder gives the same bytes
NOT_A_BUNDLE = "Give the folder bundle/ of a finished search, or its ZIP."


def pack_folder(folder: Path, target: Path) -> None:
    """Write all files of ``folder`` below ``bundle/`` in a ZIP, which appears whole or not at all."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with (
            os.fdopen(handle, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    _add(archive, path, f"{TOP}/{path.relative_to(folder).as_posix()}")
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, OLDEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
        shutil.copyfileobj(source, sink)


def unpack_archive(path: Path) -> tempfile.TemporaryDirectory[str]:
    """Unpack a bundle's ZIP into a temporary folder that the caller cleans up.

    Links, encrypted members, names that leave the folder, and more than 1,000 files or 4 GB are refused.
    """
    folder = tempfile.TemporaryDirectory(prefix="bundle-")
    try:
        with zipfile.ZipFile(path) as archive:
            left = MAX_BYTES
            for entry in _list_entries(archive):
                left -= _extract(archive, entry, Path(folder.name), left)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        folder.cleanup()
        raise BundleError(f"{path.name!r} is not a bundle: {error}.", hint=NOT_A_BUNDLE) from error
    except BaseException:
        folder.cleanup()
        raise
    return folder


def _list_entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_MEMBERS:
        raise BundleError(f"The ZIP holds {len(entries):,} files.", hint=NOT_A_BUNDLE)
    return entries


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, left: int) -> int:
    """Write one member below ``folder``, without the leading ``bundle/``; its bytes."""
    parts = PurePosixPath(entry.filename).parts
    kind = stat.S_IFMT(entry.external_attr >> 16)
    is_strange = (
        not parts
        or any(part in ("..", ".", "/") or ":" in part or "\\" in part for part in parts)
        or entry.filename.startswith("/")
        or kind not in (0, stat.S_IFREG)
        or entry.flag_bits & 0x1
    )
    target = folder.joinpath(*(parts[1:] if parts[:1] == (TOP,) else parts))
    if is_strange or target.exists() or target == folder:
        raise BundleError(
            f"The ZIP holds {entry.filename!r}, which no bundle holds.", hint=NOT_A_BUNDLE
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as source, target.open("xb") as sink:
        while chunk := source.read(1_000_000):
            written += len(chunk)
            if written > left:
                raise BundleError("The ZIP unpacks to more than 4 GB.", hint=NOT_A_BUNDLE)
            sink.write(chunk)
    return written
