"""Explanations of a model of a table: one job per question, run by the worker, kept in its folder."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from app import results, services
from app.wording import say_plain
from automl.data.cells import cells_to_labels
from automl.data.dataset import Kind, Role
from automl.data.profile import ColumnProfile
from automl.errors import DataError
from automl.files import load_json
from automl.jobs.records import Job, JobKind, JobState
from automl.worker.explain_spec import (
    RECORD,
    RECORD_ADAPTER,
    VALUES,
    ExplainSpec,
    ExplanationRecord,
    Method,
    render_explain_spec,
)

MAX_LISTED = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a finished job left; ``frame`` is shared and must not be changed."""

    record: ExplanationRecord
    frame: pd.DataFrame

    @property
    def facts(self) -> Mapping[str, Any]:
        """What does not fit in the table."""
        return self.record.facts


@dataclass(frozen=True, kw_only=True, slots=True)
class InputColumn:
    """An input of a model as a form shows it: its cell in one row as text (None: missing), and what is usual.

    ``levels`` are the values that occur, the most frequent first; empty for numbers, dates and texts.
    """

    name: str
    kind: str
    value: str | None
    levels: tuple[str, ...] = ()
    range_text: str = ""
    is_sensitive: bool = False


def ask(search: Job, method: Method, **details: Any) -> ExplainSpec:
    """A question about the model that a search has now."""
    result = results.read_result(search.id) or {}
    return ExplainSpec(
        search=search.id, method=method, made=str(result.get("created_at") or ""), **details
    )


def submit_question(search: Job, asked: ExplainSpec) -> Job:
    """Queue it; the same question again is the same job, unless that one came to nothing."""
    same = [job for job in list_questions(search.id) if _is_same(job, asked)]
    n_failed = sum(job.state in (JobState.FAILED, JobState.STOPPED) for job in same)
    key = json.dumps([render_explain_spec(asked), n_failed], sort_keys=True)
    return services.submit(
        JobKind.EXPLAIN_TABLE, search.title, render_explain_spec(asked), dataset=search.dataset,
        key=f"explain-table-{hashlib.sha256(key.encode()).hexdigest()[:32]}",
    )  # fmt: skip


def list_questions(search_id: str) -> list[Job]:
    """Everything that was asked about the model of a search, newest first."""
    jobs = services.get_store().list_jobs(kinds=(JobKind.EXPLAIN_TABLE,), limit=MAX_LISTED)
    return [job for job in jobs if job.spec.get("search") == search_id]


def find_question(asked: ExplainSpec) -> Job | None:
    """The newest job with this very question, None where nobody asked it yet."""
    return next((job for job in list_questions(asked.search) if _is_same(job, asked)), None)


def _is_same(job: Job, asked: ExplainSpec) -> bool:
    return dict(job.spec) == render_explain_spec(asked)


def read_answer(job: Job) -> Answer | None:
    """What a finished job left; None where its files are not there."""
    folder = services.get_workspace().job(job.id)
    path = folder / RECORD
    if not path.is_file() or not (folder / VALUES).is_file():
        return None
    return _parse_answer(folder, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _parse_answer(folder: Path, _version: int) -> Answer:
    try:
        record = RECORD_ADAPTER.validate_python(load_json(folder / RECORD))
        return Answer(record=record, frame=pd.read_parquet(folder / VALUES))
    except ValueError as error:
        raise DataError(
            f"The explanation in {RECORD!r} cannot be read: {error!s:.200}.", hint="Ask again."
        ) from error


def render_answer(answer: Answer) -> str:
    """Method, settings, hash of the model, limits and every value as one JSON document (no number is null)."""
    record = RECORD_ADAPTER.dump_python(answer.record, mode="json")
    values = json.loads(answer.frame.to_json(orient="records"))
    return json.dumps({**record, "values": values}, indent=1, ensure_ascii=False) + "\n"


def find_first_row(search_id: str) -> int:
    """A row of the test part to begin with: the first one."""
    predictions = results.read_predictions(search_id)
    return 0 if predictions is None or predictions.empty else int(predictions["row_id"].iloc[0])


def read_inputs(search: Job, row_id: int) -> list[InputColumn]:
    """The inputs of a search's model with their cells in one test row; ``DataError`` when the data set is gone."""
    uses = [
        use
        for use in search.spec.get("columns") or ()
        if use["role"] == Role.FEATURE or (use["role"] == Role.SENSITIVE and use.get("is_input"))
    ]
    dataset = services.read_dataset(str(search.spec.get("data") or search.dataset))
    is_given = bool((search.spec.get("split") or {}).get("test_given"))
    row = row_id + (dataset.n_train_rows if is_given else 0)
    names = tuple(str(use["name"]) for use in uses)
    kinds = tuple(Kind(use["kind"]) for use in uses)
    cells = _read_cells(dataset.id, names, kinds, row)
    profile = services.read_profile(dataset.id)
    return [
        _build_input(use, cell, profile.column(str(use["name"])))
        for use, cell in zip(uses, cells, strict=True)
    ]


@lru_cache(maxsize=256)
def _read_cells(
    dataset_id: str, names: tuple[str, ...], kinds: tuple[Kind, ...], row: int
) -> tuple[str | None, ...]:
    """Cells as text that reads back as the same value; levels as they are called elsewhere."""
    frame = services.read_frame(dataset_id, names).iloc[[row]]
    return tuple(
        _render_level(frame[name])
        if kind is Kind.CATEGORICAL
        else _render_cell(frame[name].iloc[0])
        for name, kind in zip(names, kinds, strict=True)
    )


def _render_level(cell: "pd.Series[Any]") -> str | None:
    labels = cells_to_labels(cell)[1]
    return labels[0] if labels else None


def _render_cell(value: Any) -> str | None:
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ")
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return str(value)


def _build_input(
    use: Mapping[str, Any], cell: str | None, profile: ColumnProfile | None
) -> InputColumn:
    """The form's view of one column."""
    levels: tuple[str, ...] = ()
    usual = ""
    if use["kind"] == Kind.BOOLEAN:
        levels = ("true", "false")
    elif use["kind"] == Kind.CATEGORICAL and profile is not None:
        levels = tuple(each.value for each in profile.values)
    elif use["kind"] == Kind.NUMERIC and profile is not None and profile.quantiles:
        low, high = profile.quantiles["q05"], profile.quantiles["q95"]
        usual = say_plain("whatif.usual", low=f"{low:g}", high=f"{high:g}")
    return InputColumn(
        name=str(use["name"]),
        kind=str(use["kind"]),
        value=cell,
        levels=levels,
        range_text=usual,
        is_sensitive=use["role"] == Role.SENSITIVE,
    )
