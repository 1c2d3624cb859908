"""The worker: one cooperative process that claims jobs and drives their handlers, step by step.

There is one thread. A thread that beats beside a hung loop would lie about the job; and child processes
must be started from the main thread, because their death signal is tied to it.
"""

import contextlib
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import sqlalchemy as sa

from automl.errors import SettingsError
from automl.execution.devices import Devices, find_devices
from automl.jobs.machine import kill_group, read_machine
from automl.jobs.records import Job, JobKind, JobState, Lease, WorkerRow
from automl.jobs.store import JobStore
from automl.jobs.upkeep import SWEEP_SECONDS
from automl.settings import Settings
from automl.version import VERSION
from automl.worker.context import HandlerContext
from automl.worker.handlers import HANDLERS, load_handler
from automl.worker.logs import close_log, open_log
from automl.worker.stats import sample_stats
from automl.worker.task import Task

IDLE_SECONDS = 0.2
BUSY_SECONDS = 0.02
STATS_SECONDS = 2.0
DISK_SECONDS = 5.0
LEFTOVER_SECONDS = 3_600.0  # no import and no deletion takes as long
MAX_SHORT_JOBS = 2
_LIGHT = frozenset({JobKind.CHECK})  # writes next to nothing: also runs when space is short


@dataclass(slots=True)
class _Every:
    """True at most once per ``seconds``, the first time at once."""

    seconds: float
    _next: float = 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self.seconds
        return True


class Worker:
    """At most one search and two short jobs at once; ``tick`` advances everything by one step."""

    def __init__(
        self,
        settings: Settings,
        store: JobStore,
        handlers: Mapping[JobKind, str] = HANDLERS,
        read_free_bytes: Callable[[], int] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._handlers = handlers
        self._root = settings.workspace.root
        self._read_free = read_free_bytes or (lambda: shutil.disk_usage(self._root).free)
        self._devices = find_devices(settings)
        self.row = build_worker_row(self._devices)
        self._log = open_log(settings.workspace.logs / "worker.jsonl").bind(worker=self.row.id)
        self._tasks: list[Task] = []
        self._free_bytes = self._read_free()
        self._stats, self._sweep, self._disk = (
            _Every(STATS_SECONDS),
            _Every(SWEEP_SECONDS),
            _Every(DISK_SECONDS),
        )
        self.is_stopping = False

    def start(self) -> None:
        """Register, and end or remove what a dead predecessor left."""
        self._store.register_worker(self.row)
        self._store.sweep()
        for orphan in self._store.take_orphans():
            if kill_group(orphan.pid, orphan.start_time):
                self._log.warning("orphan ended", pid=orphan.pid, what=orphan.what)
        self._remove_leftovers()
        self._log.info("worker started", slots=self.row.slots, warnings=self._devices.warnings)

    def _remove_leftovers(self) -> None:
        """Remove temporary folders (``<job>-<lease token>``) of jobs that nobody runs, and half data sets."""
        tmp = self._settings.workspace.tmp
        for folder in tmp.glob(f"{'[0-9a-f]' * 32}-*"):
            job = self._store.read_job(folder.name.partition("-")[0])
            if job is None or job.state is not JobState.RUNNING:
                shutil.rmtree(folder, ignore_errors=True)
        old = time.time() - LEFTOVER_SECONDS
        for folder in (*tmp.glob("import-*"), *tmp.glob("deleted-*")):
            with contextlib.suppress(FileNotFoundError):
                if folder.stat().st_mtime < old:
                    shutil.rmtree(folder, ignore_errors=True)

    def tick(self) -> bool:
        """One step of everything; whether any job is in hand."""
        try:
            self._keep_up()
        except (
            sa.exc.OperationalError
        ) as error:  # a full disk or a busy store: the next tick tries again
            self._log.error("upkeep failed", message=str(error.orig))
        for task in self._tasks:
            task.advance()
        self._tasks = [task for task in self._tasks if not task.is_over]
        return bool(self._tasks)

    def _keep_up(self) -> None:
        if self._disk():
            self._watch_disk()
        if self._stats():
            self._sample()
        if self._sweep():
            self._store.sweep()
        self._claim()

    def _sample(self) -> None:
        stats = sample_stats(self._root, self._devices.slots)
        stats |= {"refuses": self._explain_refusal(), "warnings": list(self._devices.warnings)}
        stats["jobs"] = [task.context.job.id for task in self._tasks]
        self.row = replace(self.row, stats=stats, heartbeat_at=time.time())
        self._store.heartbeat_worker(self.row)

    def _explain_refusal(self) -> str:
        if self._free_bytes >= self._settings.min_free_bytes:
            return ""
        return (
            f"{self._free_bytes / 1e6:,.0f} MB are free on the disk; new work starts at "
            f"{self._settings.min_free_bytes / 1e6:,.0f} MB."
        )

    def _watch_disk(self) -> None:
        self._free_bytes = self._read_free()
        if self._free_bytes < self._settings.min_free_bytes / 2:
            for task in self._tasks:
                if task.context.job.kind is JobKind.SEARCH:
                    task.requeue_disk_full()

    def _claim(self) -> None:
        kinds = self._list_wanted()
        if not kinds or not self._store.has_claimable(kinds):
            return
        lease = self._store.claim_job(self.row.id, kinds)
        if lease is not None:
            self._tasks.append(self._build_task(lease))

    def _list_wanted(self) -> list[JobKind]:
        running = [task.context.job.kind for task in self._tasks]
        n_searches = running.count(JobKind.SEARCH)
        is_short_of_space = self._free_bytes < self._settings.min_free_bytes
        wanted = []
        for kind in self._handlers:
            is_search = kind is JobKind.SEARCH
            has_room = n_searches == 0 if is_search else len(running) - n_searches < MAX_SHORT_JOBS
            if has_room and (kind in _LIGHT or not is_short_of_space):
                wanted.append(kind)
        return wanted

    def _build_task(self, lease: Lease) -> Task:
        self._log.info("job claimed", job=lease.job.id, attempt=lease.job.attempt)
        return build_task(
            self._settings, self._store, lease, self._devices, self._handlers, self._log
        )

    def stop(self) -> None:
        """Requeue everything cleanly and leave."""
        for task in self._tasks:
            task.requeue("The worker was shut down; the job goes on when one is there again.")
        self._tasks = []
        with contextlib.suppress(sa.exc.OperationalError):  # the sweep forgets it otherwise
            self._store.remove_worker(self.row.id)
        self._log.info("worker ended")
        close_log(self._log)

    def run(self) -> None:
        """Tick until asked to stop."""
        self.start()
        try:
            while not self.is_stopping:
                time.sleep(BUSY_SECONDS if self.tick() else IDLE_SECONDS)
        finally:
            self.stop()


def build_worker_row(devices: Devices) -> WorkerRow:
    """A new worker identity for this process."""
    host = read_machine().host
    return WorkerRow(
        id=f"{host}-{os.getpid()}-{secrets.token_hex(3)}",
        host=host,
        pid=os.getpid(),
        version=VERSION,
        slots=tuple(slot.name for slot in devices.slots),
        heartbeat_at=time.time(),
    )


def build_task(
    settings: Settings,
    store: JobStore,
    lease: Lease,
    devices: Devices,
    handlers: Mapping[JobKind, str],
    log: Any,
) -> Task:
    """The task of a claimed job; a handler that cannot be imported fails the job, not the worker."""
    context = HandlerContext(
        job=lease.job,
        lease=lease,
        store=store,
        settings=settings,
        slots=devices.slots,
        warnings=devices.warnings,
    )

    def handle(context: HandlerContext) -> Iterator[None]:
        yield from load_handler(context.job.kind, handlers)(context)

    return Task(context, handle, log)


def run_worker(settings: Settings, handlers: Mapping[JobKind, str] = HANDLERS) -> None:
    """Run a worker in this process until SIGTERM or SIGINT; a second signal ends it at once.

    Must be called in the main thread.
    """
    prepare_workspace(settings)
    store = JobStore(settings.workspace.database)
    worker = Worker(settings, store, handlers)

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        if worker.is_stopping:
            raise SystemExit(128 + number)
        worker.is_stopping = True

    with _handling((signal.SIGTERM, signal.SIGINT), ask_to_stop):
        try:
            worker.run()
        finally:
            store.close()


def run_claimed(
    settings: Settings,
    store: JobStore,
    lease: Lease,
    on_tick: Callable[[HandlerContext], None] | None = None,
    handlers: Mapping[JobKind, str] = HANDLERS,
) -> Job:
    """Handle one job that this process has claimed (the shell, Python); its final state.

    ``lease.owner`` should be a registered worker (``build_worker_row``), so that another worker takes the
    job over should this process die. ``on_tick`` is called between steps. On any exception, Ctrl-C
    included, the children are ended and the job is given back.
    """
    log = open_log(settings.workspace.logs / "worker.jsonl").bind(worker=lease.owner)
    task = build_task(settings, store, lease, find_devices(settings), handlers, log)
    try:
        while not task.is_over:
            task.advance()
            if on_tick is not None:
                on_tick(task.context)
            time.sleep(BUSY_SECONDS)
    finally:
        task.requeue("The process that ran it was interrupted.")
        close_log(log)
    job = store.read_job(lease.job.id)
    return lease.job if job is None else job


def prepare_workspace(settings: Settings) -> None:
    """Create the workspace's folders, for the owner only."""
    workspace = settings.workspace
    try:
        workspace.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (workspace.incoming, workspace.run, workspace.logs, workspace.tmp):
            folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"The workspace {str(workspace.root)!r} cannot be used: {error.strerror}.",
            hint="Name another folder with FAIRLOOM_HOME.",
        ) from error


@contextlib.contextmanager
def _handling(
    signals: tuple[signal.Signals, ...], handler: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    """Handle signals within a block."""
    previous = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)
