"""What every job store must do; SQLite is the one there is."""

import itertools
import multiprocessing
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from automl.errors import JobError, LeaseLost
from automl.jobs.leases import HEARTBEAT_SECONDS, LEASE_SECONDS
from automl.jobs.machine import read_machine
from automl.jobs.records import (
    JobKind,
    JobState,
    NewJob,
    Outcome,
    ProcessRow,
    StopMode,
    Trial,
    TrialState,
    WorkerRow,
)
from automl.jobs.store import JobStore

ALL = list(JobKind)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite"])
def store(request, tmp_path, clock):
    store = JobStore(tmp_path / "fairloom.db", clock)
    yield store
    store.close()


def build_new(**changes) -> NewJob:
    return NewJob(**{"kind": JobKind.SEARCH, "title": "Search of adult", **changes})


def build_trial(number: int, **changes) -> Trial:
    values = {
        "number": number,
        "family": "mlp",
        "config": {"depth": 3, "dropout": 0.1, "norm": "none", "residual": True},
        "state": TrialState.COMPLETE,
        "stage": "search",
        "seed": 4,
        "score": 0.9,
        "optuna": {"params": {"mlp.depth": 3}, "intermediate": {"1": 0.5}},
    }
    return Trial(**{**values, **changes})


def dead_worker(store: JobStore, worker_id: str) -> None:
    """Register a worker whose process has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    row = WorkerRow(
        id=worker_id,
        host=read_machine().host,
        pid=process.pid,
        version="0",
        slots=(),
        heartbeat_at=store._clock(),
    )
    store.register_worker(row)
    process.kill()
    process.communicate()


def test_a_submitted_job_can_be_read_back(store, clock):
    new = build_new(dataset="d1", spec={"a": [1, None, "é"]}, max_attempts=2)
    job = store.submit_job(new)
    assert store.read_job(job.id) == job
    assert (job.kind, job.state, job.title) == (JobKind.SEARCH, JobState.QUEUED, new.title)
    assert (job.dataset, job.spec, job.created_at, job.max_attempts) == (
        "d1",
        {"a": [1, None, "é"]},
        clock.now,
        2,
    )
    assert job.attempt == 0
    assert job.outcome is None
    assert store.read_job("nobody") is None


def test_the_same_idempotency_key_is_one_job(store):
    first = store.submit_job(build_new(idempotency_key="click"))
    second = store.submit_job(build_new(idempotency_key="click", title="other"))
    third = store.submit_job(build_new(idempotency_key=None))
    fourth = store.submit_job(build_new(idempotency_key=None))
    assert first == second
    assert len({first.id, third.id, fourth.id}) == 3
    assert len(store.list_jobs()) == 3


def test_jobs_are_listed_newest_first_and_filtered(store, clock):
    ids = []
    for index, kind in enumerate([JobKind.IMPORT, JobKind.SEARCH, JobKind.SEARCH]):
        clock.now += 1
        ids.append(store.submit_job(build_new(kind=kind, dataset=f"d{index}")).id)
    assert [job.id for job in store.list_jobs()] == ids[::-1]
    assert [job.id for job in store.list_jobs([JobKind.SEARCH])] == [ids[2], ids[1]]
    assert [job.id for job in store.list_jobs(dataset="d1")] == [ids[1]]
    assert [job.id for job in store.list_jobs(limit=1, offset=1)] == [ids[1]]
    assert store.list_jobs([]) == []


def test_a_claim_takes_the_oldest_job_of_a_wanted_kind_once(store, clock):
    store.submit_job(build_new(kind=JobKind.IMPORT))
    clock.now += 1
    old = store.submit_job(build_new())
    clock.now += 1
    store.submit_job(build_new())
    assert store.has_claimable([JobKind.SEARCH])
    lease = store.claim_job("w1", [JobKind.SEARCH])
    assert (lease.job.id, lease.owner, lease.job.attempt) == (old.id, "w1", 1)
    assert lease.job.state is JobState.RUNNING
    assert lease.job.started_at == clock.now
    assert store.claim_job("w2", [JobKind.SEARCH]).job.id != old.id
    assert store.claim_job("w2", [JobKind.SEARCH]) is None
    assert not store.has_claimable([JobKind.SEARCH])
    assert store.claim_job("w2", []) is None


def test_a_job_waits_for_its_time(store, clock):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    store.requeue_job(lease, "The disk is full.", clock.now + 60, kind="disk_full")
    assert store.claim_job("w1", ALL) is None
    job = store.read_job(lease.job.id)
    assert job.state is JobState.QUEUED
    assert job.not_before == clock.now + 60
    assert job.outcome == Outcome(kind="disk_full", message="The disk is full.")
    clock.now += 61
    again = store.claim_job("w1", ALL)
    assert again.job.attempt == 1  # a clean requeue gave the attempt back
    assert again.job.outcome is None
    assert again.token > lease.token


def test_a_named_job_can_be_claimed(store, clock):
    job = store.submit_job(build_new())
    lease = store.claim_submitted(job.id, "shell")
    assert lease.job.id == job.id
    assert store.claim_submitted(job.id, "other") is None
    direct = store.submit_and_claim(build_new(title="direct"), "shell")
    assert direct.job.state is JobState.RUNNING
    store.submit_and_claim(build_new(idempotency_key="k"), "shell")
    with pytest.raises(LeaseLost):
        store.submit_and_claim(build_new(idempotency_key="k"), "shell")


def test_a_heartbeat_prolongs_the_lease_and_brings_the_stop_flag(store, clock):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    for beat in range(12):
        clock.now += HEARTBEAT_SECONDS
        assert store.heartbeat(lease, 10.0 * beat) is None
        assert store.sweep() == 0
    assert store.read_job(lease.job.id).consumed_seconds == 110.0
    store.request_stop(lease.job.id, StopMode.KEEP_BEST)
    assert store.read_stop(lease.job.id) is StopMode.KEEP_BEST
    assert store.heartbeat(lease, 120.0) is StopMode.KEEP_BEST


def write_everything(store: JobStore, lease) -> list:
    return [
        lambda: store.heartbeat(lease, 1.0),
        lambda: store.write_progress(lease, {"n": 1}),
        lambda: store.write_trial(lease, build_trial(0)),
        lambda: store.record_look(lease, "test", "model"),
        lambda: store.finish_job(lease, JobState.SUCCEEDED),
        lambda: store.requeue_job(lease, "why"),
    ]


def test_a_stale_lease_can_write_nothing(store, clock):
    job = store.submit_job(build_new())
    stale = store.claim_job("frozen", ALL)
    clock.now += LEASE_SECONDS + 1
    assert store.sweep() == 1
    for write in write_everything(store, stale):
        with pytest.raises(LeaseLost):
            write()
    fresh = store.claim_job("w2", ALL)
    before = store.read_job(job.id)
    for write in write_everything(store, stale):
        with pytest.raises(LeaseLost):
            write()
    assert store.read_job(job.id) == before
    assert store.count_trials(job.id) == 0
    assert store.count_looks("test") == 0
    store.finish_job(fresh, JobState.SUCCEEDED, {"ok": 1})
    assert store.read_job(job.id).result == {"ok": 1}


def test_a_finished_job_is_over(store):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    outcome = Outcome(kind="data", message="Bad column.", hint="Choose another.")
    store.finish_job(lease, JobState.FAILED, None, outcome, 12.5)
    job = store.read_job(lease.job.id)
    assert (job.state, job.outcome, job.consumed_seconds) == (JobState.FAILED, outcome, 12.5)
    assert job.finished_at is not None
    assert job.lease_owner is None
    with pytest.raises(LeaseLost):
        store.finish_job(lease, JobState.SUCCEEDED)


def test_an_import_learns_its_data_set_when_it_is_done(store):
    store.submit_job(build_new(kind=JobKind.IMPORT))
    lease = store.claim_job("w1", ALL)
    store.finish_job(lease, JobState.SUCCEEDED, {"dataset": "abc"})
    assert [job.id for job in store.list_jobs(dataset="abc")] == [lease.job.id]


def test_lost_jobs_are_given_back_until_their_attempts_are_used(store, clock):
    store.submit_job(build_new(max_attempts=2))
    store.claim_job("w1", ALL)
    clock.now += LEASE_SECONDS + 1
    assert store.sweep() == 1
    job = store.list_jobs()[0]
    assert job.state is JobState.QUEUED
    assert "attempt 1 of 2" in job.outcome.message
    store.claim_job("w1", ALL)
    clock.now += LEASE_SECONDS + 1
    assert store.sweep() == 1
    job = store.list_jobs()[0]
    assert job.state is JobState.FAILED
    assert "attempt 2 of 2" in job.outcome.message
    assert job.outcome.hint


def test_a_finished_trial_gives_the_attempts_back(store, clock):
    store.submit_job(build_new(max_attempts=2))
    for number in range(5):
        lease = store.claim_job("w1", ALL)
        assert lease is not None
        store.write_trial(lease, build_trial(number))
        clock.now += LEASE_SECONDS + 1
        store.sweep()
    assert store.list_jobs()[0].state is JobState.QUEUED


def test_a_failed_trial_gives_no_attempt_back(store, clock):
    store.submit_job(build_new(max_attempts=2))
    for number in range(2):
        lease = store.claim_job("w1", ALL)
        store.write_trial(lease, build_trial(number, state=TrialState.FAILED, score=None))
        clock.now += LEASE_SECONDS + 1
        store.sweep()
    assert store.list_jobs()[0].state is JobState.FAILED


def test_the_job_of_a_dead_process_is_given_back_at_once(store):
    store.submit_job(build_new())
    dead_worker(store, "dead")
    store.claim_job("dead", ALL)
    assert store.sweep() == 1
    assert store.list_jobs()[0].state is JobState.QUEUED
    assert store.list_workers() == []


def test_a_lost_job_that_was_to_be_discarded_is_stopped(store, clock):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    store.request_stop(lease.job.id, StopMode.DISCARD)
    clock.now += LEASE_SECONDS + 1
    store.sweep()
    assert store.read_job(lease.job.id).state is JobState.STOPPED


def test_stop_of_a_queued_job_is_immediate(store):
    job = store.submit_job(build_new())
    assert store.request_stop(job.id, StopMode.KEEP_BEST).state is JobState.STOPPED
    assert store.claim_job("w1", ALL) is None
    assert store.request_stop(job.id, StopMode.DISCARD).state is JobState.STOPPED


def test_stop_of_a_requeued_search_with_results_still_evaluates_the_best(store, clock):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    store.write_trial(lease, build_trial(0))
    store.requeue_job(lease, "later", clock.now + 600)
    stopped = store.request_stop(lease.job.id, StopMode.KEEP_BEST)
    assert stopped.state is JobState.QUEUED
    assert store.claim_job("w1", ALL).job.stop_mode is StopMode.KEEP_BEST


def test_discard_after_keep_best_wins_and_stays(store):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    for mode in (StopMode.KEEP_BEST, StopMode.DISCARD, StopMode.KEEP_BEST):
        store.request_stop(lease.job.id, mode)
    assert store.read_stop(lease.job.id) is StopMode.DISCARD


def test_resume_keeps_trials_and_consumed_seconds(store):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    store.write_trial(lease, build_trial(0))
    store.request_stop(lease.job.id, StopMode.KEEP_BEST)
    store.finish_job(lease, JobState.STOPPED, {}, None, 42.0)
    job = store.resume_job(lease.job.id)
    assert (job.state, job.consumed_seconds, job.stop_mode) == (JobState.QUEUED, 42.0, None)
    assert job.finished_at is None
    assert store.count_trials(job.id) == 1
    again = store.claim_job("w2", ALL)
    assert (again.job.attempt, again.job.stop_mode) == (1, None)
    with pytest.raises(JobError, match="running"):
        store.resume_job(job.id)


def test_a_succeeded_job_is_not_resumed(store):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    store.finish_job(lease, JobState.SUCCEEDED)
    with pytest.raises(JobError, match="succeeded"):
        store.resume_job(lease.job.id)


def test_only_an_ended_job_is_deleted_and_only_once(store):
    job = store.submit_job(build_new())
    with pytest.raises(JobError, match="queued"):
        store.delete_job(job.id)
    lease = store.claim_job("w1", ALL)
    store.write_trial(lease, build_trial(0))
    store.record_look(lease, "test", "model")
    with pytest.raises(JobError, match="running"):
        store.delete_job(job.id)
    store.finish_job(lease, JobState.SUCCEEDED)
    store.delete_job(job.id)
    assert store.read_job(job.id) is None
    assert store.count_trials(job.id) == 0
    assert store.list_events(job.id) == []
    assert store.count_looks("test") == 1  # what was seen stays seen
    with pytest.raises(JobError, match="already deleted"):
        store.delete_job(job.id)


def test_trials_round_trip_and_replace_by_number(store):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    full = build_trial(
        1,
        attempt=2,
        n_epochs=7,
        best_epoch=5,
        n_parameters=10**10,
        fit_seconds=1.5,
        predict_seconds=0.25,
        peak_memory_bytes=2**40,
        device="cuda:0",
        started_at=1.0,
        finished_at=2.0,
    )
    waiting = build_trial(0, state=TrialState.WAITING, score=None)
    store.write_trials(lease, [full, waiting])
    assert store.list_trials(lease.job.id) == [waiting, full]
    failed = build_trial(
        0, state=TrialState.FAILED, score=None, failure_kind="timeout", failure_message="Hung."
    )
    store.write_trial(lease, failed)
    store.write_trials(lease, [])
    assert store.list_trials(lease.job.id) == [failed, full]
    assert store.list_trials(lease.job.id, offset=1, limit=5) == [full]
    assert store.count_trials(lease.job.id) == 2


def test_progress_is_replaced_and_small(store):
    store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    store.write_progress(lease, {"phase": "search"})
    store.write_progress(lease, {"phase": "refit"})
    assert store.read_job(lease.job.id).progress == {"phase": "refit"}
    with pytest.raises(ValueError, match="4096"):
        store.write_progress(lease, {"words": "x" * 5_000})
    with pytest.raises(ValueError, match="JSON compliant"):
        store.write_progress(lease, {"score": float("nan")})


def test_looks_count_distinct_models_over_jobs(store):
    store.submit_job(build_new())
    store.submit_job(build_new())
    first, second = store.claim_job("w1", ALL), store.claim_job("w1", ALL)
    assert store.count_looks("t") == 0
    assert store.record_look(first, "t", "a") == 1
    assert store.record_look(first, "t", "a") == 1
    assert store.record_look(second, "t", "a") == 1
    assert store.record_look(second, "t", "b") == 2
    assert store.record_look(second, "other", "b") == 1
    assert store.count_looks("t") == 2


def test_every_change_of_state_leaves_an_event(store, clock):
    job = store.submit_job(build_new())
    lease = store.claim_job("w1", ALL)
    store.requeue_job(lease, "shutdown")
    store.claim_job("w2", ALL)
    clock.now += LEASE_SECONDS + 1
    store.sweep()
    lease = store.claim_job("w3", ALL)
    store.request_stop(job.id, StopMode.KEEP_BEST)
    store.finish_job(lease, JobState.STOPPED)
    store.resume_job(job.id)
    events = store.list_events(job.id)
    assert [(event.kind, event.actor) for event in events] == [
        ("submit", "person"),
        ("claim", "w1"),
        ("requeue", "w1"),
        ("claim", "w2"),
        ("sweep", "sweep"),
        ("claim", "w3"),
        ("stop", "person"),
        ("finish", "w3"),
        ("resume", "person"),
    ]
    for before, after in itertools.pairwise(events):
        assert before.to_state == after.from_state


def test_workers_come_beat_and_go(store, clock):
    row = WorkerRow(
        id="w1", host="h", pid=1, version="0", slots=("cpu:0", "cpu:1"), heartbeat_at=clock.now
    )
    store.register_worker(row)
    assert store.list_workers() == [row]
    clock.now += 30
    assert store.list_workers(max_age_seconds=10) == []
    beat = replace(row, stats={"cpu_percent": 3.5}, heartbeat_at=clock.now)
    store.heartbeat_worker(beat)
    assert store.list_workers(max_age_seconds=10) == [beat]
    store.remove_worker("w1")
    assert store.list_workers() == []
    store.heartbeat_worker(beat)  # forgotten while it slept: it is there again
    assert store.list_workers() == [beat]


def test_children_of_dead_workers_are_orphans_once(store):
    dead_worker(store, "dead")
    alive = WorkerRow(
        id="alive",
        host=read_machine().host,
        pid=multiprocessing.current_process().pid,
        version="0",
        slots=(),
        heartbeat_at=0.0,
    )
    store.register_worker(alive)
    mine = ProcessRow(pid=11, start_time=1.5, worker_id="alive", what="trainer")
    orphan = ProcessRow(pid=12, start_time=2.5, worker_id="dead", what="trainer")
    ended = ProcessRow(pid=13, start_time=3.5, worker_id="dead", what="trainer")
    for row in (mine, orphan, ended):
        store.add_process(row)
    store.remove_process(13, 3.5)
    assert store.take_orphans() == [orphan]
    assert store.take_orphans() == []


def test_two_stores_on_one_file_see_each_other(store, tmp_path, clock):
    other = JobStore(Path(store._engines.write.url.database), clock)
    job = store.submit_job(build_new())
    lease = other.claim_job("w1", ALL)
    assert lease.job.id == job.id
    assert store.read_job(job.id).state is JobState.RUNNING
    other.close()
