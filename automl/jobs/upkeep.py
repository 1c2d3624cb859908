"""Workers, their child processes, and the sweep that gives a lost job back to the queue."""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from automl.jobs import schema
from automl.jobs.engine import Engines
from automl.jobs.machine import is_alive, read_machine, read_start_time
from automl.jobs.records import JobState, Outcome, ProcessRow, StopMode, WorkerRow
from automl.jobs.rows import render_outcome
from automl.jobs.transitions import Change, transition

SWEEP_SECONDS = 15.0
_FORGET_WORKER_SECONDS = 3_600.0


class JobUpkeep:
    """Who is there, and what the dead left behind."""

    def __init__(self, engines: Engines, clock: Callable[[], float]) -> None:
        self._engines = engines
        self._clock = clock

    def register_worker(self, row: WorkerRow) -> None:
        """Insert or replace a worker, with the identity of its process on this machine."""
        machine = read_machine()
        values = {
            "id": row.id,
            "host": row.host,
            "boot_id": machine.boot_id,
            "pid": row.pid,
            "pid_start_time": read_start_time(row.pid) or 0.0,
            "version": row.version,
            "slots": list(row.slots),
            "stats": dict(row.stats),
            "heartbeat_at": row.heartbeat_at,
        }
        worker = schema.worker
        statement = insert(worker).values(values)
        statement = statement.on_conflict_do_update(index_elements=[worker.c.id], set_=values)
        with self._engines.write.begin() as connection:
            connection.execute(statement)

    def heartbeat_worker(self, row: WorkerRow) -> None:
        """Save the newest statistics and the time; a worker that was forgotten is registered again."""
        worker = schema.worker
        values = {"stats": dict(row.stats), "heartbeat_at": row.heartbeat_at}
        with self._engines.write.begin() as connection:
            done = connection.execute(sa.update(worker).where(worker.c.id == row.id).values(values))
        if done.rowcount == 0:
            self.register_worker(row)

    def remove_worker(self, worker_id: str) -> None:
        """Forget a worker that ended cleanly."""
        with self._engines.write.begin() as connection:
            connection.execute(sa.delete(schema.worker).where(schema.worker.c.id == worker_id))

    def sweep(self) -> int:
        """Give back running jobs whose lease is over or whose worker's process is gone; how many.

        On this host a dead process is seen at once; elsewhere the lease has to run out. A job that has
        used its attempts fails; one that was asked to stop and discard is stopped.
        """
        with self._engines.write.begin() as connection:
            dead = self._find_dead_workers(connection)
            job = schema.job
            lost = sa.select(job).where(
                job.c.state == str(JobState.RUNNING),
                sa.or_(job.c.lease_expires_at < self._clock(), job.c.lease_owner.in_(dead)),
            )
            rows = connection.execute(lost).mappings().all()
            for row in rows:
                self._give_back(connection, row)
            self._forget_workers(connection, dead)
            return len(rows)

    def _forget_workers(self, connection: sa.Connection, dead: list[str]) -> None:
        """Remove the dead of this machine, and those of others that have been silent for long.

        A live process here stays known however long it says nothing: its children are no orphans.
        """
        worker, machine = schema.worker, read_machine()
        is_elsewhere = sa.or_(worker.c.host != machine.host, worker.c.boot_id != machine.boot_id)
        is_silent = worker.c.heartbeat_at < self._clock() - _FORGET_WORKER_SECONDS
        gone = sa.or_(worker.c.id.in_(dead), sa.and_(is_elsewhere, is_silent))
        connection.execute(sa.delete(worker).where(gone))

    def _find_dead_workers(self, connection: sa.Connection) -> list[str]:
        machine, worker = read_machine(), schema.worker
        here = sa.select(worker.c.id, worker.c.pid, worker.c.pid_start_time).where(
            worker.c.host == machine.host, worker.c.boot_id == machine.boot_id
        )
        return [row.id for row in connection.execute(here) if not is_alive(row.pid, row[2])]

    def _give_back(self, connection: sa.Connection, row: sa.RowMapping) -> None:
        now, owner = self._clock(), row["lease_owner"]
        lost = f"The worker {owner} was lost in attempt {row['attempt']} of {row['max_attempts']}."
        if row["stop_mode"] == str(StopMode.DISCARD):
            target, outcome = JobState.STOPPED, None
        elif row["attempt"] >= row["max_attempts"]:
            hint = "Read the log for what happened before; free memory, then resume."
            target, outcome = JobState.FAILED, Outcome(kind="crashed", message=lost, hint=hint)
        else:
            target, outcome = JobState.QUEUED, Outcome(kind="requeued", message=lost)
        change = Change(
            actor="sweep", at=now, kind="sweep", source=JobState.RUNNING, target=target, detail=lost
        )
        finished_at = None if target is JobState.QUEUED else now
        transition(
            connection, row["id"], change, finished_at=finished_at, **render_outcome(outcome)
        )

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database and cut it, which frees space on a full disk."""
        connection = self._engines.write.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        finally:
            connection.close()

    def add_process(self, row: ProcessRow) -> None:
        """Note a child process, to be ended should its worker die without ending it."""
        machine = read_machine()
        values = {
            "pid": row.pid,
            "pid_start_time": row.start_time,
            "worker_id": row.worker_id,
            "host": machine.host,
            "boot_id": machine.boot_id,
            "what": row.what,
        }
        with self._engines.write.begin() as connection:
            connection.execute(insert(schema.process).values(values).on_conflict_do_nothing())

    def remove_process(self, pid: int, start_time: float) -> None:
        """Forget a child process that ended."""
        process = schema.process
        with self._engines.write.begin() as connection:
            connection.execute(
                sa.delete(process).where(
                    process.c.pid == pid, process.c.pid_start_time == start_time
                )
            )

    def take_orphans(self) -> list[ProcessRow]:
        """Child processes of workers that are gone from this machine; their rows are removed."""
        machine, process = read_machine(), schema.process
        with self._engines.write.begin() as connection:
            dead = set(self._find_dead_workers(connection))
            known = set(connection.scalars(sa.select(schema.worker.c.id)))
            here = sa.select(process).where(
                process.c.host == machine.host, process.c.boot_id == machine.boot_id
            )
            orphans = [
                ProcessRow(
                    pid=row.pid,
                    start_time=row.pid_start_time,
                    worker_id=row.worker_id,
                    what=row.what,
                )
                for row in connection.execute(here)
                if row.worker_id in dead or row.worker_id not in known
            ]
            for orphan in orphans:
                connection.execute(
                    sa.delete(process).where(
                        process.c.pid == orphan.pid,
                        process.c.pid_start_time == orphan.start_time,
                    )
                )
        return orphans
