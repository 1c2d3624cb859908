"""Files that are typed but not kept: a table of decisions to audit."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from automl.data.dataset import Column, Note
from automl.data.inference import infer_column
from automl.data.loading import LoadOptions, load_raw
from automl.data.store import build_frame
from automl.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedTable:
    """A typed frame, its columns with their kinds, and what was noticed."""

    frame: "pd.DataFrame"
    columns: tuple[Column, ...]
    notes: tuple[Note, ...]


def load_typed(
    path: Path, name: str, settings: Settings, options: LoadOptions | None = None
) -> TypedTable:
    """A file as ``load_frame`` would give it after an import, without a workspace."""
    options = options or LoadOptions()
    raw = load_raw(path, name, settings, options)
    typed = [
        infer_column(title, raw.table.column(title), options.decimal)
        for title in raw.table.column_names
    ]
    table = pa.table({item.column.name: item.array for item in typed})
    return TypedTable(
        frame=build_frame(table),
        columns=tuple(item.column for item in typed),
        notes=(*raw.notes, *(note for item in typed for note in item.notes)),
    )
