"""The life of jobs under every order of events, against a model of what may happen.

Workers claim, beat, freeze and die; people submit, stop, resume and delete; time passes. Whatever the
order: no job is lost, no two workers may write to one, attempts are bounded, and stop is obeyed.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from automl.errors import JobError, LeaseLost
from automl.jobs.leases import LEASE_SECONDS
from automl.jobs.records import JobKind, JobState, NewJob, StopMode, Trial, TrialState
from automl.jobs.store import JobStore

ALL = list(JobKind)
ENDS = (JobState.SUCCEEDED, JobState.FAILED, JobState.STOPPED)


class JobLife(RuleBasedStateMachine):
    jobs = Bundle("jobs")
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = 1_000.0
        self.store = JobStore(Path(self.folder.name) / "jobs.db", lambda: self.now)
        self.alive: set[str] = set()  # jobs that must exist
        self.valid: dict[str, int] = {}  # job → the one token that may write
        self.beaten: dict[str, float] = {}  # job → when its lease was last prolonged
        self.trials: dict[str, set[int]] = {}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def owns(self, lease) -> bool:
        return self.valid.get(lease.job.id) == lease.token

    def write(self, lease, action):
        """Run a write; it must succeed exactly when the lease is the valid one."""
        if self.owns(lease):
            return action()
        with pytest.raises(LeaseLost):
            action()
        return None

    @rule(target=jobs, max_attempts=st.integers(1, 3))
    def submit(self, max_attempts):
        new = NewJob(kind=JobKind.SEARCH, title="x", max_attempts=max_attempts)
        job = self.store.submit_job(new)
        self.alive.add(job.id)
        self.trials[job.id] = set()
        return job.id

    @rule(target=leases, worker=st.sampled_from(["w1", "w2", "w3"]))
    def claim(self, worker):
        queued = [
            job.id
            for job in self.store.list_jobs()
            if job.state is JobState.QUEUED and job.not_before <= self.now
        ]
        lease = self.store.claim_job(worker, ALL)
        assert (lease is not None) == bool(queued)
        if lease is None:
            return None
        assert lease.job.id in queued
        assert 1 <= lease.job.attempt <= lease.job.max_attempts
        self.valid[lease.job.id] = lease.token
        self.beaten[lease.job.id] = self.now
        return lease

    @rule(lease=leases, seconds=st.floats(0, 100))
    def beat(self, lease, seconds):
        if lease is None:
            return
        asked = self.store.read_stop(lease.job.id)
        assert self.write(lease, lambda: self.store.heartbeat(lease, seconds)) == (
            asked if self.owns(lease) else None
        )
        if self.owns(lease):
            self.beaten[lease.job.id] = self.now

    @rule(
        lease=leases,
        number=st.integers(0, 3),
        state=st.sampled_from([TrialState.COMPLETE, TrialState.FAILED, TrialState.RUNNING]),
    )
    def write_trial(self, lease, number, state):
        if lease is None:
            return
        trial = Trial(number=number, family="f", config={}, state=state, stage="search", seed=0)
        self.write(lease, lambda: self.store.write_trial(lease, trial))
        if self.owns(lease):
            self.trials[lease.job.id].add(number)

    @rule(lease=leases, state=st.sampled_from(ENDS))
    def finish(self, lease, state):
        if lease is None:
            return
        self.write(lease, lambda: self.store.finish_job(lease, state))
        if self.owns(lease):
            assert self.store.read_job(lease.job.id).state is state
            del self.valid[lease.job.id]

    @rule(lease=leases, wait=st.sampled_from([0.0, 30.0]))
    def requeue(self, lease, wait):
        if lease is None:
            return
        attempt = self.store.read_job(lease.job.id)
        not_before = self.now + wait
        self.write(lease, lambda: self.store.requeue_job(lease, "why", not_before))
        if self.owns(lease):
            job = self.store.read_job(lease.job.id)
            assert job.attempt == attempt.attempt - 1
            assert job.outcome.message == "why"
            del self.valid[lease.job.id]

    @rule(seconds=st.sampled_from([1.0, 20.0, LEASE_SECONDS + 1]))
    def pass_time(self, seconds):
        self.now += seconds

    @rule()
    def sweep(self):
        expired = {
            job_id for job_id in self.valid if self.beaten[job_id] + LEASE_SECONDS < self.now
        }
        assert self.store.sweep() == len(expired)
        for job_id in expired:
            assert self.store.read_job(job_id).state is not JobState.RUNNING
            del self.valid[job_id]

    @rule(job=jobs, mode=st.sampled_from(StopMode))
    def stop(self, job, mode):
        if job not in self.alive:
            with pytest.raises(JobError):
                self.store.request_stop(job, mode)
            return
        before = self.store.read_job(job)
        after = self.store.request_stop(job, mode)
        if not before.state.is_active:
            assert after == before
        elif before.state is JobState.QUEUED and not self.trials[job]:
            assert after.state is JobState.STOPPED
        elif before.state is JobState.RUNNING:
            assert after.stop_mode is (before.stop_mode if before.stop_mode == "discard" else mode)

    @rule(job=jobs)
    def resume(self, job):
        row = self.store.read_job(job)
        if row is not None and row.state in (JobState.STOPPED, JobState.FAILED):
            assert self.store.resume_job(job).state is JobState.QUEUED
            return
        with pytest.raises(JobError):
            self.store.resume_job(job)

    @rule(job=consumes(jobs))
    def delete(self, job):
        row = self.store.read_job(job)
        if row is None or row.state.is_active:
            with pytest.raises(JobError):
                self.store.delete_job(job)
            return
        self.store.delete_job(job)
        self.alive.discard(job)

    @invariant()
    def nothing_is_lost(self):
        rows = {job.id: job for job in self.store.list_jobs(limit=10_000)}
        assert set(rows) == self.alive
        for job_id, job in rows.items():
            assert (job.state is JobState.RUNNING) == (job_id in self.valid)
            assert (job.lease_owner is not None) == (job.state is JobState.RUNNING)
            assert 0 <= job.attempt <= job.max_attempts
            assert {t.number for t in self.store.list_trials(job_id)} == self.trials[job_id]


JobLife.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestJobLife = JobLife.TestCase
