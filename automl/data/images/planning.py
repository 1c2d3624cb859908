"""Which pictures of a source become which rows: layout and list together, with everything said about it."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.data.dataset import Note
from automl.data.images.layout import (
    PARTS,
    TRAIN,
    Layout,
    Picture,
    build_layout,
    build_stray_note,
)
from automl.data.images.manifest_file import Manifest, join_manifest
from automl.data.images.members import LeftOut, Member, MemberError, Source
from automl.data.importing import ImportRequest
from automl.data.loading import load_raw
from automl.errors import DataError
from automl.settings import Settings

_HINT = (
    "Pack one folder per class (with train, val and test above, if you like), or pictures with a "
    "list in CSV or Parquet with the columns file and label."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Pictures in the order of their rows, their further columns, and what was said so far."""

    pictures: list[Picture]
    extra: pa.Table
    left_out: tuple[LeftOut, ...]
    notes: tuple[Note, ...]
    label_reason: str


def build_plan(source: Source, request: ImportRequest, settings: Settings, folder: Path) -> Plan:
    layout = build_layout(source.members)
    if not layout.pictures:
        raise DataError(
            f"{request.name!r} holds no pictures (PNG, JPEG, WebP, BMP or TIFF)"
            + _count_others(len(source.members)),
            hint=_HINT,
        )
    left_out = [*source.left_out, *layout.left_out]
    notes = list(layout.notes)
    manifest: Manifest | None = None
    chosen = _choose_table(layout, left_out, notes, request.name)
    if chosen is not None:
        manifest = _try_manifest(
            chosen,
            layout,
            left_out,
            notes,
            lambda: _load_manifest(source, chosen, layout, request, settings, folder),
        )
    pictures, rows = _assign(layout, manifest, left_out, request.name)
    notes += build_stray_note(tuple(left_out))
    extra = pa.table({})
    if manifest is not None and manifest.extra.num_columns:
        indices = np.array(rows, dtype=np.int64)
        extra = manifest.extra.take(pa.array(indices, mask=indices < 0))
    _require_training(pictures, request.name)
    reason = "one folder per class" if layout.has_classes else "named by the list"
    return Plan(
        pictures=pictures,
        extra=extra,
        left_out=tuple(left_out),
        notes=tuple(notes),
        label_reason=reason,
    )


def _count_others(count: int) -> str:
    if not count:
        return "."
    return f", but {count:,} other file{'s' * (count > 1)}."


def _choose_table(
    layout: Layout, left_out: list[LeftOut], notes: list[Note], name: str
) -> Member | None:
    """The one list beside the pictures; with several, and classes in folders, none is taken."""
    if len(layout.tables) == 1:
        return layout.tables[0]
    if not layout.tables:
        if not layout.has_classes:
            raise DataError(
                f"In {name!r} no picture lies in a folder of its class, and there is no list.",
                hint=_HINT,
            )
        return None
    named = ", ".join(repr(member.path) for member in layout.tables[:3])
    if not layout.has_classes:
        raise DataError(
            f"{name!r} holds {len(layout.tables):,} lists ({named}); one is needed.",
            hint="Join them to one list with the columns file, label and split.",
        )
    text = f"{len(layout.tables):,} lists are in the archive ({named}); none was read, classes are folders."
    notes.append(Note(code="several_lists", text=text, level="warning"))
    left_out += [
        LeftOut(path=member.path, reason="one of several lists", size_bytes=member.size_bytes)
        for member in layout.tables
    ]
    return None


def _try_manifest(
    member: Member,
    layout: Layout,
    left_out: list[LeftOut],
    notes: list[Note],
    load: Callable[[], Manifest],
) -> Manifest | None:
    """The joined list; where folders give the classes, one that cannot be used is only noted."""
    try:
        manifest = load()
    except DataError as error:
        if not layout.has_classes:
            raise
        text = f"The list {member.path!r} was not used: {error.message} The classes are folders."
        notes.append(Note(code="list_unused", text=text, level="warning"))
        reason = "a list that cannot be used"
        left_out.append(LeftOut(path=member.path, reason=reason, size_bytes=member.size_bytes))
        return None
    notes += manifest.notes
    return manifest


def _load_manifest(
    source: Source,
    member: Member,
    layout: Layout,
    request: ImportRequest,
    settings: Settings,
    folder: Path,
) -> Manifest:
    """Copy the list out of the archive under a name of ours, and read it like any table."""
    if member.size_bytes > settings.max_table_bytes:
        raise DataError(
            f"The list {member.path!r} has {member.size_bytes / 1e6:,.0f} MB; the limit is "
            f"{settings.max_table_bytes / 1e6:,.0f} MB.",
            hint="Leave out columns or rows.",
        )
    path = folder / "list.part"
    try:
        with source.open(member) as stream, path.open("wb") as sink:
            shutil.copyfileobj(stream, sink, 1 << 20)
        raw = load_raw(path, member.path, settings, request.options)
    except MemberError as error:
        raise DataError(
            f"The list {member.path!r} cannot be read: {error}.", hint="Pack the archive again."
        ) from error
    finally:
        path.unlink(missing_ok=True)
    found = join_manifest(
        raw.table,
        member.path,
        layout.pictures,
        has_classes=layout.has_classes,
        has_parts=layout.has_parts,
    )
    return replace(found, notes=(*raw.notes, *found.notes))


def _assign(
    layout: Layout, manifest: Manifest | None, left_out: list[LeftOut], name: str
) -> tuple[list[Picture], list[int]]:
    """Pictures with their class and part in the order of their rows, and each one's row of the list."""
    found: list[tuple[Picture, int]] = []
    for number, picture in enumerate(layout.pictures):
        row = -1 if manifest is None else manifest.rows[number]
        label, part = picture.label, picture.part
        if manifest is not None and manifest.labels is not None:
            label = manifest.labels[number]
        if manifest is not None and manifest.parts is not None:
            part = manifest.parts[number] or TRAIN
        if label is None or not label:
            reason = (
                "it lies in no class folder" if layout.has_classes else "the list gives no class"
            )
            size = picture.member.size_bytes
            left_out.append(LeftOut(path=picture.path, reason=reason, size_bytes=size))
            continue
        found.append((replace(picture, label=label, part=part), row))
    if not found:
        raise DataError(f"No picture of {name!r} has a class.", hint=_HINT)
    found.sort(key=lambda item: PARTS.index(item[0].part))  # stable: by path within a part
    return [picture for picture, _ in found], [row for _, row in found]


def _require_training(pictures: Sequence[Picture], name: str) -> None:
    parts = {picture.part for picture in pictures}
    if TRAIN not in parts:
        raise DataError(
            f"{name!r} has pictures in {', '.join(map(repr, sorted(parts)))} only, none to train on.",
            hint="Put the training pictures into a folder 'train', or leave out the part folders.",
        )
