"""The one place where a job changes state; every change leaves an event in the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from automl.jobs import schema
from automl.jobs.records import Job, JobState
from automl.jobs.rows import build_job

ALLOWED: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.STOPPED, JobState.FAILED}),
    JobState.RUNNING: frozenset(
        {JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED, JobState.STOPPED}
    ),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.STOPPED: frozenset({JobState.QUEUED}),
}

_NO_LEASE: Mapping[str, Any] = {"lease_owner": None, "lease_expires_at": None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One wanted change of state: who, when, from where to where, and the words of the event."""

    actor: str
    at: float
    kind: str
    source: JobState
    target: JobState
    detail: str = ""


def transition(
    connection: sa.Connection,
    job_id: str,
    change: Change,
    *guards: sa.ColumnElement[bool],
    **values: Any,
) -> Job | None:
    """Change the state of one job; None when it is not in ``change.source`` or a guard does not hold.

    The guards stand in the UPDATE's WHERE, so that the check and the change are one step.
    """
    if change.target not in ALLOWED[change.source]:
        raise ValueError(f"A job never goes from {change.source} to {change.target}.")
    job = schema.job
    lease = {} if change.target is JobState.RUNNING else _NO_LEASE
    statement = (
        sa.update(job)
        .where(job.c.id == job_id, job.c.state == str(change.source), *guards)
        .values(state=str(change.target), **lease, **values)
        .returning(job)
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    write_event(connection, job_id, change)
    return build_job(row)


def write_event(connection: sa.Connection, job_id: str, change: Change) -> None:
    """Append one event."""
    connection.execute(
        sa.insert(schema.event).values(
            job_id=job_id,
            at=change.at,
            actor=change.actor,
            kind=change.kind,
            from_state=str(change.source),
            to_state=str(change.target),
            detail=change.detail,
        )
    )
