"""Explanations of a model of a table: one job per question, run by the worker, kept in its folder."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from app import results, services
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
