import time

import pytest

from automl.files import iterate_jsonl
from automl.jobs.records import JobKind, JobState, NewJob
from automl.jobs.store import JobStore
from automl.settings import Settings
from automl.worker import context as context_module
from automl.worker.context import HandlerContext


@pytest.fixture
def context(tmp_path):
    settings = Settings(home=tmp_path)
    store = JobStore(settings.workspace.database)
    lease = store.submit_and_claim(NewJob(kind=JobKind.CHECK, title="x"), "w1")
    yield HandlerContext(job=lease.job, lease=lease, store=store, settings=settings, slots=())
    store.close()


def read(context):
    return context.store.read_job(context.job.id)


def test_progress_is_written_once_a_second_and_the_newest_at_the_end(context, monkeypatch):
    for step in range(50):
        context.report_progress({"step": step})
    assert read(context).progress == {"step": 0}
    monkeypatch.setattr(context_module, "PROGRESS_SECONDS", 0.0)
    context.flush_progress()
    assert read(context).progress == {"step": 49}
    monkeypatch.setattr(context_module, "PROGRESS_SECONDS", 60.0)
    context.report_progress({"step": 50})
    context.succeed({"ok": True})
    job = read(context)
    assert (job.progress, job.state, job.result) == (
        {"step": 50},
        JobState.SUCCEEDED,
        {"ok": True},
    )
    context.flush_progress(now=True)  # after the end: nothing happens


def test_consumed_seconds_go_on_from_earlier_attempts(context):
    context.store.requeue_job(context.lease, "why", consumed_seconds=100.0)
    lease = context.store.claim_job("w2", [JobKind.CHECK])
    later = HandlerContext(
        job=lease.job, lease=lease, store=context.store, settings=context.settings, slots=()
    )
    assert 100.0 <= later.consumed_seconds() < 105.0


def test_the_log_of_a_job_is_json_lines(context):
    context.log("info", "Ready, é")
    context.log("warning", 'Quotes " and\nlines')
    lines = list(iterate_jsonl(context.workspace.job(context.job.id) / "log.jsonl"))
    assert [(line["level"], line["message"]) for line in lines] == [
        ("info", "Ready, é"),
        ("warning", 'Quotes " and\nlines'),
    ]
    assert abs(lines[0]["at"] - time.time()) < 5
