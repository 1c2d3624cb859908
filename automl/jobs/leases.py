"""What a worker may write, always under its lease.

Every update has ``id = … AND lease_token = … AND state = 'running'`` in its WHERE; zero rows changed means
that somebody else owns the job by now and raises ``LeaseLost``.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from automl.errors import LeaseLost
from automl.jobs import schema
from automl.jobs.engine import Engines
from automl.jobs.records import (
    Job,
    JobKind,
    JobState,
    Lease,
    NewJob,
    Outcome,
    StopMode,
    Trial,
    TrialState,
)
from automl.jobs.requests import insert_job
from automl.jobs.rows import build_job, render_outcome, render_trial
from automl.jobs.transitions import Change, transition

LEASE_SECONDS = 60.0
HEARTBEAT_SECONDS = 10.0  # a lease lasts at least six heartbeats
MAX_PROGRESS_BYTES = 4_096


class JobLeases:
    """Claim, beat, write, end."""

    def __init__(self, engines: Engines, clock: Callable[[], float]) -> None:
        self._engines = engines
        self._clock = clock

    def claim_job(self, worker_id: str, kinds: Iterable[JobKind]) -> Lease | None:
        """The oldest claimable job of these kinds, now running and ours; None when there is none."""
        job = schema.job
        candidate = (
            sa.select(job.c.id)
            .where(
                job.c.state == str(JobState.QUEUED),
                job.c.not_before <= self._clock(),
                job.c.kind.in_([str(kind) for kind in kinds]),
            )
            .order_by(job.c.priority.desc(), job.c.created_at, job.c.id)
            .limit(1)
        )
        with self._engines.write.begin() as connection:
            job_id = connection.scalar(candidate)
            return None if job_id is None else self._claim(connection, job_id, worker_id)

    def claim_submitted(self, job_id: str, worker_id: str) -> Lease | None:
        """Claim one named job, whatever its ``not_before``; None when it is not queued any more."""
        with self._engines.write.begin() as connection:
            return self._claim(connection, job_id, worker_id)

    def submit_and_claim(self, new: NewJob, worker_id: str) -> Lease:
        """Submit a job and claim it in one step, so that no other worker gets between (the shell).

        Raises
        ------
        LeaseLost
            When the idempotency key names a job that is not queued.
        """
        with self._engines.write.begin() as connection:
            job = insert_job(connection, new, self._clock())
            lease = self._claim(connection, job.id, worker_id)
        if lease is None:
            raise LeaseLost(f"The job {job.id} is {job.state} already.")
        return lease

    def _claim(self, connection: sa.Connection, job_id: str, worker_id: str) -> Lease | None:
        job, now = schema.job, self._clock()
        change = Change(
            actor=worker_id,
            at=now,
            kind="claim",
            source=JobState.QUEUED,
            target=JobState.RUNNING,
        )
        claimed = transition(
            connection,
            job_id,
            change,
            lease_owner=worker_id,
            lease_token=job.c.lease_token + 1,
            attempt=job.c.attempt + 1,
            lease_expires_at=now + LEASE_SECONDS,
            started_at=sa.func.coalesce(job.c.started_at, now),
            **render_outcome(None),
        )
        if claimed is None:
            return None
        token = connection.scalar(sa.select(job.c.lease_token).where(job.c.id == job_id))
        return Lease(job=claimed, owner=worker_id, token=int(token or 0))

    def heartbeat(self, lease: Lease, consumed_seconds: float) -> StopMode | None:
        """Prolong the lease, save the seconds used so far, and read the stop flag."""
        expires = self._clock() + LEASE_SECONDS
        job = self._write(lease, lease_expires_at=expires, consumed_seconds=consumed_seconds)
        return job.stop_mode

    def write_progress(self, lease: Lease, progress: Mapping[str, Any]) -> None:
        """Replace the progress. More than 4 KB of JSON is a ``ValueError``: rows are for small facts."""
        size = len(json.dumps(progress, allow_nan=False).encode())
        if size > MAX_PROGRESS_BYTES:
            raise ValueError(f"Progress has {size} bytes, {MAX_PROGRESS_BYTES} are allowed.")
        self._write(lease, progress=dict(progress))

    def write_trial(self, lease: Lease, trial: Trial) -> None:
        """Insert a trial, or replace the one of that number."""
        self.write_trials(lease, [trial])

    def write_trials(self, lease: Lease, trials: Sequence[Trial]) -> None:
        """Insert or replace several trials in one transaction.

        A trial that ended with a score shows that the job can go on, and gives it its attempts back.
        """
        if not trials:
            return
        table = schema.trial
        has_score = any(t.state in (TrialState.COMPLETE, TrialState.PRUNED) for t in trials)
        with self._engines.write.begin() as connection:
            self._fence(connection, lease, **({"attempt": 1} if has_score else {}))
            statement = insert(table)
            replaced = {
                column.name: statement.excluded[column.name]
                for column in table.columns
                if not column.primary_key
            }
            statement = statement.on_conflict_do_update(
                index_elements=[table.c.job_id, table.c.number], set_=replaced
            )
            connection.execute(statement, [render_trial(lease.job.id, trial) for trial in trials])

    def record_look(self, lease: Lease, test_fingerprint: str, model_hash: str) -> int:
        """Note that a model was evaluated on a test part; the number of distinct looks at it so far."""
        look = schema.look
        with self._engines.write.begin() as connection:
            self._fence(connection, lease)
            values = {
                "test_fingerprint": test_fingerprint,
                "model_hash": model_hash,
                "job_id": lease.job.id,
                "at": self._clock(),
            }
            connection.execute(insert(look).values(values).on_conflict_do_nothing())
            seen = sa.select(sa.func.count()).where(look.c.test_fingerprint == test_fingerprint)
            return int(connection.scalar(seen) or 0)

    def finish_job(
        self,
        lease: Lease,
        state: JobState,
        result: Mapping[str, Any] | None = None,
        outcome: Outcome | None = None,
        consumed_seconds: float | None = None,
    ) -> Job:
        """End a job as succeeded, failed or stopped."""
        values: dict[str, Any] = {"finished_at": self._clock(), **render_outcome(outcome)}
        if result is not None:
            values["result"] = dict(result)
            if isinstance(result.get("dataset"), str):
                values["dataset"] = result["dataset"]  # an import learns its data set at the end
        if consumed_seconds is not None:
            values["consumed_seconds"] = consumed_seconds
        return self._end(lease, "finish", state, outcome.message if outcome else "", **values)

    def requeue_job(
        self,
        lease: Lease,
        reason: str,
        not_before: float = 0.0,
        *,
        kind: str = "requeued",
        consumed_seconds: float | None = None,
    ) -> Job:
        """Give a job back cleanly: the attempt does not count; ``reason`` is shown until it runs again."""
        values: dict[str, Any] = {
            "not_before": not_before,
            "attempt": sa.func.max(schema.job.c.attempt - 1, 0),
            **render_outcome(Outcome(kind=kind, message=reason)),
        }
        if consumed_seconds is not None:
            values["consumed_seconds"] = consumed_seconds
        return self._end(lease, "requeue", JobState.QUEUED, reason, **values)

    def _end(self, lease: Lease, kind: str, state: JobState, detail: str, **values: Any) -> Job:
        change = Change(
            actor=lease.owner,
            at=self._clock(),
            kind=kind,
            source=JobState.RUNNING,
            target=state,
            detail=detail,
        )
        with self._engines.write.begin() as connection:
            guard = schema.job.c.lease_token == lease.token
            job = transition(connection, lease.job.id, change, guard, **values)
        if job is None:
            raise _lost(lease)
        return job

    def _write(self, lease: Lease, **values: Any) -> Job:
        with self._engines.write.begin() as connection:
            return self._fence(connection, lease, **values)

    def _fence(self, connection: sa.Connection, lease: Lease, **values: Any) -> Job:
        """Update the job under the lease, or raise ``LeaseLost`` (and roll back the rest)."""
        job = schema.job
        statement = (
            sa.update(job)
            .where(
                job.c.id == lease.job.id,
                job.c.lease_token == lease.token,
                job.c.state == str(JobState.RUNNING),
            )
            .values(**(values or {"lease_token": lease.token}))
            .returning(job)
        )
        row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise _lost(lease)
        return build_job(row)


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(
        f"Worker {lease.owner} no longer owns job {lease.job.id} (lease {lease.token}).",
        hint="Another worker goes on with it; nothing is lost.",
    )
