"""What every job store must do with requests, trials, workers and events."""

import itertools
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from automl.errors import JobError
from automl.jobs.leases import LEASE_SECONDS
from automl.jobs.machine import read_machine
from automl.jobs.records import JobState, ProcessRow, StopMode, TrialState, WorkerRow
from automl.jobs.store import JobStore
from tests.contract.job_store import ALL, build_new, build_trial, dead_worker


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


def test_a_long_search_gets_all_its_trials_back(store):
    store.submit_job(build_new())
    lease = store.claim_job("a", ALL)
    store.write_trials(lease, [build_trial(number) for number in range(10_004)])
    assert len(store.list_trials(lease.job.id)) == 10_004


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


def test_a_silent_worker_that_lives_stays_known(store, clock):
    machine = read_machine()
    me = multiprocessing.current_process().pid
    values = {"version": "0", "slots": (), "heartbeat_at": clock.now}
    store.register_worker(WorkerRow(id="here", host=machine.host, pid=me, **values))
    store.register_worker(WorkerRow(id="elsewhere", host="other", pid=me, **values))
    store.add_process(ProcessRow(pid=11, start_time=1.0, worker_id="here", what="trainer"))
    clock.now += 10 * 3_600
    store.sweep()
    assert [row.id for row in store.list_workers()] == ["here"]
    assert store.take_orphans() == []


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


def test_a_job_is_given_another_name_and_a_note(store):
    job = store.submit_job(build_new())
    changed = store.describe_job(job.id, "  Without   income ", " the column came\nlater ")
    assert (changed.title, changed.note) == ("Without income", "the column came\nlater")
    assert store.read_job(job.id) == replace(job, title=changed.title, note=changed.note)
    store.describe_job(job.id, changed.title, changed.note)
    kinds = [event.kind for event in store.list_events(job.id)]
    assert kinds == ["submit", "describe"]  # the same words again are no event
    assert store.describe_job(job.id, "Other", "").note == ""


@pytest.mark.parametrize(
    ("title", "note", "words"),
    [(" ", "", "empty"), ("t" * 121, "", "121"), ("t", "n" * 2_001, "2,001")],
)
def test_a_name_has_letters_and_an_end(store, title, note, words):
    job = store.submit_job(build_new())
    with pytest.raises(JobError, match=words):
        store.describe_job(job.id, title, note)
    assert store.read_job(job.id) == job
    with pytest.raises(JobError, match="no job"):
        store.describe_job("gone", "t", "")
