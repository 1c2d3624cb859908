"""A file of rows through a bundle into a file of predictions."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from automl.data.dataset import DataKind, Note
from automl.data.loading import LoadOptions, load_raw
from automl.deploy.bundle import Bundle
from automl.deploy.neutralising import neutralise
from automl.deploy.pictures import predict_pictures
from automl.errors import DataError
from automl.files import sync_folder
from automl.settings import Settings

WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": lambda frame, path: neutralise(frame).to_csv(path, index=False),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchResult:
    """How a batch went: rows written and everything that was noticed on the way.

    ``threshold``: the probability from which a row counts as positive; None unless there are two classes.
    """

    n_rows: int
    out: Path
    notes: tuple[Note, ...]
    threshold: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values; notes as ``code, text, column, level``."""
        return {
            "n_rows": self.n_rows,
            "out": self.out.name,
            "threshold": self.threshold,
            "notes": [
                {"code": note.code, "text": note.text, "column": note.column, "level": note.level}
                for note in self.notes
            ],
        }


def require_output(path: Path) -> None:
    """Raise ``DataError`` unless predictions can be written under this name."""
    if path.suffix.lower() not in WRITERS:
        raise DataError(
            f"Predictions cannot be written to {path.name!r}.",
            hint="End the name in .csv or .parquet.",
        )


def predict_file(
    bundle: Bundle,
    source: Path,
    out: Path,
    settings: Settings,
    *,
    name: str = "",
    options: LoadOptions | None = None,
    report: Callable[[float, str], None] = lambda _share, _words: None,
    coverage: float | None = None,
) -> BatchResult:
    """Read ``source`` (CSV, TSV, Parquet, XLSX; text also gzipped), predict, write CSV or Parquet by extension.

    A bundle for pictures reads a ZIP, a folder or one picture; see ``predict_pictures`` for the rows. ``report`` is told the
    share that is done and what happens. ``coverage``: see ``Bundle.predict``.
    The rows keep their order and their ``row_id`` (or get their number from 0). Text cells that a
    spreadsheet would run as a formula are neutralised in CSV. ``out`` appears whole or not at all.
    """
    require_output(out)
    if bundle.kind is DataKind.IMAGES:
        predictions, notes = predict_pictures(
            bundle, source, settings, name=name, report=report, coverage=coverage
        )
        write_frame(predictions, out)
        return _build_result(bundle, predictions, out, notes)
    raw = load_raw(source, name or source.name, settings, options)
    predictions, notes = bundle.predict_with_notes(raw.table.to_pandas(), coverage)
    write_frame(predictions, out)
    return _build_result(bundle, predictions, out, (*raw.notes, *notes))


def _build_result(
    bundle: Bundle, predictions: pd.DataFrame, out: Path, notes: tuple[Note, ...]
) -> BatchResult:
    threshold = bundle.manifest.threshold
    return BatchResult(n_rows=len(predictions), out=out, notes=notes, threshold=threshold)


def write_frame(frame: pd.DataFrame, out: Path) -> None:
    """Write a frame as CSV or Parquet by extension; the file appears whole or not at all."""
    require_output(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    os.close(handle)
    try:
        WRITERS[out.suffix.lower()](frame, Path(draft))
        with Path(draft).open("rb") as file:
            os.fsync(file.fileno())
        Path(draft).replace(out)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync_folder(out.parent)
