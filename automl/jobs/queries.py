"""Reading the job store; nothing here can write (the engine is ``query_only``)."""

from collections.abc import Callable, Iterable

import sqlalchemy as sa

from automl.jobs import schema
from automl.jobs.engine import Engines
from automl.jobs.records import Event, Job, JobKind, JobState, StopMode, Trial, WorkerRow
from automl.jobs.rows import build_event, build_job, build_trial, build_worker


class JobQueries:
    """What pages and workers may ask. Answers are records, cheap to read every second."""

    def __init__(self, engines: Engines, clock: Callable[[], float]) -> None:
        self._engines = engines
        self._clock = clock

    def read_job(self, job_id: str) -> Job | None:
        """One job, None when there is none of that id."""
        with self._engines.read.begin() as connection:
            statement = sa.select(schema.job).where(schema.job.c.id == job_id)
            row = connection.execute(statement).mappings().one_or_none()
        return None if row is None else build_job(row)

    def list_jobs(
        self,
        kinds: Iterable[JobKind] | None = None,
        dataset: str | None = None,
        limit: int = 200,
        offset: int = 0,
    ) -> list[Job]:
        """Jobs, the newest first, of some kinds and one data set where given."""
        job = schema.job
        statement = sa.select(job).order_by(job.c.created_at.desc(), job.c.id)
        if kinds is not None:
            statement = statement.where(job.c.kind.in_([str(kind) for kind in kinds]))
        if dataset is not None:
            statement = statement.where(job.c.dataset == dataset)
        with self._engines.read.begin() as connection:
            rows = connection.execute(statement.limit(limit).offset(offset)).mappings().all()
        return [build_job(row) for row in rows]

    def has_claimable(self, kinds: Iterable[JobKind]) -> bool:
        """Whether a claim now would find a job; a read, so that an idle worker takes no write lock."""
        job = schema.job
        statement = sa.select(job.c.id).where(
            job.c.state == str(JobState.QUEUED),
            job.c.not_before <= self._clock(),
            job.c.kind.in_([str(kind) for kind in kinds]),
        )
        with self._engines.read.begin() as connection:
            return connection.execute(statement.limit(1)).first() is not None

    def read_stop(self, job_id: str) -> StopMode | None:
        """The stop flag of a job."""
        statement = sa.select(schema.job.c.stop_mode).where(schema.job.c.id == job_id)
        with self._engines.read.begin() as connection:
            value = connection.scalar(statement)
        return None if value is None else StopMode(value)

    def list_trials(self, job_id: str, offset: int = 0, limit: int | None = None) -> list[Trial]:
        """Trials of a job by number; all of them without a ``limit``."""
        trial = schema.trial
        statement = sa.select(trial).where(trial.c.job_id == job_id).order_by(trial.c.number)
        with self._engines.read.begin() as connection:
            rows = connection.execute(statement.limit(limit).offset(offset)).mappings().all()
        return [build_trial(row) for row in rows]

    def count_trials(self, job_id: str) -> int:
        """How many trials a job has, whatever their state."""
        statement = sa.select(sa.func.count()).where(schema.trial.c.job_id == job_id)
        with self._engines.read.begin() as connection:
            return int(connection.scalar(statement) or 0)

    def list_events(self, job_id: str) -> list[Event]:
        """What happened to a job, the oldest first."""
        event = schema.event
        statement = sa.select(event).where(event.c.job_id == job_id).order_by(event.c.id)
        with self._engines.read.begin() as connection:
            rows = connection.execute(statement).mappings().all()
        return [build_event(row) for row in rows]

    def list_workers(self, max_age_seconds: float | None = None) -> list[WorkerRow]:
        """Workers by their last heartbeat, the newest first; by default also silent ones."""
        worker = schema.worker
        statement = sa.select(worker).order_by(worker.c.heartbeat_at.desc())
        if max_age_seconds is not None:
            statement = statement.where(worker.c.heartbeat_at >= self._clock() - max_age_seconds)
        with self._engines.read.begin() as connection:
            rows = connection.execute(statement).mappings().all()
        return [build_worker(row) for row in rows]

    def count_looks(self, test_fingerprint: str) -> int:
        """How many models this test part has been shown so far."""
        statement = sa.select(sa.func.count()).where(
            schema.look.c.test_fingerprint == test_fingerprint
        )
        with self._engines.read.begin() as connection:
            return int(connection.scalar(statement) or 0)
