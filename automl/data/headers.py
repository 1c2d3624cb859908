"""Column names as they are read: trimmed, never empty, never twice."""

import unicodedata
from collections.abc import Sequence

from automl.data.dataset import Note


def build_names(raw: Sequence[str | None]) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Make the names of a header usable and say what was changed.

    Surrounding space and control characters go, an empty name becomes ``column_<position>``, a repeated
    one ``name.2``, ``name.3`` …; columns keep their order.
    """
    cleaned = [_clean(name, position) for position, name in enumerate(raw, start=1)]
    taken = set(cleaned)
    seen: set[str] = set()
    names: list[str] = []
    notes: list[Note] = []
    for position, (before, name) in enumerate(zip(raw, cleaned, strict=True), start=1):
        final = name if name not in seen else _number(name, taken)
        seen.add(final)
        taken.add(final)
        names.append(final)
        if not (before or "").strip():
            text = f"Column {position} has no name in the file; it is called {final!r}."
            notes.append(Note(code="unnamed_column", column=final, text=text))
        elif final != name:
            text = f"The name {name!r} occurs twice; the one in column {position} is kept as {final!r}."
            notes.append(Note(code="duplicate_name", column=final, text=text))
        elif name != before and name != (before or "").strip():
            text = f"Control characters were taken out of the name {name!r}."
            notes.append(Note(code="cleaned_name", column=final, text=text))
    return tuple(names), tuple(notes)


def _clean(name: str | None, position: int) -> str:
    text = unicodedata.normalize("NFC", name or "")
    # controls, and the marks that reverse or hide text, are never part of a name
    kept = "".join(" " if char in "\r\n\t" else char for char in text if _is_visible(char))
    return " ".join(kept.split()) or f"column_{position}"


def _is_visible(char: str) -> bool:
    return char in "\r\n\t" or unicodedata.category(char) not in ("Cc", "Cf")


def _number(name: str, taken: set[str]) -> str:
    count = 2
    while f"{name}.{count}" in taken:
        count += 1
    return f"{name}.{count}"


def clean_file_name(name: str) -> str:
    """What a person called a file, fit to be shown: no folders, no controls, at most 255 bytes."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    text = "".join(char for char in unicodedata.normalize("NFC", last) if _is_visible(char))
    text = " ".join(text.split())
    return text.encode()[:255].decode(errors="ignore") or "table"
