"""The test rows of a finished search beside what was decided for them: errors, columns of the data set, cohorts.

The data set may be gone; then the sensitive columns, which the predictions keep, are the only ones to look at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app import results, services
from app.picture_results import FILE
from automl.data.dataset import Column, Dataset, Kind
from automl.errors import DataError
from automl.evaluation.error_slices import ErrorSlices, compute_error_by, find_slices
from automl.evaluation.slice_tree import mark_rows
from automl.jobs.records import Job
from fairness.errors import AuditError
from fairness.groups import Grouping, build_grouping

SENSITIVE = "sensitive_"
UNREAD = (Kind.IMAGE, Kind.TEXT)  # no cohort can be named by them

Which = Literal["wrong", "right", "all", "high", "low"]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where the rows come from; the same source is read once."""

    search: str
    path: Path
    version: int
    dataset: str
    kinds: tuple[tuple[str, Kind], ...]
    target: str
    classes: tuple[str, ...]
    is_given_test: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorRows:
    """One row per test row in three places, in the same order.

    ``rows``: ``row`` (of the data set), ``row_id`` (of its own file, from 0), ``truth, prediction, error``
    (1 or 0, or the absolute residual), and ``confidence`` (probability of the decision) or ``residual``; pictures
    also ``file``. ``columns``: the columns of the data set, or the sensitive ones where it is gone. ``kinds``: those
    that cohorts are named by. ``left_out`` are the others. ``dataset`` is None where it is gone.
    """

    source: Source
    rows: pd.DataFrame
    columns: pd.DataFrame
    kinds: Mapping[str, Kind]
    left_out: tuple[str, ...]
    groups: tuple[Grouping, ...]
    refused: tuple[str, ...]
    dataset: Dataset | None

    @property
    def is_value(self) -> bool:
        """Whether a value is predicted, not a class."""
        return not self.source.classes

    @property
    def errors(self) -> NDArray[np.float64]:
        return self.rows["error"].to_numpy(dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which rows a person asks for; None is no condition. ``high`` and ``low`` are values predicted so."""

    which: Which = "all"
    truth: str | None = None
    prediction: str | None = None
    confidence: tuple[float, float] = (0.0, 1.0)
    cohort: Marks | None = None


def read_error_rows(job: Job, result: Mapping[str, Any]) -> ErrorRows | None:
    """The test rows of a search, None where it kept no predictions."""
    path = results.get_result_file(job.id, "predictions.parquet")
    if not path.is_file():
        return None
    task = job.spec.get("task") or result.get("task") or {}
    uses = job.spec.get("columns") or ()
    return _read(
        Source(
            search=job.id,
            path=path,
            version=path.stat().st_mtime_ns,
            dataset=str(job.spec.get("data") or job.dataset),
            kinds=tuple((str(use["name"]), Kind(use["kind"])) for use in uses),
            target=str(task.get("target", "")),
            classes=tuple(map(str, task.get("classes") or ())),
            is_given_test=bool((job.spec.get("split") or {}).get("test_given")),
        )
    )


def read_slices(found: ErrorRows) -> ErrorSlices:
    """The cohorts with the greatest errors; computed once."""
    return _find_slices(found.source)


def compute_by_column(found: ErrorRows, name: str) -> pd.DataFrame:
    """The error by one column: ``value, n, error, low, high``."""
    kind = found.kinds[name]
    return compute_error_by(found.columns[name], kind, found.errors, are_shares=not found.is_value)


def mark_slice(found: ErrorRows, place: int) -> Marks:
    """The rows of a slice among all test rows, those that it was found on included."""
    return mark_rows(found.columns, read_slices(found).paths[place])


def mark_group(found: ErrorRows, attribute: int, group: int) -> Marks:
    """The rows of one group of a sensitive column."""
    return np.asarray(found.groups[attribute].codes == group)


def select_rows(found: ErrorRows, wanted: Wanted) -> NDArray[np.int64]:
    """Places of the rows asked for, the most confident decision or the greatest error first."""
    rows = found.rows
    keep = np.ones(len(rows), dtype=bool) if wanted.cohort is None else wanted.cohort.copy()
    if found.is_value:
        keep &= _mark_direction(rows["residual"].to_numpy(), wanted.which)
        order = -rows["error"].to_numpy()
    else:
        confidence = rows["confidence"].to_numpy()
        if wanted.which != "all":
            keep &= (rows["error"] > 0).to_numpy() == (wanted.which == "wrong")
        if wanted.truth is not None:
            keep &= (rows["truth"] == wanted.truth).to_numpy()
        if wanted.prediction is not None:
            keep &= (rows["prediction"] == wanted.prediction).to_numpy()
        low, high = wanted.confidence
        keep &= (confidence >= low) & (confidence <= high)
        order = -confidence
    places = np.flatnonzero(keep)
    return places[np.argsort(order[places], kind="stable")]


def _mark_direction(residual: NDArray[np.float64], which: Which) -> Marks:
    if which == "all":
        return np.ones(len(residual), dtype=bool)
    return residual > 0 if which == "high" else residual < 0


def count_cells(found: ErrorRows) -> pd.DataFrame:
    """``truth, predicted, n`` for every pair of classes, in the order of the classes."""
    counts = found.rows.groupby(["truth", "prediction"]).size()
    names = found.source.classes
    cells = [(truth, seen, int(counts.get((truth, seen), 0))) for truth in names for seen in names]
    return pd.DataFrame(cells, columns=["truth", "predicted", "n"])


def build_table(found: ErrorRows, places: NDArray[np.int64]) -> pd.DataFrame:
    """Rows with what was decided and every column of the data set, the target left out."""
    kept = [
        name
        for name in ("row_id", "truth", "prediction", "confidence", "residual")
        if name in found.rows
    ]
    columns = found.columns.drop(columns=[found.source.target], errors="ignore")
    shown = columns.iloc[places].rename(
        columns=lambda name: f"column {name}" if name in kept else name
    )
    return pd.concat([found.rows[kept].iloc[places], shown], axis=1).reset_index(drop=True)


@lru_cache(maxsize=3)
def _read(source: Source) -> ErrorRows:
    predictions = results.read_predictions(source.search)
    if predictions is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    dataset = _find_dataset(source.dataset)
    first = dataset.n_train_rows if dataset is not None and source.is_given_test else 0
    rows = _build_rows(predictions, source.classes, first)
    groups, refused = _build_groups(predictions)
    if dataset is None:
        named = {
            name: name.removeprefix(SENSITIVE) for name in predictions if name.startswith(SENSITIVE)
        }
        columns = predictions[list(named)].rename(columns=named)
        kinds = {name: _guess_kind(columns[name]) for name in columns}
        left_out: tuple[str, ...] = ()
    else:
        frame = services.read_frame(dataset.id, [column.name for column in dataset.columns])
        columns = frame.iloc[rows["row"].to_numpy()].reset_index(drop=True)
        used = dict(source.kinds)
        others = [column for column in dataset.columns if column.name != source.target]
        kinds = {
            column.name: used.get(column.name, column.kind)
            for column in others
            if _can_name_cohorts(column, used.get(column.name, column.kind))
        }
        left_out = tuple(column.name for column in others if column.name not in kinds)
    return ErrorRows(
        source=source, rows=rows, columns=columns, kinds=kinds, left_out=left_out, groups=groups,
        refused=refused, dataset=dataset,
    )  # fmt: skip


def _find_dataset(dataset_id: str) -> Dataset | None:
    try:
        return services.read_dataset(dataset_id)
    except DataError:
        return None


def _can_name_cohorts(column: Column, kind: Kind) -> bool:
    """Texts, pictures, identifiers and columns of one value part no rows that anybody could name."""
    return kind not in UNREAD and column.n_distinct > 1 and "identifier" not in column.role_reason


def _guess_kind(series: "pd.Series[Any]") -> Kind:
    if pd.api.types.is_bool_dtype(series):
        return Kind.BOOLEAN
    return Kind.NUMERIC if pd.api.types.is_numeric_dtype(series) else Kind.CATEGORICAL


def _build_rows(predictions: pd.DataFrame, classes: tuple[str, ...], first: int) -> pd.DataFrame:
    row_id = predictions["row_id"].to_numpy(dtype=np.int64)
    rows = pd.DataFrame({"row": row_id + first, "row_id": row_id})
    if not classes:
        truth, value = (predictions[name].to_numpy(dtype=float) for name in ("truth", "prediction"))
        residual = value - truth
        return rows.assign(truth=truth, prediction=value, residual=residual, error=np.abs(residual))
    if FILE in predictions:
        rows[FILE] = predictions[FILE].astype(str)
    truth, decided = (predictions[name].astype(str) for name in ("truth", "prediction"))
    places = decided.map({name: place for place, name in enumerate(classes)}).to_numpy()
    share = predictions[[f"probability_{name}" for name in classes]].to_numpy(dtype=float)
    return rows.assign(
        truth=truth,
        prediction=decided,
        confidence=share[np.arange(len(rows)), places],
        error=(truth != decided).astype(float),
    )


def _build_groups(predictions: pd.DataFrame) -> tuple[tuple[Grouping, ...], tuple[str, ...]]:
    """Groups of every sensitive column, and why a column has none."""
    groups, refused = [], []
    for name in predictions:
        if not name.startswith(SENSITIVE):
            continue
        try:
            groups.append(build_grouping(name.removeprefix(SENSITIVE), predictions[name]))
        except AuditError as error:
            refused.append(str(error))
    return tuple(groups), tuple(refused)


@lru_cache(maxsize=8)
def _find_slices(source: Source) -> ErrorSlices:
    found = _read(source)
    return find_slices(found.columns, found.kinds, found.errors, are_shares=not found.is_value)
