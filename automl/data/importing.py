"""An upload becomes an immutable data set: read, typed, hashed, profiled, put in place whole."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as pq

from automl.data.content import compute_content_id
from automl.data.dataset import Dataset, Note
from automl.data.headers import clean_file_name
from automl.data.inference import TypedColumn, infer_column
from automl.data.loading import LoadOptions, RawTable, load_raw
from automl.data.placing import make_folder, name_full_disk, put_in_place
from automl.data.profile import build_profile, write_profile
from automl.data.store import find_dataset, write_dataset
from automl.errors import DataError, UnclearFile
from automl.files import require_free_space
from automl.settings import Settings, Workspace

ROW_GROUP_ROWS = 64 << 10

Report = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportRequest:
    """What to import: paths of the files, what the person called them, and what she fixed about them.

    ``test_path`` is a given test file with the same columns; ``source`` says where the data came from
    (``upload``, ``sample:loans``, ``shell`` …). For pictures ``name_pattern`` reads columns from file names
    (``{age}_{sex}_*.jpg``) and ``side`` fixes the pixels they are stored at. The rest as in ``LoadOptions``.
    Every field is JSON.
    """

    path: str
    name: str
    test_path: str | None = None
    test_name: str = ""
    source: str = "upload"
    delimiter: str | None = None
    decimal: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    name_pattern: str | None = None
    side: int | None = None

    @property
    def options(self) -> LoadOptions:
        return LoadOptions(
            delimiter=self.delimiter,
            decimal=self.decimal,
            sheet=self.sheet,
            encoding=self.encoding,
        )


def import_table(
    request: ImportRequest,
    workspace: Workspace,
    settings: Settings,
    report: Report | None = None,
) -> Dataset:
    """Read the file(s), type the columns, profile them and store the data set; its record.

    The same content twice gives the data set that is there already, and no second copy. A file that
    cannot be read is a ``DataError``, a full disk ``DiskFull``; both leave nothing behind. ``report`` is
    told the share that is done, 0..1, and what happens now. Synchronous: run it in a limited child.
    """
    tell = report or (lambda _share, _words: None)
    size = _size_of(request.path) + (_size_of(request.test_path) if request.test_path else 0)
    require_free_space(workspace.root, 2 * size + settings.min_free_bytes)
    with name_full_disk(workspace):
        tell(0.0, "Reading the file")
        raw, n_test_rows, notes = _load(request, settings)
        tell(0.4, "Finding out what the columns are")
        columns = [
            infer_column(name, raw.column(name), request.decimal) for name in raw.column_names
        ]
        table = pa.table({typed.column.name: typed.array for typed in columns})
        units = {typed.column.name: typed.column.unit for typed in columns if typed.column.unit}
        dataset_id = compute_content_id(table, n_test_rows, units)
        existing = find_dataset(workspace, dataset_id)
        if existing is not None:
            tell(1.0, "This data set is here already")
            return existing
        tell(0.6, "Counting and checking")
        dataset = _build_dataset(request, dataset_id, columns, n_test_rows, notes, size)
        return _store(dataset, table, workspace, tell)


def _size_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError as error:
        raise DataError(
            f"There is no file {Path(path).name!r}.", hint="Check the name and the folder."
        ) from error


def _load(request: ImportRequest, settings: Settings) -> tuple[pa.Table, int, tuple[Note, ...]]:
    main = load_raw(Path(request.path), request.name, settings, request.options)
    if main.table.num_columns < 2:
        raise UnclearFile(
            f"{request.name!r} has one column only, {main.table.column_names[0][:80]!r}.",
            hint="A target and something to learn from are needed; perhaps name the delimiter.",
        )
    if request.test_path is None:
        return main.table, 0, main.notes
    test_name = request.test_name or Path(request.test_path).name
    test = load_raw(Path(request.test_path), test_name, settings, request.options)
    _require_same_columns(main, test, request.name, test_name)
    # what is to be said about reading is said once; of the test file only what warns
    warned = tuple(note for note in test.notes if note.level == "warning")
    return _join(main.table, test.table), test.table.num_rows, (*main.notes, *warned)


def _require_same_columns(main: RawTable, test: RawTable, name: str, test_name: str) -> None:
    ours, theirs = set(main.table.column_names), set(test.table.column_names)
    if ours == theirs:
        return
    parts = []
    if ours - theirs:
        parts.append(f"the test file lacks {_list(ours - theirs)}")
    if theirs - ours:
        parts.append(f"only the test file has {_list(theirs - ours)}")
    raise DataError(
        f"The columns of {name!r} and {test_name!r} differ: {' and '.join(parts)}.",
        hint="Both files need the same column names; their order does not matter.",
    )


def _list(names: set[str]) -> str:
    shown = ", ".join(map(repr, sorted(names)[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _join(main: pa.Table, test: pa.Table) -> pa.Table:
    """The rows of both, test rows last; columns stored in different types meet as text."""
    columns = {}
    for name in main.column_names:
        ours, theirs = main.column(name), test.column(name)
        if ours.type != theirs.type:
            ours, theirs = _meet(ours, theirs)
        columns[name] = pa.chunked_array([*ours.chunks, *theirs.chunks], type=ours.type)
    return pa.table(columns)


def _meet(
    ours: pa.ChunkedArray, theirs: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    kinds = (ours.type, theirs.type)
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        return ours.cast(pa.float64()), theirs.cast(pa.float64())
    return ours.cast(pa.string()), theirs.cast(pa.string())


def _build_dataset(
    request: ImportRequest,
    dataset_id: str,
    columns: list[TypedColumn],
    n_test_rows: int,
    notes: tuple[Note, ...],
    size_bytes: int,
) -> Dataset:
    return Dataset(
        id=dataset_id,
        name=clean_file_name(request.name),
        n_rows=len(columns[0].array),
        n_test_rows=n_test_rows,
        columns=tuple(typed.column for typed in columns),
        notes=(*notes, *(note for typed in columns for note in typed.notes)),
        test_name=clean_file_name(request.test_name) if n_test_rows else "",
        source=request.source,
        size_bytes=size_bytes,
    )


def _store(dataset: Dataset, table: pa.Table, workspace: Workspace, tell: Report) -> Dataset:
    """Write everything into a folder of its own, then give it its name in one step."""
    with make_folder(workspace) as folder:
        write_profile(folder, build_profile(dataset, table))
        tell(0.8, "Storing the table")
        write_table(folder, table)
        write_dataset(folder, dataset)
        put_in_place(folder, workspace, dataset.id)
    tell(1.0, "Done")
    return find_dataset(workspace, dataset.id) or dataset


def write_table(folder: Path, table: pa.Table) -> None:
    """Write ``table.parquet`` into a folder that is being made."""
    path = folder / "table.parquet"
    pq.write_table(table, path, compression="zstd", row_group_size=ROW_GROUP_ROWS)
