"""What a ZIP or a folder holds, in one form: members with a relative path, read one at a time."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One file: its path inside (NFC, ``/`` between folders), its size, its number in the source."""

    path: str
    size_bytes: int
    key: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A member that was seen and not taken, and why."""

    path: str
    reason: str
    size_bytes: int = 0


class MemberError(Exception):
    """One member cannot be read; the reason in words. It is left out, the others stay."""


class Source(Protocol):
    """Where members come from."""

    @property
    def members(self) -> tuple[Member, ...]:
        """Every regular file."""
        ...

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What is there and is no regular file."""
        ...

    def open(self, member: Member) -> AbstractContextManager[BinaryIO]:
        """One member as a stream."""
        ...

    def read(self, member: Member) -> bytes:
        """All bytes of one member."""
        ...
