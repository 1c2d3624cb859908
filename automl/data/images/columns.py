"""The columns of a data set of pictures, and the list of everything that was seen."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl.data.dataset import Column, Kind, Note, Role
from automl.data.images.members import LeftOut
from automl.data.images.name_pattern import NamePattern
from automl.data.images.reading import Reading, Taken
from automl.data.inference import TypedColumn, infer_column

FILE, LABEL = "file", "label"
COMPUTED_PREFIX = "picture_"
COMPUTED_REASON = "computed from the picture"
DESCRIBES = "describes the pictures: for groups and the audit"

_ORIGINALS = pa.schema(
    [
        ("file", pa.string()), ("part", pa.string()), ("label", pa.string()),
        ("sha256", pa.string()), ("width", pa.int32()), ("height", pa.int32()),
        ("mode", pa.string()), ("format", pa.string()), ("bytes", pa.int64()),
        ("phash", pa.uint64()), ("brightness", pa.float64()), ("contrast", pa.float64()),
        ("sharpness", pa.float64()), ("saturation", pa.float64()),
        ("row", pa.int64()), ("reason", pa.string()),
    ]
)  # fmt: skip


def build_picture_columns(
    taken: Sequence[Taken], extra: Sequence[TypedColumn], label_reason: str
) -> list[TypedColumn]:
    """``file``, ``label``, the columns of list and pattern, then what was computed, in a stable order."""
    files = pa.array([item.picture.path for item in taken], pa.string())
    labels = pa.array([item.picture.label for item in taken], pa.string())
    return [
        _fixed(FILE, files, Kind.IMAGE, "the picture itself", Role.FEATURE, ""),
        _fixed(LABEL, labels, Kind.CATEGORICAL, label_reason, Role.TARGET, "the class"),
        *extra,
        *_compute_columns(taken),
    ]


def _fixed(
    name: str, array: pa.Array, kind: Kind, reason: str, role: Role, role_reason: str
) -> TypedColumn:
    column = Column(
        name=name,
        kind=kind,
        reason=reason,
        n_missing=array.null_count,
        n_distinct=len(pc.unique(array.drop_null())),
        suggested_role=role,
        role_reason=role_reason,
    )
    return TypedColumn(column=column, array=array)


def _compute_columns(taken: Sequence[Taken]) -> list[TypedColumn]:
    """Automatic slices: light, sharpness, colour, size, shape and form of every picture."""
    headers = [item.header for item in taken]
    measures = [item.measures for item in taken]
    width = np.array([header.width for header in headers], dtype=np.int64)
    height = np.array([header.height for header in headers], dtype=np.int64)
    numbers = {
        "brightness": np.array([m.brightness for m in measures], dtype=np.float64).round(6),
        "contrast": np.array([m.contrast for m in measures], dtype=np.float64).round(6),
        "sharpness": np.array([m.sharpness for m in measures], dtype=np.float64).round(6),
        "saturation": np.array([m.saturation for m in measures], dtype=np.float64).round(6),
        "width": width,
        "height": height,
        "aspect": (width / height).round(6),
        "bytes": np.array([item.picture.member.size_bytes for item in taken], dtype=np.int64),
    }
    texts = {
        "format": [header.format for header in headers],
        "mode": [header.mode for header in headers],
    }
    found = [_computed(name, pa.array(values), Kind.NUMERIC) for name, values in numbers.items()]
    found += [
        _computed(name, pa.array(values, pa.string()), Kind.CATEGORICAL)
        for name, values in texts.items()
    ]
    return found


def _computed(name: str, array: pa.Array, kind: Kind) -> TypedColumn:
    name = COMPUTED_PREFIX + name
    return _fixed(name, array, kind, COMPUTED_REASON, Role.IGNORED, COMPUTED_REASON)


def type_extra_columns(
    extra: pa.Table, pattern: NamePattern | None, taken: Sequence[Taken], decimal: str | None
) -> tuple[list[TypedColumn], tuple[Note, ...]]:
    """Columns of the list (rows as ``taken``) and of the pattern, typed; none is an input of a model."""
    raw = {name: extra.column(name) for name in extra.column_names}
    notes: list[Note] = []
    if pattern is not None:
        found = [pattern.match(item.picture.path) for item in taken]
        for name in pattern.names:
            raw[_free(name, raw)] = pa.array(
                [m.get(name) if m else None for m in found], pa.string()
            )
        notes.append(_note_pattern(pattern, sum(m is not None for m in found), len(found)))
    typed = []
    for name, values in raw.items():
        found_column = infer_column(_free(name, ()), values, decimal)
        role_reason = found_column.column.role_reason or DESCRIBES
        column = replace(found_column.column, suggested_role=Role.IGNORED, role_reason=role_reason)
        typed.append(replace(found_column, column=column))
        notes += found_column.notes
    return typed, tuple(notes)


def _free(name: str, taken: Sequence[str] | dict[str, object]) -> str:
    """A name that is neither one of ours nor taken."""
    is_ours = name in (FILE, LABEL) or name.startswith(COMPUTED_PREFIX)
    name = f"list_{name}" if is_ours else name
    while name in taken:
        name += "_2"
    return name


def _note_pattern(pattern: NamePattern, n_matched: int, n_all: int) -> Note:
    named = ", ".join(map(repr, pattern.names))
    text = f"{named} was read from the names of {n_matched:,} of {n_all:,} pictures."
    return Note(code="name_pattern", text=text, level="info" if n_matched == n_all else "warning")


def build_originals(reading: Reading, left_out: Sequence[LeftOut]) -> pa.Table:
    """Every member that was seen, stored ones first in the order of their rows."""
    rows = [
        {
            "file": item.picture.path, "part": item.picture.part, "label": item.picture.label,
            "sha256": item.sha256, "width": item.header.width, "height": item.header.height,
            "mode": item.header.mode, "format": item.header.format,
            "bytes": item.picture.member.size_bytes, **asdict(item.measures),
            "row": row, "reason": "",
        }
        for row, item in enumerate(reading.taken)
    ]  # fmt: skip
    rows += [
        {
            "file": picture.path, "part": picture.part, "label": picture.label,
            "bytes": picture.member.size_bytes, "row": -1, "reason": reason,
        }
        for picture, reason in reading.damaged
    ]  # fmt: skip
    rows += [
        {"file": item.path, "bytes": item.size_bytes, "row": -1, "reason": item.reason}
        for item in left_out
    ]
    return pa.Table.from_pylist(rows, schema=_ORIGINALS)
