"""A list that describes the pictures: which columns name file, class and part, and which row is whose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from unicodedata import normalize

import pyarrow as pa

from automl.data.dataset import MISSING_MARKERS, Note
from automl.data.images.layout import PART_NAMES, Picture
from automl.data.values import format_number
from automl.errors import DataError

FILE_NAMES = (
    "file", "filename", "file_name", "path", "filepath", "file_path", "image", "image_path",
    "image_name", "image_file", "img", "picture", "image_id",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "class", "class_name", "target", "category", "diagnosis", "y",
)  # fmt: skip
PART_COLUMNS = ("split", "part", "subset", "partition", "set")
MIN_SHARE = 0.5  # of its values must name pictures for a column with another name to be taken
_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A list that was joined to the pictures.

    ``rows`` is the row of each picture, −1 without one; ``labels`` and ``parts`` are those the list gives,
    per picture, None where it gives none (or no such column); ``extra`` holds the further columns.
    """

    rows: list[int]
    labels: list[str | None] | None
    parts: list[str | None] | None
    extra: pa.Table
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Match:
    """The rows of a list by picture: how many rows named a picture by a column.

    ``elsewhere`` are names of files in folders that are not there, taken by the name alone.
    """

    name: str
    rows: list[int]
    n_named: int
    n_repeated: int
    missing: list[str]
    elsewhere: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Index:
    """Pictures by ``paths`` (whole, or below the top folders; as they stand, and whatever their case) and by
    ``names`` (with and without the ending, whatever their case). What fits several pictures is −2.
    """

    paths: dict[str, int]
    names: dict[str, int]

    def find(self, text: str) -> tuple[int, bool]:
        """The picture of a text, negative without one; whether it was named by a folder that is not there."""
        for key in (_plain(text), _fold(text)):
            if key in self.paths:
                return self.paths[key], False
        folder, _, name = _fold(text).rpartition("/")
        return self.names.get(name, -1), bool(folder)


def join_manifest(
    table: pa.Table, name: str, pictures: Sequence[Picture], *, has_classes: bool, has_parts: bool
) -> Manifest:
    """Find out what the columns of the list ``name`` mean and join it to the pictures, saying so.

    Folders decide class and part where there are any; then such columns of the list are kept like any
    other. A list that names no picture, or gives no class where none is known, is a ``DataError``.
    """
    match, why = _find_file_column(table, name, pictures)
    taken = {match.name}
    notes = [_note_columns(name, match.name, why)]
    labels = parts = None
    if not has_classes:
        label_name, why = _find_label_column(table, name, match.name)
        labels = _pick(_to_texts(table.column(label_name)), match.rows)
        taken.add(label_name)
        notes.append(_note_columns(name, label_name, why, what="the class"))
    part_name = None if has_parts else _find_part_column(table, taken)
    if part_name is not None:
        parts = _pick([_to_part(t) for t in _to_texts(table.column(part_name))], match.rows)
        taken.add(part_name)
        why = "its values are train, val and test"
        notes.append(_note_columns(name, part_name, why, what="the part"))
    notes += _note_counts(match, name, len(pictures), table.num_rows)
    extra = table.select([column for column in table.column_names if column not in taken])
    return Manifest(rows=match.rows, labels=labels, parts=parts, extra=extra, notes=tuple(notes))


def _note_columns(name: str, column: str, why: str, what: str = "the file") -> Note:
    return Note(code="manifest_column", text=f"In {name!r} {column!r} names {what}: {why}.")


def _find_file_column(
    table: pa.Table, name: str, pictures: Sequence[Picture]
) -> tuple[_Match, str]:
    index = _index_pictures(pictures)
    known = [c for wanted in FILE_NAMES for c in table.column_names if c.casefold() == wanted]
    for column in known:
        match = _match(table, column, index, len(pictures))
        if match.n_named:
            return match, "its name says so, and its values are names of pictures"
    others = [c for c in table.column_names if c not in known]
    found = [_match(table, c, index, len(pictures)) for c in others if _is_text(table, c)]
    best = max(found, key=lambda match: match.n_named, default=None)
    if best is not None and best.n_named >= MIN_SHARE * table.num_rows:
        share = best.n_named / table.num_rows
        return best, f"{share:.0%} of its values are names of pictures"
    if known:
        values = [text for text in _to_texts(table.column(known[0])) if text][:_SHOWN]
        listed = ", ".join(map(repr, values)) or "nothing"
        raise DataError(
            f"None of the files named in {known[0]!r} of {name!r} is there; it names {listed}.",
            hint="Write the names as they stand in the ZIP, or pack the missing pictures.",
        )
    raise DataError(
        f"No column of {name!r} names the pictures; it has "
        f"{', '.join(map(repr, table.column_names[:10]))}.",
        hint="Add a column 'file' with the name of each picture.",
    )


def _is_text(table: pa.Table, column: str) -> bool:
    kind = table.schema.field(column).type
    return bool(pa.types.is_string(kind) or pa.types.is_integer(kind))


def _index_pictures(pictures: Sequence[Picture]) -> _Index:
    paths: dict[str, int] = {}
    names: dict[str, int] = {}
    for number, picture in enumerate(pictures):
        path = PurePosixPath(picture.member.path)
        for key in {_fold(picture.member.path), _fold(picture.path)}:
            paths[key] = -2 if key in paths else number
        for key in {_fold(path.name), _fold(path.stem)}:
            names[key] = -2 if key in names else number
    for number, picture in enumerate(pictures):  # exact, whatever else looks like it
        paths[_plain(picture.path)] = paths[_plain(picture.member.path)] = number
    return _Index(paths=paths, names=names)


def _plain(text: str) -> str:
    return normalize("NFC", text.strip().replace("\\", "/").removeprefix("./"))


def _fold(text: str) -> str:
    return _plain(text).casefold()


def _match(table: pa.Table, column: str, index: _Index, n_pictures: int) -> _Match:
    """Rows by picture; a name in a folder that is not there counts where nothing else can be meant."""
    texts = [text or "" for text in _to_texts(table.column(column))]
    found = [index.find(text) for text in texts]
    known = {number for number, is_elsewhere in found if not is_elsewhere}
    meant: dict[int, set[str]] = {}
    for text, (number, is_elsewhere) in zip(texts, found, strict=True):
        if is_elsewhere:
            meant.setdefault(number, set()).add(_fold(text))
    rows = [-1] * n_pictures
    n_named = n_repeated = 0
    missing: list[str] = []
    elsewhere: list[str] = []
    for row, (text, (number, is_elsewhere)) in enumerate(zip(texts, found, strict=True)):
        if number < 0 or (is_elsewhere and (number in known or len(meant[number]) > 1)):
            missing.append(text)
            continue
        n_named += 1
        if rows[number] >= 0:
            n_repeated += 1
            continue
        rows[number] = row
        if is_elsewhere:
            elsewhere.append(text)
    return _Match(
        name=column,
        rows=rows,
        n_named=n_named,
        n_repeated=n_repeated,
        missing=missing,
        elsewhere=elsewhere,
    )


def _find_label_column(table: pa.Table, name: str, file_column: str) -> tuple[str, str]:
    others = [c for c in table.column_names if c != file_column]
    for wanted in LABEL_NAMES:
        for column in others:
            if column.casefold() == wanted:
                return column, "its name says so"
    plain = [c for c in others if c.casefold() not in PART_COLUMNS]
    if len(plain) == 1:
        return plain[0], "it is the only other column"
    listed = ", ".join(map(repr, others[:10])) or "no other column"
    raise DataError(
        f"No column of {name!r} is called 'label'; beside {file_column!r} it has {listed}.",
        hint="Call the column with the classes 'label', or put the pictures into one folder per class.",
    )


def _find_part_column(table: pa.Table, taken: set[str]) -> str | None:
    for wanted in PART_COLUMNS:
        for column in table.column_names:
            if column.casefold() != wanted or column in taken:
                continue
            texts = [text for text in _to_texts(table.column(column)) if text]
            if texts and all(text.casefold() in PART_NAMES for text in texts):
                return str(column)
    return None


def _to_part(text: str | None) -> str | None:
    return PART_NAMES[text.casefold()] if text else None


def _to_texts(column: pa.ChunkedArray) -> list[str | None]:
    """The cells as text, None where missing; whole numbers without a point."""
    texts: list[str | None] = []
    for value in column.to_pylist():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        text = format_number(value) if is_number else str(value).strip()
        texts.append(None if value is None or text in MISSING_MARKERS else text)
    return texts


def _pick(values: Sequence[str | None], rows: Iterable[int]) -> list[str | None]:
    return [values[row] if row >= 0 else None for row in rows]


def _note_counts(match: _Match, name: str, n_pictures: int, n_rows: int) -> list[Note]:
    joined = sum(row >= 0 for row in match.rows)
    text = (
        f"{n_pictures:,} pictures, {n_rows:,} rows in {name!r}: {joined:,} joined, "
        f"{n_pictures - joined:,} without metadata."
    )
    notes = [
        Note(
            code="manifest_joined",
            text=text,
            level="info" if joined == n_pictures else "warning",
        )
    ]
    if match.elsewhere:
        names = "row names" if len(match.elsewhere) == 1 else "rows name"
        text = (
            f"{len(match.elsewhere):,} {names} a folder that is not there, for example "
            f"{match.elsewhere[0][-60:]!r}; the picture was found by the name of its file alone."
        )
        notes.append(Note(code="manifest_elsewhere", text=text))
    if match.missing:
        shown = ", ".join(repr(value[:60]) for value in match.missing[:_SHOWN])
        text = (
            f"{len(match.missing):,} of {n_rows:,} rows of {name!r} name a picture that is not there, "
            f"or several, for example {shown}. They were left out."
        )
        notes.append(Note(code="manifest_unmatched", text=text, level="warning"))
    if match.n_repeated:
        rows = "row names" if match.n_repeated == 1 else "rows name"
        text = (
            f"{match.n_repeated:,} {rows} a picture that an earlier row of {name!r} names; the "
            "first was taken."
        )
        notes.append(Note(code="manifest_repeated", text=text, level="warning"))
    return notes
