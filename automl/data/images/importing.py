"""A ZIP or a folder of pictures becomes a data set: laid out, sized, decoded once, described, put in place."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as pq

from automl.data.content import compute_content_id
from automl.data.dataset import Dataset, ImageFacts, Note
from automl.data.headers import clean_file_name
from automl.data.images.archive import open_archive
from automl.data.images.columns import (
    COMPUTED_PREFIX,
    build_originals,
    build_picture_columns,
    type_extra_columns,
)
from automl.data.images.decoding import guard_pillow, load_header
from automl.data.images.folder import Folder, require_allowed
from automl.data.images.layout import (
    TEST,
    TRAIN,
    VAL,
)
from automl.data.images.members import MemberError, Source
from automl.data.images.name_pattern import parse_pattern
from automl.data.images.planning import Plan, build_plan
from automl.data.images.profile import build_picture_notes
from automl.data.images.reading import (
    ColourFound,
    Reading,
    ReadRequest,
    build_reading_notes,
    load_headers,
    read_pictures,
)
from automl.data.images.sizing import SideRequest, choose_side
from automl.data.images.store import ORIGINALS, PIXELS
from automl.data.importing import ImportRequest, Report, write_table
from automl.data.inference import TypedColumn
from automl.data.placing import make_folder, name_full_disk, put_in_place
from automl.data.profile import Profile, build_profile, write_profile
from automl.data.store import find_dataset, write_dataset
from automl.errors import DataError
from automl.settings import Settings, Workspace

SHELL = "shell"  # a person at the shell may name any folder she can read
_DECODED = 0.9  # share of the progress


def import_images(
    request: ImportRequest,
    workspace: Workspace,
    settings: Settings,
    report: Report | None = None,
) -> Dataset:
    """Read pictures from a ZIP or a folder and store them as a data set; its record.

    A dangerous archive, one without classes or with nothing readable, is a ``DataError``, a full disk
    ``DiskFull``; both leave nothing behind. The same content twice is one data set. Synchronous: run it in
    a limited child.
    """
    tell = report or (lambda _share, _words: None)
    if request.test_path is not None:
        raise DataError(
            f"{request.name!r} holds pictures, so {request.test_name!r} cannot be its test file.",
            hint="Put the test pictures into a folder 'test' beside 'train' in one ZIP.",
        )
    tell(0.0, "Looking into the archive")
    with (
        name_full_disk(workspace),
        make_folder(workspace) as folder,
        _open_source(request, settings) as source,
        guard_pillow(),
    ):
        if request.name_pattern is not None:
            parse_pattern(request.name_pattern)  # a mistake is said before the work
        plan = build_plan(source, request, settings, folder)
        reading, side, channels, notes = _read(source, plan, request, settings, folder, tell)
        plan = replace(plan, notes=(*plan.notes, *notes))
        tell(_DECODED, "Counting and checking")
        return _store(request, _Outcome(plan, reading, side, channels), workspace, folder, tell)


@contextmanager
def _open_source(request: ImportRequest, settings: Settings) -> Iterator[Source]:
    path = Path(request.path)
    if path.is_dir():
        if request.source != SHELL:
            path = require_allowed(path, settings)
        yield Folder(path, request.name, settings)
        return
    with open_archive(path, request.name, settings) as archive:
        yield archive


def _read(
    source: Source,
    plan: Plan,
    request: ImportRequest,
    settings: Settings,
    folder: Path,
    tell: Report,
) -> tuple[Reading, int, int, tuple[Note, ...]]:
    """Choose the shape from the headers, then decode; once more in colour when the sample was grey only."""
    total = len(plan.pictures)
    tell(0.02, f"Looking at the sizes of {total:,} pictures")
    headers = load_headers(source, plan.pictures, settings.max_picture_pixels)
    if not headers:
        found = _explain_unreadable(source, plan, settings)
        raise DataError(
            f"None of the {total:,} pictures of {request.name!r} can be read: {found}.",
            hint="Open one of them in a viewer, save it again as PNG or JPEG, and pack them anew.",
        )
    channels = 1 if all(header.is_grey for header in headers) else 3

    def tell_count(done: int) -> None:
        share = 0.05 + (_DECODED - 0.05) * done / total
        tell(share, f"Reading pictures: {done:,} of {total:,}")

    while True:
        side, notes = choose_side(
            SideRequest(
                short_sides=[min(header.width, header.height) for header in headers],
                n_pictures=total,
                channels=channels,
                fixed=request.side,
                keep_free_bytes=settings.min_free_bytes,
            ),
            folder,
        )
        todo = ReadRequest(
            pictures=plan.pictures,
            side=side,
            channels=channels,
            max_pixels=settings.max_picture_pixels,
            path=folder / PIXELS,
        )
        try:
            reading = read_pictures(source, todo, tell_count)
        except ColourFound:
            channels = 3
            continue
        break
    if not reading.taken or reading.taken[0].picture.part != TRAIN:
        raise DataError(
            f"None of the training pictures of {request.name!r} can be read: "
            f"{reading.damaged[0][1]}.",
            hint="Open one of them in a viewer, save it again as PNG or JPEG, and pack them anew.",
        )
    return reading, side, channels, (*notes, *build_reading_notes(reading, channels))


def _explain_unreadable(source: Source, plan: Plan, settings: Settings) -> str:
    picture = plan.pictures[0]
    try:
        with source.open(picture.member) as stream:
            load_header(stream, settings.max_picture_pixels)
    except MemberError as error:
        return f"{picture.path!r}: {error}"
    return "their headers are damaged"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Everything that is stored."""

    plan: Plan
    reading: Reading
    side: int
    channels: int


def _store(
    request: ImportRequest, outcome: _Outcome, workspace: Workspace, folder: Path, tell: Report
) -> Dataset:
    plan, reading = outcome.plan, outcome.reading
    pattern = None if request.name_pattern is None else parse_pattern(request.name_pattern)
    extra, extra_notes = type_extra_columns(
        _keep_taken(plan, reading), pattern, reading.taken, request.decimal
    )
    columns = build_picture_columns(reading.taken, extra, plan.label_reason)
    table = pa.table({typed.column.name: typed.array for typed in columns})
    facts = ImageFacts(
        side=outcome.side,
        channels=outcome.channels,
        n_left_out=len(reading.damaged) + len(plan.left_out),
    )
    notes = (*plan.notes, *extra_notes)
    dataset = _build_dataset(request, outcome, table, columns, facts, notes)
    existing = find_dataset(workspace, dataset.id)
    if existing is not None:
        tell(1.0, "This data set is here already")
        return existing
    originals = build_originals(reading, plan.left_out)
    write_profile(folder, _build_profile(dataset, table, originals, facts))
    tell(0.97, "Storing the pictures")
    write_table(folder, table)
    pq.write_table(originals, folder / ORIGINALS, compression="zstd")
    write_dataset(folder, dataset)
    put_in_place(folder, workspace, dataset.id)
    tell(1.0, "Done")
    return find_dataset(workspace, dataset.id) or dataset


def _keep_taken(plan: Plan, reading: Reading) -> pa.Table:
    """The further columns of the pictures that were stored."""
    if not plan.extra.num_columns:
        return plan.extra
    kept = {item.picture.member.key for item in reading.taken}
    return plan.extra.filter(pa.array([p.member.key in kept for p in plan.pictures]))


def _build_dataset(
    request: ImportRequest,
    outcome: _Outcome,
    table: pa.Table,
    columns: list[TypedColumn],
    facts: ImageFacts,
    notes: tuple[Note, ...],
) -> Dataset:
    parts = [item.picture.part for item in outcome.reading.taken]
    n_val, n_test = parts.count(VAL), parts.count(TEST)
    path = Path(request.path)
    return Dataset(
        id=_compute_id(table, outcome, n_val, n_test, notes),
        name=clean_file_name(request.name),
        n_rows=table.num_rows,
        n_test_rows=n_test,
        columns=tuple(typed.column for typed in columns),
        source=request.source,
        size_bytes=path.stat().st_size
        if path.is_file()
        else sum(picture.member.size_bytes for picture in outcome.plan.pictures),
        n_val_rows=n_val,
        images=facts,
        notes=notes,
    )


def _compute_id(
    table: pa.Table, outcome: _Outcome, n_val: int, n_test: int, notes: tuple[Note, ...]
) -> str:
    """Table, pixels and what was lost on the way make the identity; where they came from does not.

    Without the losses an archive with damaged pictures would be called by the counts of an earlier, sound one.
    """
    shape = f"{outcome.side} {outcome.channels} {n_val} 1"
    lost = [f"{picture.path}: {why}" for picture, why in outcome.reading.damaged]
    lost += [f"{item.path}: {item.reason}" for item in outcome.plan.left_out]
    lost += [
        note.text for note in notes if note.code.startswith("manifest_") and note.level == "warning"
    ]
    parts = (compute_content_id(table, n_test), outcome.reading.pixels_sha256, shape, *sorted(lost))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _build_profile(
    dataset: Dataset, table: pa.Table, originals: pa.Table, facts: ImageFacts
) -> Profile:
    """The profile of the table, with findings about pictures instead of those about computed columns."""
    profile = build_profile(dataset, table)
    kept = (note for note in profile.notes if not note.column.startswith(COMPUTED_PREFIX))
    return replace(profile, notes=(*build_picture_notes(originals, facts), *kept))
