"""Rows of the tables to records and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import sqlalchemy as sa

from automl.jobs.records import (
    Event,
    Job,
    JobKind,
    JobState,
    Outcome,
    StopMode,
    Trial,
    TrialState,
    WorkerRow,
)

_PLAIN_JOB = tuple(
    field.name
    for field in fields(Job)
    if field.name not in ("kind", "state", "stop_mode", "outcome", "note")
)


def build_job(row: sa.RowMapping) -> Job:
    """A job from its row."""
    outcome = None
    if row["outcome_kind"] is not None:
        outcome = Outcome(
            kind=row["outcome_kind"],
            message=row["outcome_message"] or "",
            hint=row["outcome_hint"] or "",
        )
    return Job(
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        stop_mode=None if row["stop_mode"] is None else StopMode(row["stop_mode"]),
        outcome=outcome,
        note=row["note"] or "",
        **{name: row[name] for name in _PLAIN_JOB},
    )


def render_outcome(outcome: Outcome | None) -> dict[str, str | None]:
    """The three outcome columns."""
    return {
        "outcome_kind": outcome.kind if outcome else None,
        "outcome_message": outcome.message if outcome else None,
        "outcome_hint": outcome.hint if outcome else None,
    }


def build_trial(row: sa.RowMapping) -> Trial:
    """A trial from its row; rows of the first release have neither facts nor an origin."""
    values = {field.name: row[field.name] for field in fields(Trial)}
    later = {"facts": values["facts"] or {}, "origin": values["origin"] or ""}
    return Trial(**{**values, **later, "state": TrialState(values["state"])})


def render_trial(job_id: str, trial: Trial) -> dict[str, Any]:
    """The row of a trial."""
    return {"job_id": job_id, **_as_plain(asdict(trial))}


def build_event(row: sa.RowMapping) -> Event:
    """An event from its row."""
    return Event(**{field.name: row[field.name] for field in fields(Event)})


def build_worker(row: sa.RowMapping) -> WorkerRow:
    """A worker from its row."""
    values = {field.name: row[field.name] for field in fields(WorkerRow)}
    return WorkerRow(**{**values, "slots": tuple(values["slots"])})


def _as_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(v) if isinstance(v, TrialState) else v for name, v in values.items()}
