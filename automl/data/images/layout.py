"""What the paths of an archive say: which files are pictures, their part and their class."""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from automl.data.dataset import Note
from automl.data.images.members import LeftOut, Member

TRAIN, VAL, TEST = "train", "val", "test"
PARTS = (TRAIN, VAL, TEST)
PART_NAMES = {
    "train": TRAIN, "training": TRAIN, "val": VAL, "valid": VAL, "validation": VAL,
    "test": TEST, "testing": TEST,
}  # fmt: skip
PICTURE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff")
)
TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".parquet", ".pq"))
_OTHER_PICTURES = frozenset(
    (".gif", ".svg", ".heic", ".heif", ".avif", ".psd", ".raw", ".nef", ".cr2", ".dng", ".ico", ".dcm")
)  # fmt: skip
_SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini", "ehthumbs.db"))
_SYSTEM_FOLDERS = frozenset(("__macosx", "@eadir", "$recycle.bin"))
SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture to be read: its part, its class (None where a list must say it), its shown path."""

    member: Member
    path: str
    part: str
    label: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Pictures in the order of their paths, lists that may describe them, everything else with a reason."""

    pictures: tuple[Picture, ...]
    tables: tuple[Member, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[Note, ...]
    has_classes: bool
    has_parts: bool


def build_layout(members: tuple[Member, ...]) -> Layout:
    """Sort members by what they are; a folder around everything is set aside, part folders are recognised.

    Parts are taken as such when every folder is one, or ``train`` stands beside another part; classes are
    the folders below. Without any class folder, or with one only beside a list, every picture waits for it.
    """
    pictures, tables, left_out = _sort_members(members)
    top = _find_top(pictures)
    paths = {member.key: PurePosixPath(member.path).parts[len(top) :] for member in pictures}
    has_parts, notes = _find_parts(list(paths.values()))
    folders = {parts[has_parts] for parts in paths.values() if len(parts) > 1 + has_parts}
    # one folder for all beside a list is where the pictures lie, not what they show
    has_classes = len(folders) > (1 if len(tables) == 1 else 0)
    found: list[Picture] = []
    for member in sorted(pictures, key=lambda member: member.path):
        parts = paths[member.key]
        part = PART_NAMES.get(parts[0].casefold()) if has_parts and len(parts) > 1 else None
        if has_parts and part is None:
            left_out.append(_leave(member, "it lies outside of the folders train, val and test"))
            continue
        inner = parts[1:] if has_parts else parts
        label = clean_text(inner[0]) if len(inner) > 1 and has_classes else None
        found.append(
            Picture(
                member=member, path=clean_text("/".join(parts)), part=part or TRAIN, label=label
            )
        )
    return Layout(
        pictures=tuple(found),
        tables=tuple(tables),
        left_out=tuple(left_out),
        notes=notes,
        has_classes=has_classes,
        has_parts=has_parts,
    )


def _sort_members(
    members: tuple[Member, ...],
) -> tuple[list[Member], list[Member], list[LeftOut]]:
    pictures: list[Member] = []
    tables: list[Member] = []
    left_out: list[LeftOut] = []
    for member in members:
        path = PurePosixPath(member.path)
        suffix = path.suffix.lower()
        reason = find_stray(path, suffix)
        if reason:
            left_out.append(_leave(member, reason))
        elif suffix in PICTURE_SUFFIXES:
            pictures.append(member)
        else:
            tables.append(member)
    return pictures, tables, left_out


def find_stray(path: PurePosixPath, suffix: str) -> str:
    """Why a member is neither a picture nor a list; empty when it may be one."""
    folders = {part.casefold() for part in path.parts[:-1]}
    is_hidden = any(part.startswith(".") for part in path.parts)
    if folders & _SYSTEM_FOLDERS or is_hidden or path.name.casefold() in _SYSTEM_FILES:
        return "a file of the operating system"
    if suffix in _OTHER_PICTURES:
        return f"pictures ending in {suffix} are not read"
    if suffix not in PICTURE_SUFFIXES and suffix not in TABLE_SUFFIXES:
        return f"not a picture ({clean_text(suffix)})" if suffix else "not a picture (no ending)"
    return ""


def _leave(member: Member, reason: str) -> LeftOut:
    return LeftOut(path=clean_text(member.path), reason=reason, size_bytes=member.size_bytes)


def _find_top(pictures: list[Member]) -> tuple[str, ...]:
    """The folders around everything; part folders, and the last folder (a class), are none."""
    paths = [PurePosixPath(member.path).parts for member in pictures]
    top: list[str] = []
    while paths:
        depth = len(top)
        first = paths[0][depth]
        is_common = all(len(p) > depth + 1 and p[depth] == first for p in paths)
        is_class = not all(len(p) > depth + 2 for p in paths)
        holds_parts = all(
            len(p) > depth + 2 and p[depth + 1].casefold() in PART_NAMES for p in paths
        )
        if not is_common or first.casefold() in PART_NAMES or (is_class and not holds_parts):
            break
        top.append(first)
    return tuple(top)


def _find_parts(paths: list[tuple[str, ...]]) -> tuple[bool, tuple[Note, ...]]:
    folders = {parts[0].casefold() for parts in paths if len(parts) > 1}
    parts = {PART_NAMES[name] for name in folders if name in PART_NAMES}
    others = sorted(name for name in folders if name not in PART_NAMES)
    if not parts:
        return False, ()
    if not others or (TRAIN in parts and len(parts) > 1):
        return True, ()
    named = ", ".join(repr(name) for name in sorted(folders - set(others)))
    text = (
        f"{named} stands beside other folders ({', '.join(map(repr, others[:SHOWN]))}), so it was "
        "taken as a class, not as a part."
    )
    return False, (Note(code="part_as_class", text=text, level="warning"),)


def clean_text(text: str) -> str:
    """NFC without control and direction marks: fit to be shown and stored."""
    normal = unicodedata.normalize("NFC", text)
    return "".join(
        char for char in normal if unicodedata.category(char) not in ("Cc", "Cf", "Cs")
    ).strip()


def build_stray_note(left_out: tuple[LeftOut, ...]) -> tuple[Note, ...]:
    """One note that counts what was not taken, by reason, with an example each."""
    if not left_out:
        return ()
    counts = Counter(item.reason for item in left_out)
    first = {item.reason: item.path for item in reversed(left_out)}
    listed = "; ".join(
        f"{count:,} × {reason}, as {_shorten(first[reason])!r}"
        for reason, count in counts.most_common(8)
    )
    more = f"; and {len(counts) - 8} other reasons" if len(counts) > 8 else ""
    files = "file was" if len(left_out) == 1 else "files were"
    text = f"{len(left_out):,} {files} set aside: {listed}{more}."
    is_minor = all(
        item.reason.startswith(("a file of the operating system", "not a picture"))
        for item in left_out
    )
    return (Note(code="stray_files", text=text, level="info" if is_minor else "warning"),)


def _shorten(path: str) -> str:
    return path if len(path) <= 60 else "…" + path[-59:]
