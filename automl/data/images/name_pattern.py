"""Columns from file names: ``{age}_{sex}_*.jpg`` reads ``age`` and ``sex``. No regular expressions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from automl.data.images.layout import PICTURE_SUFFIXES
from automl.errors import SpecError

MAX_FIELDS = 8
MAX_LENGTH = 200
_TOKEN = re.compile(r"\{([^{}]*)\}|(\*)|([^{}*]+)|(.)", re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w{0,59}")
_HINT = "Write for example {age}_{sex}_*.jpg: names in braces are read, * stands for anything."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A text that must stand there, or something to be read (``name``; empty for ``*``)."""

    literal: str | None = None
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamePattern:
    """A checked pattern; each field ends at the first place where the text after it stands."""

    pieces: tuple[_Piece, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(piece.name for piece in self.pieces if piece.literal is None and piece.name)

    def match(self, path: str) -> dict[str, str] | None:
        """The fields of a file's name (without folders and ending), None when it does not fit."""
        rest = PurePosixPath(path).stem
        found: dict[str, str] = {}
        for position, piece in enumerate(self.pieces):
            if piece.literal is not None:
                if not rest.startswith(piece.literal):
                    return None
                rest = rest[len(piece.literal) :]
                continue
            value, rest = _read(rest, self.pieces[position + 1 :])
            if piece.name and not value:
                return None
            if piece.name:
                found[piece.name] = value
        return None if rest else found


def _read(text: str, following: Sequence[_Piece]) -> tuple[str, str]:
    if not following:
        return text, ""
    literal = following[0].literal or ""
    is_last = len(following) == 1
    place = text.rfind(literal) if is_last else text.find(literal)
    return (text, "") if place < 0 else (text[:place], text[place:])


def parse_pattern(text: str) -> NamePattern:
    """Parse and check a pattern; what is not understood is a ``SpecError``."""
    plain = text.strip()
    suffix = PurePosixPath(plain).suffix.lower()
    if suffix in PICTURE_SUFFIXES or suffix == ".*":
        plain = plain[: -len(suffix)]
    if len(plain) > MAX_LENGTH or "/" in plain or "\\" in plain:
        raise SpecError(f"{text[:80]!r} is no pattern for the names of files.", hint=_HINT)
    pieces = tuple(_build_piece(match, text) for match in _TOKEN.finditer(plain))
    for first, second in pairwise(pieces):
        if first.literal is None and second.literal is None:
            raise SpecError(
                f"In {text[:80]!r} two fields touch; nothing says where the first ends.",
                hint="Put a text between them, as in {age}_{sex}.",
            )
    pattern = NamePattern(pieces=pieces)
    names = [name.casefold() for name in pattern.names]
    if not names or len(names) > MAX_FIELDS or len(set(names)) < len(names):
        raise SpecError(
            f"The pattern {text[:80]!r} has {len(names)} fields; 1 to {MAX_FIELDS} different ones "
            "can be read.",
            hint=_HINT,
        )
    return pattern


def _build_piece(match: re.Match[str], text: str) -> _Piece:
    name, star, literal, other = match.groups()
    if other is not None:
        raise SpecError(f"The braces in {text[:80]!r} do not fit together.", hint=_HINT)
    if literal is not None:
        return _Piece(literal=literal)
    if star is not None:
        return _Piece()
    if not _NAME.fullmatch(name):
        raise SpecError(f"{{{name[:40]}}} is no name for a column.", hint=_HINT)
    return _Piece(name=name)
