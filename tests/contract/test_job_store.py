"""What every job store must do with claims and leases; SQLite is the one there is."""

import pytest

from automl.errors import LeaseLost
from automl.jobs.leases import HEARTBEAT_SECONDS, LEASE_SECONDS
from automl.jobs.records import JobKind, JobState, Outcome, StopMode, TrialState
from automl.jobs.store import JobStore
from tests.contract.job_store import ALL, build_new, build_trial, dead_worker


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
