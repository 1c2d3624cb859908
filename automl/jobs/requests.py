"""What a person may ask for: submit, stop, resume, describe, delete. Inserts, flags and words, nothing else."""

import secrets
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from automl.errors import JobError
from automl.jobs import schema
from automl.jobs.engine import Engines
from automl.jobs.records import Job, JobState, NewJob, StopMode, TrialState
from automl.jobs.rows import build_job, render_outcome
from automl.jobs.transitions import Change, transition, write_event
from automl.version import VERSION

LOCAL_OWNER = "local"  # without login there is one owner
MOST_TITLE, MOST_NOTE = 120, 2_000  # characters


class JobRequests:
    """The web side's writes. Each is one short transaction."""

    def __init__(self, engines: Engines, clock: Callable[[], float]) -> None:
        self._engines = engines
        self._clock = clock

    def submit_job(self, new: NewJob) -> Job:
        """Queue a job; with a known idempotency key the job of the first call is returned."""
        with self._engines.write.begin() as connection:
            return insert_job(connection, new, self._clock())

    def request_stop(self, job_id: str, mode: StopMode) -> Job:
        """Ask a job to end. A queued job without finished trials is stopped at once.

        A queued search with finished trials (requeued after a crash) keeps its place: a worker still
        has to evaluate the best. ``discard`` after ``keep_best`` wins; an ended job stays as it is.
        """
        with self._engines.write.begin() as connection:
            job = _require(connection, job_id)
            now = self._clock()
            if not job.state.is_active or job.stop_mode is StopMode.DISCARD:
                return job
            if job.state is JobState.QUEUED and (
                mode is StopMode.DISCARD or not _has_finished_trial(connection, job_id)
            ):
                return _stop_queued(connection, job, now)
            changed = _update(
                connection, job_id, stop_mode=str(mode), stop_requested_at=now, not_before=0.0
            )
            detail = f"stop: {mode}"
            note = Change(
                actor="person",
                at=now,
                kind="stop",
                source=job.state,
                target=job.state,
                detail=detail,
            )
            write_event(connection, job_id, note)
            return changed

    def resume_job(self, job_id: str) -> Job:
        """Queue a stopped or failed job again; trials and consumed seconds are kept.

        Raises
        ------
        JobError
            When the job is in another state or not there.
        """
        with self._engines.write.begin() as connection:
            job = _require(connection, job_id)
            if job.state not in (JobState.STOPPED, JobState.FAILED):
                raise JobError(
                    f"{job.title!r} is {job.state}; only a stopped or failed job can be resumed.",
                    hint="Reload the page to see its present state.",
                )
            change = Change(
                actor="person",
                at=self._clock(),
                kind="resume",
                source=job.state,
                target=JobState.QUEUED,
            )
            values = {"stop_mode": None, "stop_requested_at": None, "finished_at": None}
            resumed = transition(
                connection,
                job_id,
                change,
                attempt=0,
                not_before=0.0,
                **values,
                **render_outcome(None),
            )
            assert resumed is not None  # noqa: S101 (read in the same exclusive transaction)
            return resumed

    def describe_job(self, job_id: str, title: str, note: str) -> Job:
        """Give a job another name and a note, whatever its state; spaces around both are dropped.

        Raises
        ------
        JobError
            When the name is empty, either is too long, or the job is not there.
        """
        title, note = " ".join(title.split()), note.strip()
        if not title:
            raise JobError("A name cannot be empty.", hint="Write at least one letter.")
        for what, text, most in (("name", title, MOST_TITLE), ("note", note, MOST_NOTE)):
            if len(text) > most:
                raise JobError(
                    f"The {what} has {len(text):,} characters.", hint=f"At most {most:,} are kept."
                )
        with self._engines.write.begin() as connection:
            job = _require(connection, job_id)
            if (job.title, job.note) == (title, note):
                return job
            change = Change(
                actor="person",
                at=self._clock(),
                kind="describe",
                source=job.state,
                target=job.state,
                detail=title,
            )
            write_event(connection, job_id, change)
            return _update(connection, job_id, title=title, note=note or None)

    def delete_job(self, job_id: str) -> Job:
        """Delete an ended job with its trials and events; its files are the caller's (``workspace.job``).

        Raises
        ------
        JobError
            When the job is queued or running, or was deleted already.
        """
        with self._engines.write.begin() as connection:
            job = _require(connection, job_id)
            if job.state.is_active:
                raise JobError(
                    f"{job.title!r} is {job.state} and cannot be deleted.", hint="Stop it first."
                )
            connection.execute(sa.delete(schema.job).where(schema.job.c.id == job_id))
            return job


def insert_job(connection: sa.Connection, new: NewJob, now: float) -> Job:
    """Insert a job inside the caller's transaction, or find the one with its idempotency key."""
    job = schema.job
    values = {
        "id": secrets.token_hex(16),
        "owner": LOCAL_OWNER,
        "kind": str(new.kind),
        "state": str(JobState.QUEUED),
        "title": new.title,
        "dataset": new.dataset,
        "spec": dict(new.spec),
        "product_version": VERSION,
        "priority": 0,
        "idempotency_key": new.idempotency_key,
        "created_at": now,
        "not_before": 0.0,
        "consumed_seconds": 0.0,
        "attempt": 0,
        "max_attempts": new.max_attempts,
        "lease_token": 0,
        "progress": {},
        "result": {},
    }
    statement = insert(job).values(values).on_conflict_do_nothing().returning(job)
    row = connection.execute(statement).mappings().one_or_none()
    if row is not None:
        created = Change(
            actor="person", at=now, kind="submit", source=JobState.QUEUED, target=JobState.QUEUED
        )
        write_event(connection, str(values["id"]), created)
        return build_job(row)
    known = sa.select(job).where(
        job.c.owner == LOCAL_OWNER, job.c.idempotency_key == new.idempotency_key
    )
    return build_job(connection.execute(known).mappings().one())


def _require(connection: sa.Connection, job_id: str) -> Job:
    statement = sa.select(schema.job).where(schema.job.c.id == job_id)
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise JobError(
            f"There is no job {job_id[:40]!r}; it was already deleted, perhaps in another tab.",
            hint="Open the list to see what is there.",
        )
    return build_job(row)


def _update(connection: sa.Connection, job_id: str, **values: object) -> Job:
    job = schema.job
    statement = sa.update(job).where(job.c.id == job_id).values(**values).returning(job)
    return build_job(connection.execute(statement).mappings().one())


def _has_finished_trial(connection: sa.Connection, job_id: str) -> bool:
    trial = schema.trial
    statement = sa.select(trial.c.number).where(
        trial.c.job_id == job_id, trial.c.state == str(TrialState.COMPLETE)
    )
    return connection.execute(statement.limit(1)).first() is not None


def _stop_queued(connection: sa.Connection, job: Job, now: float) -> Job:
    change = Change(
        actor="person", at=now, kind="stop", source=JobState.QUEUED, target=JobState.STOPPED
    )
    stopped = transition(connection, job.id, change, finished_at=now, stop_requested_at=now)
    assert stopped is not None  # noqa: S101 (read in the same exclusive transaction)
    return stopped
