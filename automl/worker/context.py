"""What a handler is given: its job, the places it may write to, and how it speaks and ends."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.execution.child import ChildRequest, Progress, run_child
from automl.execution.devices import Slot
from automl.jobs.machine import read_start_time
from automl.jobs.records import Job, JobState, Lease, Outcome, ProcessRow, StopMode
from automl.jobs.store import JobStore
from automl.settings import Settings, Workspace
from automl.worker.logs import JobLog, build_job_log

PROGRESS_SECONDS = 1.0  # at most one progress write per second and job


@dataclass(slots=True)
class HandlerContext:
    """The handler's side of one attempt at one job.

    A handler is a generator ``handle(context)`` that yields whenever it waits (at most 0.2 s between two
    yields) and ends the job by ``finish`` or ``succeed``. When it is closed (``GeneratorExit``: shutdown,
    disk full, lease lost) it must end its child processes in ``finally`` and write nothing more; the loop
    requeues the job.
    """

    job: Job
    lease: Lease
    store: JobStore
    settings: Settings
    slots: tuple[Slot, ...]
    warnings: tuple[str, ...] = ()  # about the devices: to be shown, and kept in the result
    is_finished: bool = field(default=False, init=False)
    latest_progress: Mapping[str, Any] = field(default_factory=dict, init=False)
    log: JobLog = field(init=False)
    _stop: StopMode | None = field(default=None, init=False)
    _started: float = field(default_factory=time.monotonic, init=False)
    _pending: Mapping[str, Any] | None = field(default=None, init=False)
    _written_at: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._stop = self.job.stop_mode
        self.log = build_job_log(self.workspace.job(self.job.id) / "log.jsonl")

    @property
    def workspace(self) -> Workspace:
        return self.settings.workspace

    @property
    def worker_id(self) -> str:
        return self.lease.owner

    @property
    def processes(self) -> "StoreProcessBook":
        """Where an executor notes its children (``LocalOptions.processes``)."""
        return StoreProcessBook(self.store, self.worker_id)

    def stop_mode(self) -> StopMode | None:
        """How the person asked this job to end, None while she has not; at most 0.5 s old."""
        return self._stop

    def note_stop(self, mode: StopMode | None) -> None:
        """Take over the flag that the loop has read."""
        self._stop = mode

    def consumed_seconds(self) -> float:
        """Running time of this job over all its attempts."""
        return self.job.consumed_seconds + time.monotonic() - self._started

    def report_progress(self, progress: Mapping[str, Any]) -> None:
        """Show new progress (≤ 4 KB of JSON); within a second only the newest is written."""
        self._pending = self.latest_progress = progress
        self.flush_progress()

    def flush_progress(self, *, now: bool = False) -> None:
        """Write progress that waits, when a second has passed or ``now``."""
        if self._pending is None or self.is_finished:
            return
        if now or time.monotonic() - self._written_at >= PROGRESS_SECONDS:
            pending, self._pending = self._pending, None
            self._written_at = time.monotonic()
            self.store.write_progress(self.lease, pending)

    def finish(
        self,
        state: JobState,
        result: Mapping[str, Any] | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        """End the job; the last progress is written first."""
        self.flush_progress(now=True)
        self.store.finish_job(self.lease, state, result, outcome, self.consumed_seconds())
        self.is_finished = True

    def succeed(self, result: Mapping[str, Any] | None = None) -> None:
        """End the job well."""
        self.finish(JobState.SUCCEEDED, result)


class StoreProcessBook:
    """The ``ProcessBook`` of an executor: children in the job store, swept at the next worker's start."""

    def __init__(self, store: JobStore, worker_id: str) -> None:
        self._store = store
        self._worker_id = worker_id
        self._started: dict[int, float] = {}

    def add(self, pid: int, what: str) -> None:
        """Note a child with its start time; one that is gone already needs no note."""
        started = read_start_time(pid)
        if started is None:
            return
        self._started[pid] = started
        self._store.add_process(
            ProcessRow(pid=pid, start_time=started, worker_id=self._worker_id, what=what)
        )

    def remove(self, pid: int) -> None:
        """Forget a child that ended."""
        started = self._started.pop(pid, None)
        if started is not None:
            self._store.remove_process(pid, started)


Handler = Callable[[HandlerContext], Iterator[None]]


def run_stoppable(
    context: HandlerContext, request: ChildRequest
) -> Generator[None, None, dict[str, Any] | None]:
    """Run a child and show its progress; None when the person stopped it, errors as in ``Child.result``."""

    def show(progress: Progress) -> None:
        context.report_progress({"fraction": progress.fraction, "words": progress.words})

    return run_until(lambda: context.stop_mode() is not None, run_child(request, show))


def run_until(
    is_stopped: Callable[[], bool], steps: Generator[None, None, dict[str, Any]]
) -> Generator[None, None, dict[str, Any] | None]:
    """Drive the steps of ``run_child``; the child is ended and None returned once ``is_stopped``."""
    try:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                result: dict[str, Any] = end.value
                return result
            if is_stopped():
                return None
            yield
    finally:
        steps.close()
