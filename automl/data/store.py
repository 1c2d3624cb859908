"""The data sets of a workspace: list, load, delete, and the choices a person made so far."""

import contextlib
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet as pq
from pydantic import TypeAdapter, ValidationError

from automl.data.dataset import Dataset
from automl.data.setup import Setup
from automl.errors import DataError
from automl.files import write_atomic
from automl.settings import Workspace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetEntry:
    """A stored data set and when it was imported (UTC epoch seconds)."""

    dataset: Dataset
    created_at: float


_ENTRY = TypeAdapter(DatasetEntry)
_SETUP = TypeAdapter(Setup)


def write_dataset(folder: Path, dataset: Dataset) -> None:
    """Write ``dataset.json`` into a folder that is being made."""
    entry = DatasetEntry(dataset=dataset, created_at=time.time())
    write_atomic(folder / "dataset.json", _ENTRY.dump_json(entry, indent=2))


def _read_entry(folder: Path) -> DatasetEntry | None:
    try:
        return _ENTRY.validate_json((folder / "dataset.json").read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise DataError(
            f"The record of the data set in {folder.name[:12]} is damaged.",
            hint="Delete the data set and import the file again.",
        ) from error


def list_datasets(workspace: Workspace) -> list[DatasetEntry]:
    """Every stored data set, the newest first; damaged records are left out."""
    entries = []
    for path in workspace.objects.glob("??/*/dataset.json"):
        with contextlib.suppress(DataError):
            entry = _read_entry(path.parent)
            if entry is not None:  # deleted in this very moment
                entries.append(entry)
    return sorted(entries, key=lambda entry: (-entry.created_at, entry.dataset.id))


def _is_id(text: str) -> bool:
    """Only what a hash looks like becomes a path."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def find_dataset(workspace: Workspace, dataset_id: str) -> Dataset | None:
    """The record of a data set, or None where there is none."""
    if not _is_id(dataset_id):
        return None
    entry = _read_entry(workspace.dataset(dataset_id))
    return entry.dataset if entry else None


def load_dataset(workspace: Workspace, dataset_id: str) -> Dataset:
    """The record of a data set; ``DataError`` when it is not there (any more)."""
    dataset = find_dataset(workspace, dataset_id)
    if dataset is None:
        raise DataError(
            f"There is no data set {dataset_id[:12]!r}; it may have been deleted.",
            hint="Choose one from the list, or upload the file again.",
        )
    return dataset


def load_table(
    workspace: Workspace, dataset_id: str, columns: tuple[str, ...] | None = None
) -> pa.Table:
    """The rows as an Arrow table: int64, float64, bool, string, timestamp[us]; null is missing."""
    dataset = load_dataset(workspace, dataset_id)
    unknown = [name for name in columns or () if dataset.column(name) is None]
    if unknown:
        raise DataError(
            f"The data set {dataset.name!r} has no column {unknown[0]!r}.",
            hint="Choose a column of the table.",
        )
    path = workspace.dataset(dataset_id) / "table.parquet"
    return pq.read_table(path, columns=None if columns is None else list(columns))


def load_frame(
    workspace: Workspace, dataset_id: str, columns: tuple[str, ...] | None = None
) -> "pd.DataFrame":
    """The rows as a frame, given test rows last, index 0..n−1 (the row id).

    Numbers are int64, or float64 with NaN where any is missing; text is ``str``; booleans are ``bool``, or
    ``boolean`` where any is missing; dates are ``datetime64[us]``.
    """
    return build_frame(load_table(workspace, dataset_id, columns))


def build_frame(table: pa.Table) -> "pd.DataFrame":
    """An Arrow table as a frame, in the types that ``load_frame`` states."""
    import pandas as pd

    frame: pd.DataFrame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_boolean(field.type) and frame[field.name].dtype == object:
            frame[field.name] = frame[field.name].astype("boolean")
        elif pa.types.is_string(field.type):
            frame[field.name] = frame[field.name].astype("str")
    return frame


def delete_dataset(workspace: Workspace, dataset_id: str) -> None:
    """Delete a data set and its setup; whoever comes second gets a ``DataError``.

    The folder leaves its place in one step, so nobody sees half a data set.
    """
    folder = workspace.dataset(dataset_id)
    doomed = workspace.tmp / f"deleted-{uuid.uuid4().hex}"
    doomed.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(doomed)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(
            f"The data set {dataset_id[:12]!r} is already deleted.",
            hint="Reload the page to see the list as it is now.",
        ) from error
    workspace.setup(dataset_id).unlink(missing_ok=True)
    shutil.rmtree(doomed, ignore_errors=True)


def load_setup(workspace: Workspace, dataset_id: str) -> Setup:
    """The choices made for a data set so far; an empty ``Setup`` when there are none."""
    if not _is_id(dataset_id):
        return Setup()
    path = workspace.setup(dataset_id)
    try:
        return _SETUP.validate_json(path.read_bytes())
    except FileNotFoundError:
        return Setup()
    except ValidationError as error:
        raise DataError(
            f"The saved choices for {dataset_id[:12]!r} are damaged.", hint=f"Delete {path.name}."
        ) from error


def save_setup(workspace: Workspace, dataset_id: str, setup: Setup) -> None:
    """Keep the choices for a data set; ``DataError`` when it was deleted meanwhile."""
    load_dataset(workspace, dataset_id)
    write_atomic(workspace.setup(dataset_id), _SETUP.dump_json(setup, indent=2))
