"""A folder of pictures on the server: only below what the administrator allowed, no link is followed."""

import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from automl.data.images.archive import MAX_MEMBER_BYTES
from automl.data.images.members import LeftOut, Member, MemberError
from automl.errors import DataError
from automl.settings import Settings


def require_allowed(folder: Path, settings: Settings) -> Path:
    """The resolved folder; a ``DataError`` unless it lies in one of ``settings.image_folders``."""
    resolved = folder.resolve()
    roots = [root.resolve() for root in settings.image_folders]
    if not any(resolved.is_relative_to(root) for root in roots):
        allowed = ", ".join(map(str, roots)) or "none"
        raise DataError(
            f"The folder {str(folder)!r} may not be read; allowed are: {allowed}.",
            hint="Upload a ZIP, or let the administrator add it to FAIRLOOM_IMAGE_FOLDERS.",
        )
    return resolved


class Folder:
    """The regular files below a folder; links, devices and unreadable folders stand in ``left_out``."""

    def __init__(self, root: Path, name: str, settings: Settings) -> None:
        self._paths: list[Path] = []
        found: list[Member] = []
        left_out: list[LeftOut] = []
        for path, relative, reason, size in _walk(root, ""):
            if reason:
                left_out.append(LeftOut(path=relative, reason=reason))
                continue
            if len(found) >= settings.max_members:
                raise DataError(
                    f"{name!r} holds more than {settings.max_members:,} files.",
                    hint="Choose a smaller folder, or raise FAIRLOOM_MAX_MEMBERS.",
                )
            found.append(Member(path=relative, size_bytes=size, key=len(self._paths)))
            self._paths.append(path)
        self.members = tuple(found)
        self.left_out = tuple(left_out)

    @contextmanager
    def open(self, member: Member) -> Iterator[BinaryIO]:
        """One file as a stream; a ``MemberError`` when it is gone or has become a link."""
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            descriptor = os.open(self._paths[member.key], flags)
        except OSError as error:
            raise MemberError(f"it cannot be read ({error.strerror})") from error
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise MemberError("it is no longer a file")
            yield stream

    def read(self, member: Member) -> bytes:
        """All bytes of one file, at most 200 MB; else a ``MemberError``."""
        with self.open(member) as stream:
            content = stream.read(MAX_MEMBER_BYTES + 1)
        if len(content) > MAX_MEMBER_BYTES:
            raise MemberError("the file has over 200 MB")
        return content


def _walk(folder: Path, prefix: str) -> Iterator[tuple[Path, str, str, int]]:
    """Path, relative name, reason to leave it out (or empty) and size of everything below."""
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield folder, prefix.rstrip("/") or ".", f"it cannot be read ({error.strerror})", 0
        return
    for entry in listed:
        shown = entry.name.encode("utf-8", "replace").decode()
        relative = prefix + unicodedata.normalize("NFC", shown).replace("\\", "_")
        path = Path(entry.path)
        if entry.is_symlink():
            yield path, relative, "a link, which is not followed", 0
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(path, relative + "/")
        elif entry.is_file(follow_symlinks=False):
            yield path, relative, "", entry.stat(follow_symlinks=False).st_size
        else:
            yield path, relative, "neither a file nor a folder", 0
