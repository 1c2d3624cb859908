"""The process itself as a worker of its own jobs, as the shell and Python use it."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.execution.child import ChildRequest, Limits, run_child
from automl.execution.devices import Devices, find_devices
from automl.jobs.records import Job, NewJob, StopMode
from automl.jobs.store import JobStore
from automl.settings import Settings
from automl.worker.child_folder import render_settings
from automl.worker.context import HandlerContext
from automl.worker.loop import build_worker_row, prepare_workspace, run_claimed

WORKER_BEAT_SECONDS = 5.0

Listen = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnWorker:
    """The process itself as a worker of its own jobs."""

    settings: Settings
    store: JobStore
    devices: Devices
    worker_id: str
    beat: Callable[[], None]

    def run(
        self, new: NewJob, listen: Listen, should_stop: Callable[[], bool] = lambda: False
    ) -> Job:
        """Submit, claim and handle one job; its final state."""
        lease = self.store.submit_and_claim(new, self.worker_id)
        asked = False

        def tick(context: HandlerContext) -> None:
            nonlocal asked
            self.beat()
            if should_stop() and not asked:
                asked = True
                self.store.request_stop(context.job.id, StopMode.KEEP_BEST)
            listen(context.latest_progress)

        job = lease.job
        try:
            job = run_claimed(self.settings, self.store, lease, tick)
        finally:
            if job.state.is_active:
                self.store.request_stop(job.id, StopMode.DISCARD)  # nobody is to go on with it
        return job


@contextlib.contextmanager
def open_own_worker(settings: Settings) -> Iterator[OwnWorker]:
    """Register this process as a worker, so that another one takes over should it die."""
    prepare_workspace(settings)
    store = JobStore(settings.workspace.database)
    devices = find_devices(settings)
    row = build_worker_row(devices)
    store.register_worker(row)
    due = time.monotonic() + WORKER_BEAT_SECONDS

    def beat() -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + WORKER_BEAT_SECONDS
            store.heartbeat_worker(replace(row, heartbeat_at=time.time()))

    try:
        yield OwnWorker(
            settings=settings, store=store, devices=devices, worker_id=row.id, beat=beat
        )
    finally:
        store.remove_worker(row.id)
        store.close()


def run_limited(
    settings: Settings,
    function: str,
    arguments: Mapping[str, Any],
    timeout_seconds: float | None = None,
) -> dict[str, Any]:
    """Run a function that reads foreign files in a limited child process and wait for it."""
    with tempfile.TemporaryDirectory(prefix="fairloom-") as folder:
        request = ChildRequest(
            function=function,
            arguments={**arguments, "settings": render_settings(settings)},
            folder=Path(folder),
            limits=Limits(
                timeout_seconds=timeout_seconds or settings.import_seconds,
                memory_bytes=settings.import_memory_bytes,
            ),
        )
        return _wait(run_child(request))


def _wait(steps: Generator[None, None, dict[str, Any]]) -> dict[str, Any]:
    try:
        while True:
            next(steps)
            time.sleep(0.02)
    except StopIteration as end:
        result: dict[str, Any] = end.value
        return result
    finally:
        steps.close()
