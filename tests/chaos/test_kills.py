"""Processes die at the worst moment; the end must be that of an undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from automl.jobs.machine import read_machine, read_start_time
from automl.jobs.records import JobKind, JobState, ProcessRow, StopMode, WorkerRow
from automl.worker.loop import Worker
from tests.chaos.conftest import is_running

pytestmark = pytest.mark.chaos


def test_a_killed_worker_takes_its_trainers_along_and_its_job_goes_on(colony):
    job_id = colony.submit(trials=16, seconds=0.08)
    worker = colony.start_worker()
    pids = colony.wait_for_trials(job_id, 3)
    assert all(is_running(pid) for pid in pids["trainers"].values())
    worker.kill()
    worker.wait()
    colony.wait_until_gone(pids["trainers"].values())
    assert colony.store.read_job(job_id).state is JobState.RUNNING
    started = time.monotonic()
    colony.start_worker()
    colony.wait(
        lambda: colony.store.read_job(job_id).lease_owner not in (None, *owners(colony, worker))
    )
    assert time.monotonic() - started < 10  # at once, not after the lease
    colony.wait_until_over(job_id)
    colony.check_complete(job_id, 16)


def owners(colony, worker):
    return [row.id for row in colony.store.list_workers() if row.pid == worker.pid]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_end_gives_its_job_back_within_seconds(colony, number):
    job_id = colony.submit(trials=1_000)
    worker = colony.start_worker()
    pids = colony.wait_for_trials(job_id, 2)
    started = time.monotonic()
    worker.send_signal(number)
    assert worker.wait(timeout=10) == 0
    assert time.monotonic() - started < 5
    job = colony.store.read_job(job_id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert job.outcome.message
    assert job.consumed_seconds > 0
    colony.wait_until_gone(pids["trainers"].values(), 2)
    assert colony.store.list_workers() == []
    assert colony.store.take_orphans() == []


def test_killed_trainers_are_replaced_and_no_trial_is_lost(colony):
    job_id = colony.submit(trials=16, seconds=0.1)
    colony.start_worker()
    for n in (2, 5, 8):
        pids = colony.wait_for_trials(job_id, n)
        os.kill(next(iter(pids["trainers"].values())), signal.SIGKILL)
    colony.wait_until_over(job_id)
    colony.check_complete(job_id, 16)


def test_a_worker_that_was_frozen_past_its_lease_writes_nothing_more(colony):
    job_id = colony.submit(trials=1_000, seconds=0.05)
    worker = colony.start_worker()
    pids = colony.wait_for_trials(job_id, 2)
    worker.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    colony.store._clock = lambda: time.time() + 120
    assert colony.store.sweep() == 1
    lease = colony.store.claim_job("other", list(JobKind))
    assert lease.job.id == job_id
    n_trials = colony.store.count_trials(job_id)
    worker.send_signal(signal.SIGCONT)
    colony.wait_until_gone(pids["trainers"].values(), 15)  # it noticed and ended them
    assert worker.poll() is None
    assert colony.store.count_trials(job_id) == n_trials
    assert colony.store.read_job(job_id).lease_owner == "other"
    colony.store.finish_job(lease, JobState.STOPPED)


def test_stop_in_mid_search_keeps_what_is_done(colony):
    job_id = colony.submit(trials=1_000)
    colony.start_worker()
    pids = colony.wait_for_trials(job_id, 3)
    colony.store.request_stop(job_id, StopMode.KEEP_BEST)
    job = colony.wait_until_over(job_id)
    assert job.state is JobState.STOPPED
    assert colony.store.count_trials(job_id) >= 3
    colony.wait_until_gone(pids["trainers"].values())


def test_orphans_of_a_dead_worker_are_ended_by_pid_and_start_time(colony):
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    innocent = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    row = WorkerRow(
        id="dead",
        host=read_machine().host,
        pid=dead.pid,
        version="0",
        slots=(),
        heartbeat_at=time.time(),
    )
    colony.store.register_worker(row)
    started = read_start_time(orphan.pid)
    for pid, start_time in ((orphan.pid, started), (innocent.pid, started - 1e6)):
        colony.store.add_process(
            ProcessRow(pid=pid, start_time=start_time, worker_id="dead", what="trainer")
        )
    try:
        colony.settings.workspace.logs.mkdir()
        worker = Worker(colony.settings, colony.store, {})
        worker.start()
        worker.stop()
        assert orphan.wait(timeout=5) == -signal.SIGKILL
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def disturb(colony, job_id: str, rng: random.Random, n_kills: int) -> None:
    """Kill a trainer or the worker at random moments; a dead worker is started again."""
    worker = colony.start_worker()
    for _ in range(n_kills):
        time.sleep(rng.expovariate(1 / 0.6))
        if not colony.store.read_job(job_id).state.is_active:
            break
        trainers = list(colony.pids(job_id).get("trainers", {}).values())
        victim = rng.choice([worker.pid, *trainers, *trainers])
        if victim == worker.pid:
            worker.kill()
            worker.wait()
            worker = colony.start_worker()
        elif is_running(victim):
            os.kill(victim, signal.SIGKILL)


@pytest.mark.parametrize(
    ("n_kills", "trials"),
    [(6, 40), pytest.param(200, 600, marks=pytest.mark.acceptance)],
)
def test_random_kills_end_like_an_undisturbed_run(colony, n_kills, trials):
    job_id = colony.submit(trials=trials, seconds=0.06)
    disturb(colony, job_id, random.Random(0), n_kills)
    colony.wait(lambda: not colony.store.read_job(job_id).state.is_active, 120)
    colony.check_complete(job_id, trials)
