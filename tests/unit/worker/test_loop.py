import json
import os
import sqlite3
import time

import pytest
import sqlalchemy as sa

from automl.files import iterate_jsonl
from automl.jobs.records import JobKind, JobState, NewJob, StopMode
from automl.jobs.store import JobStore
from automl.settings import Settings
from automl.worker import task as task_module
from automl.worker.context import HandlerContext
from automl.worker.handlers import HANDLERS as REAL_HANDLERS
from automl.worker.loop import (
    IDLE_SECONDS,
    Worker,
    build_worker_row,
    prepare_workspace,
    run_claimed,
)
from automl.worker.stats import sample_stats
from tests.unit.worker.planted_handlers import HANDLERS


class Bench:
    """A worker whose ticks the test makes."""

    def __init__(self, home):
        self.settings = Settings(home=home, devices="fake:0", min_free_bytes=1_000_000)
        prepare_workspace(self.settings)
        self.store = JobStore(self.settings.workspace.database)
        self.free = 10**12
        self.worker = Worker(self.settings, self.store, HANDLERS, lambda: self.free)
        self.worker._disk.seconds = 0.0
        self.worker.start()

    def submit(self, kind=JobKind.CHECK, **spec):
        return self.store.submit_job(NewJob(kind=kind, title="x", spec=spec)).id

    def read(self, job_id):
        return self.store.read_job(job_id)

    def tick_until(self, condition, seconds=10.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            self.worker.tick()
            time.sleep(0.01)

    def tick_until_over(self, job_id):
        self.tick_until(lambda: not self.read(job_id).state.is_active)
        return self.read(job_id)


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.worker.stop()
    bench.store.close()


def test_a_job_is_claimed_handled_and_ended(bench):
    job = bench.tick_until_over(bench.submit(steps=3))
    assert (job.state, job.result, job.progress) == (JobState.SUCCEEDED, {"steps": 3}, {"step": 2})
    assert job.consumed_seconds > 0


def test_an_error_in_words_fails_the_job_with_them(bench):
    job = bench.tick_until_over(bench.submit(end="data"))
    assert job.state is JobState.FAILED
    assert (job.outcome.kind, job.outcome.message) == ("DataError", "Column 'x' is empty.")
    assert job.outcome.hint == "Ignore it."
    log = list(iterate_jsonl(bench.settings.workspace.job(job.id) / "log.jsonl"))
    assert log[-1]["message"] == "Column 'x' is empty."


@pytest.mark.parametrize("end", ["bug", "silent"])
def test_a_bug_fails_the_job_with_an_id_that_is_in_the_log(bench, end):
    job = bench.tick_until_over(bench.submit(end=end))
    assert (job.state, job.outcome.kind) == (JobState.FAILED, "bug")
    lines = (bench.settings.workspace.logs / "worker.jsonl").read_text().splitlines()
    bug = next(line for line in map(json.loads, lines) if line["event"] == "bug")
    assert bug["error_id"] in job.outcome.message
    assert "Traceback" in bug["trace"] or "RuntimeError" in bug["trace"]
    assert {"time", "level", "worker", "job"} <= set(bug)


def test_a_kind_without_a_module_fails_its_job_only(tmp_path, bench):
    bench.worker._handlers = {JobKind.CHECK: "automl.worker.nowhere:handle"}
    assert bench.tick_until_over(bench.submit()).state is JobState.FAILED
    bench.worker._handlers = HANDLERS
    assert bench.tick_until_over(bench.submit()).state is JobState.SUCCEEDED


def test_stop_reaches_a_handler_within_a_second(bench):
    job_id = bench.submit(end="forever")
    bench.tick_until(lambda: bench.read(job_id).state is JobState.RUNNING)
    bench.store.request_stop(job_id, StopMode.KEEP_BEST)
    started = time.monotonic()
    job = bench.tick_until_over(job_id)
    assert time.monotonic() - started < 1.0
    assert (job.state, job.result) == (JobState.STOPPED, {"mode": "keep_best"})


def test_stop_kills_the_child_of_a_short_job(bench):
    job_id = bench.submit(JobKind.PREDICT, function="sleep")
    bench.tick_until(lambda: bench.read(job_id).state is JobState.RUNNING)
    bench.store.request_stop(job_id, StopMode.DISCARD)
    assert bench.tick_until_over(job_id).state is JobState.STOPPED


def test_progress_and_result_of_a_child_are_the_jobs(bench):
    job = bench.tick_until_over(bench.submit(JobKind.PREDICT, function="add"))
    assert job.result["sum"] == 3
    assert job.progress == {"fraction": 1.0, "words": "Done"}


def test_two_short_jobs_run_at_once_and_not_three(bench):
    ids = [bench.submit(end="forever") for _ in range(3)]
    for _ in range(5):
        bench.worker.tick()
    states = [bench.read(job_id).state for job_id in ids]
    assert states == [JobState.RUNNING, JobState.RUNNING, JobState.QUEUED]
    bench.store.request_stop(ids[0], StopMode.DISCARD)
    bench.tick_until(lambda: bench.read(ids[2]).state is JobState.RUNNING)


def test_one_search_at_a_time_beside_short_jobs(bench):
    bench.worker._handlers = dict.fromkeys(JobKind, HANDLERS[JobKind.CHECK])
    first = bench.submit(JobKind.SEARCH, end="forever")
    second = bench.submit(JobKind.SEARCH, end="forever")
    short = bench.submit()
    assert bench.tick_until_over(short).state is JobState.SUCCEEDED
    assert bench.read(first).state is JobState.RUNNING
    assert bench.read(second).state is JobState.QUEUED


def test_stopping_gives_jobs_back_with_their_attempt(bench):
    job_id = bench.submit(end="forever")
    bench.tick_until(lambda: bench.read(job_id).state is JobState.RUNNING)
    bench.worker.tick()
    bench.worker.stop()
    job = bench.read(job_id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert "shut down" in job.outcome.message
    assert job.consumed_seconds > 0
    assert bench.store.list_workers() == []
    log = iterate_jsonl(bench.settings.workspace.job(job_id) / "log.jsonl")
    assert [line["message"] for line in log] == ["closed"]


def freeze(monkeypatch) -> None:
    """From now on more seconds have passed since the last heartbeat than a lease allows."""
    real = task_module.read_boot_clock
    monkeypatch.setattr(task_module, "read_boot_clock", lambda: real() + 51.0)


def run_for_ever(bench) -> str:
    job_id = bench.submit(end="forever")
    bench.tick_until(lambda: bench.read(job_id).state is JobState.RUNNING)
    bench.worker.tick()
    return job_id


def test_a_worker_that_was_frozen_gives_up_what_somebody_took_over(bench, monkeypatch):
    job_id = run_for_ever(bench)
    bench.worker._sweep._next = time.monotonic() + 1e9
    bench.store._clock = lambda: time.time() + 120
    bench.store.sweep()
    bench.store.claim_job("other", [JobKind.CHECK])
    bench.store._clock = time.time
    before = bench.read(job_id)
    freeze(monkeypatch)
    bench.worker.tick()
    assert bench.worker._tasks == []
    assert bench.read(job_id) == before


def test_a_worker_that_was_slow_keeps_the_job_that_nobody_took(bench, monkeypatch):
    job_id = run_for_ever(bench)
    before = bench.read(job_id)
    freeze(monkeypatch)
    bench.worker.tick()
    assert [task.context.job.id for task in bench.worker._tasks] == [job_id]
    assert bench.read(job_id).consumed_seconds > before.consumed_seconds  # a heartbeat was written


def test_a_worker_that_was_frozen_gives_up_where_the_store_cannot_be_asked(bench, monkeypatch):
    job_id = run_for_ever(bench)
    before = bench.read(job_id)
    freeze(monkeypatch)
    busy = refuse("database is locked", 1, bench.store.heartbeat)
    monkeypatch.setattr(bench.store, "heartbeat", busy)
    assert bench.worker.tick() is False
    assert bench.worker._tasks == []
    assert bench.read(job_id) == before  # the sweep gives it back


def test_a_lost_lease_ends_the_handler_and_leaves_the_new_owner_alone(bench):
    job_id = bench.submit(end="forever")
    bench.tick_until(lambda: bench.read(job_id).state is JobState.RUNNING)
    bench.worker.tick()
    bench.worker._sweep._next = time.monotonic() + 1e9
    bench.store._clock = lambda: time.time() + 120
    bench.store.sweep()
    other = bench.store.claim_job("other", [JobKind.CHECK])
    bench.store._clock = time.time
    bench.worker._tasks[0]._beat_at -= 11  # a heartbeat is due
    bench.worker.tick()
    assert bench.worker._tasks == []
    assert bench.read(job_id).lease_owner == "other"
    bench.store.heartbeat(other, 1.0)


def test_a_full_disk_pauses_searches_and_refuses_new_work_visibly(bench):
    bench.worker._handlers = dict.fromkeys(JobKind, HANDLERS[JobKind.CHECK])
    search = bench.submit(JobKind.SEARCH, end="forever")
    bench.tick_until(lambda: bench.read(search).state is JobState.RUNNING)
    bench.free = 400_000  # below half of min_free_bytes
    bench.worker.tick()
    bench.worker.tick()
    job = bench.read(search)
    assert (job.state, job.outcome.kind, job.attempt) == (JobState.QUEUED, "disk_full", 0)
    assert "space" in job.outcome.message
    assert job.not_before > time.time() + 30
    imported, checked = bench.submit(JobKind.IMPORT), bench.submit(JobKind.CHECK)
    assert bench.tick_until_over(checked).state is JobState.SUCCEEDED
    assert bench.read(imported).state is JobState.QUEUED
    bench.worker._sample()
    assert "MB are free" in bench.store.list_workers()[0].stats["refuses"]
    bench.free = 10**12
    assert bench.tick_until_over(imported).state is JobState.SUCCEEDED


def test_a_handler_that_fills_the_disk_is_paused_not_failed(bench):
    job_id = bench.submit(end="full")
    bench.tick_until(lambda: bench.read(job_id).outcome is not None)
    job = bench.read(job_id)
    assert (job.state, job.outcome.kind) == (JobState.QUEUED, "disk_full")


def refuse(message: str, times: int, then):
    """A stand-in for a store's method that fails some times first."""
    calls = []

    def call(*args, **options):
        calls.append(args)
        if len(calls) <= times:
            raise sa.exc.OperationalError("UPDATE", {}, sqlite3.OperationalError(message))
        return then(*args, **options)

    call.calls = calls
    return call


def test_a_busy_store_delays_a_heartbeat_and_nothing_more(bench, monkeypatch):
    job_id = bench.submit(end="forever")
    bench.tick_until(lambda: bench.read(job_id).state is JobState.RUNNING)
    beat = refuse("database is locked", 2, bench.store.heartbeat)
    monkeypatch.setattr(bench.store, "heartbeat", beat)
    bench.worker._tasks[0]._beat_at -= 11
    bench.tick_until(lambda: len(beat.calls) >= 3)
    assert bench.read(job_id).state is JobState.RUNNING
    bench.worker.tick()
    assert len(beat.calls) == 3  # the third was good: the next is due in ten seconds


def test_a_store_that_stays_busy_gives_the_job_back(bench, monkeypatch):
    job_id = bench.submit(steps=3)
    write = refuse("database is locked", 1, bench.store.write_progress)
    monkeypatch.setattr(bench.store, "write_progress", write)
    bench.tick_until(lambda: bench.read(job_id).outcome is not None)
    assert "busy" in bench.read(job_id).outcome.message
    assert bench.tick_until_over(job_id).state is JobState.SUCCEEDED


def test_a_full_disk_under_the_store_is_survived(bench, monkeypatch):
    job_id = bench.submit(steps=3)
    full = "database or disk is full"
    write = refuse(full, 1, bench.store.write_progress)
    requeue = refuse(full, 1, bench.store.requeue_job)
    monkeypatch.setattr(bench.store, "write_progress", write)
    monkeypatch.setattr(bench.store, "requeue_job", requeue)
    monkeypatch.setattr(bench.store, "sweep", refuse(full, 1, bench.store.sweep))
    bench.worker._sweep._next = 0.0
    bench.tick_until(lambda: bench.read(job_id).outcome is not None)
    assert len(requeue.calls) == 2  # once more after the checkpoint
    assert bench.read(job_id).outcome.kind == "disk_full"


def test_an_idle_worker_costs_next_to_nothing(bench):
    bench.worker.tick()
    bench.worker._stats._next = bench.worker._sweep._next = time.monotonic() + 60
    started = time.process_time()
    for _ in range(50):
        assert bench.worker.tick() is False
    seconds = (time.process_time() - started) / 50
    assert seconds < 0.02 * IDLE_SECONDS  # 2 % of a processor
    assert IDLE_SECONDS <= 0.25


def test_the_shell_runs_a_job_it_has_claimed(bench):
    row = build_worker_row(bench.worker._devices)
    bench.store.register_worker(row)
    new = NewJob(kind=JobKind.CHECK, title="x", spec={"steps": 2})
    lease = bench.store.submit_and_claim(new, row.id)
    ticks = []
    job = run_claimed(bench.settings, bench.store, lease, ticks.append, HANDLERS)
    assert job.state is JobState.SUCCEEDED
    assert isinstance(ticks[0], HandlerContext)


def test_an_interrupted_shell_gives_its_job_back(bench):
    new = NewJob(kind=JobKind.CHECK, title="x", spec={"end": "forever"})
    lease = bench.store.submit_and_claim(new, "shell")

    def interrupt(context):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_claimed(bench.settings, bench.store, lease, interrupt, HANDLERS)
    assert bench.read(lease.job.id).state is JobState.QUEUED


def test_folders_of_jobs_that_nobody_runs_are_removed_at_the_start(bench):
    tmp = bench.settings.workspace.tmp
    running = bench.store.submit_and_claim(
        NewJob(kind=JobKind.CHECK, title="x"), bench.worker.row.id
    )
    ended = bench.tick_until_over(bench.submit())
    kept = [tmp / f"{running.job.id}-1", tmp / "upload.part"]
    gone = [tmp / f"{ended.id}-1", tmp / f"{'0' * 32}-2"]
    for folder in (*kept, *gone):
        folder.mkdir()
    second = Worker(bench.settings, bench.store, HANDLERS)
    second.start()
    second.stop()
    assert set(tmp.iterdir()) == set(kept)


def test_half_data_sets_of_killed_imports_are_removed_when_they_are_old(bench):
    tmp = bench.settings.workspace.tmp
    old, new, other = tmp / "import-old", tmp / "import-new", tmp / "kept"
    for folder in (old, new, other):
        folder.mkdir()
        (folder / "table.parquet").write_text("half")
    for folder in (old, other):
        os.utime(folder, (time.time() - 7_200,) * 2)
    bench.worker.start()
    assert sorted(path.name for path in tmp.iterdir()) == ["import-new", "kept"]


def test_every_kind_has_a_handler():
    assert set(REAL_HANDLERS) == set(JobKind)


def test_the_machine_is_sampled(bench, tmp_path):
    bench.worker.tick()
    stats = bench.store.list_workers()[0].stats
    assert stats["memory_total_bytes"] > stats["memory_used_bytes"] > 0
    assert stats["devices"] == [{"name": "fake:0", "title": "fake device 0", "kind": "fake"}]
    assert stats["disk_free_bytes"] > 0
    json.dumps(sample_stats(tmp_path, bench.worker._devices.slots), allow_nan=False)
