"""One claimed job being handled: its generator, its heartbeats, and every way it can end."""

import contextlib
import errno
import secrets
import sqlite3
import time
import traceback
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from automl.errors import DiskFull, LeaseLost
from automl.execution.child import ChildBug
from automl.jobs.leases import HEARTBEAT_SECONDS, LEASE_SECONDS
from automl.jobs.records import JobState, Outcome
from automl.worker.context import Handler, HandlerContext
from fairness.errors import FairloomError

STOP_SECONDS = 0.5  # how old the stop flag may be
DISK_FULL_PAUSE_SECONDS = 60.0


def read_boot_clock() -> float:
    """Seconds that also pass while the machine sleeps: a suspended worker must notice."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Task:
    """Drives a handler step by step; ``is_over`` once the job is no longer ours."""

    def __init__(self, context: HandlerContext, handler: Handler, log: Any) -> None:
        self.context = context
        self.is_over = False
        self._log = log.bind(job=context.job.id, kind=str(context.job.kind))
        self._beat_at = read_boot_clock()
        self._stop_read_at = 0.0
        self._steps: Iterator[None] | None = None
        self._handler = handler

    def advance(self) -> None:
        """Beat, read the stop flag, write waiting progress, then let the handler take one step."""
        if self.is_over:
            return
        try:
            if not self._fence():
                return
            self._look_after()
            if self._steps is None:
                self._steps = iter(self._handler(self.context))
            next(self._steps)
        except StopIteration:
            self._end_of_handler()
        except LeaseLost as error:
            self.abandon(error.message)
        except Exception as error:  # noqa: BLE001 (every end of a handler becomes an end of its job)
            self._fail(error)

    def _fence(self) -> bool:
        """Whether the job is still ours: after a long silence the store must say so before anything is written.

        A frozen process must not wake up as a second writer (``LeaseLost`` where somebody took over); one
        that was merely slow goes on.
        """
        now = read_boot_clock()
        silent = now - self._beat_at
        if silent <= LEASE_SECONDS - HEARTBEAT_SECONDS:
            return True
        self._beat(now)
        if self._beat_at == now:
            self._log.warning("the job went on after a silence", seconds=round(silent))
            return True
        self.abandon(f"No heartbeat for {silent:.0f} s.")
        return False

    def _look_after(self) -> None:
        context, now = self.context, read_boot_clock()
        if now - self._beat_at >= HEARTBEAT_SECONDS:
            self._beat(now)
        elif now - self._stop_read_at >= STOP_SECONDS:
            context.note_stop(context.store.read_stop(context.job.id))
            self._stop_read_at = now
        context.flush_progress()

    def _beat(self, now: float) -> None:
        """Beat; a store that is busy is asked again, until the fence says that it was too long."""
        context = self.context
        try:
            context.note_stop(context.store.heartbeat(context.lease, context.consumed_seconds()))
            self._beat_at = now
        except sa.exc.OperationalError as error:
            if not is_busy(error):
                raise
            self._log.warning("no heartbeat: the job store is busy")

    def _end_of_handler(self) -> None:
        self.is_over = True
        if self.context.is_finished:
            self._log.info("job done")
            return
        job = self.context.store.read_job(self.context.job.id)
        if job is not None and job.state is JobState.RUNNING:
            self._finish_failed(RuntimeError("The handler ended without a result."))

    def _fail(self, error: Exception) -> None:
        self._close()
        if is_disk_full(error):
            self.requeue_disk_full()
        elif is_busy(error):
            self.requeue("The job store was busy for too long; the job goes on shortly.")
        else:
            self._finish_failed(error)

    def _finish_failed(self, error: Exception) -> None:
        self.is_over = True
        context = self.context
        outcome = self._describe(error)
        self._log.warning("job failed", outcome=outcome.kind, message=outcome.message)
        with contextlib.suppress(OSError):  # a log that cannot be written must not hide the failure
            context.log("error", outcome.message)
        try:
            context.finish(JobState.FAILED, None, outcome)
        except (LeaseLost, sa.exc.OperationalError) as second:
            self._log.error("the failure could not be saved", message=str(second))

    def _describe(self, error: Exception) -> Outcome:
        if isinstance(error, FairloomError):
            return Outcome(kind=type(error).__name__, message=error.message, hint=error.hint)
        error_id = secrets.token_hex(4)
        trace = error.trace if isinstance(error, ChildBug) else ""
        trace = trace or "".join(traceback.format_exception(error))
        self._log.error("bug", error_id=error_id, trace=trace)
        return Outcome(
            kind="bug",
            message=f"Something went wrong inside Fairloom (error {error_id}: {error}).",
            hint="The log on the System page holds the details under this error id.",
        )

    def requeue(self, reason: str, not_before: float = 0.0, *, kind: str = "requeued") -> None:
        """End the handler and give the job back with a reason; the attempt does not count."""
        if self.is_over:
            return
        self._close()
        self.is_over = True
        try:
            self._requeue(reason, not_before, kind)
            self._log.info("job requeued", reason=reason)
        except (LeaseLost, sa.exc.OperationalError) as error:  # the sweep gives it back
            self._log.error("the job could not be requeued", message=str(error))

    def _requeue(self, reason: str, not_before: float, kind: str) -> None:
        """Requeue, once more after the write-ahead log was cut, should the disk be full."""
        context = self.context
        for is_last in (False, True):
            try:
                context.store.requeue_job(
                    context.lease,
                    reason,
                    not_before,
                    kind=kind,
                    consumed_seconds=context.consumed_seconds(),
                )
            except sa.exc.OperationalError as error:
                if is_last or not is_disk_full(error):
                    raise
                context.store.checkpoint()
            else:
                return

    def requeue_disk_full(self) -> None:
        """Pause the job until there may be space again; the page shows the reason and the time."""
        self.requeue(
            "The disk is full. The job goes on when space is free.",
            time.time() + DISK_FULL_PAUSE_SECONDS,
            kind="disk_full",
        )

    def abandon(self, reason: str) -> None:
        """End the handler and write nothing: the job is somebody else's."""
        self._close()
        self.is_over = True
        self._log.warning("job abandoned", reason=reason)

    def _close(self) -> None:
        """Close the generator, so that its ``finally`` ends its children; a bug there is logged."""
        steps, self._steps = self._steps, None
        close = getattr(steps, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception as error:  # noqa: BLE001 (the job must still be given back)
            self._log.error("a handler failed while it was closed", message=repr(error))


def is_busy(error: Exception) -> bool:
    """Whether SQLite gave up waiting for another writer."""
    return isinstance(error, sa.exc.OperationalError) and "locked" in str(error.orig)


def is_disk_full(error: Exception) -> bool:
    """ENOSPC in its forms: ours, the system's, and SQLite's two messages for it."""
    if isinstance(error, DiskFull):
        return True
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, sa.exc.OperationalError) and isinstance(error.orig, sqlite3.Error):
        return "disk is full" in str(error.orig) or "disk I/O error" in str(error.orig)
    return False
