"""Imports and leak checks through a worker, with the real children."""

import csv
import os
import random
import time
from dataclasses import asdict

import pytest

from automl.data.importing import ImportRequest
from automl.data.store import load_dataset
from automl.jobs.records import JobKind, JobState, NewJob
from automl.jobs.store import JobStore
from automl.settings import Settings
from automl.worker.loop import Worker, prepare_workspace


@pytest.fixture
def run(tmp_path):
    """Submit a job, let a worker end it, give it back."""
    settings = Settings(home=tmp_path / "home", devices="cpu:0", min_free_bytes=0)
    prepare_workspace(settings)
    store = JobStore(settings.workspace.database)
    worker = Worker(settings, store)
    worker.start()

    def submit_and_wait(watch=lambda _job: None, **job):
        job_id = store.submit_job(NewJob(**job)).id
        deadline = time.monotonic() + 60
        while (now := store.read_job(job_id)).state.is_active:
            assert time.monotonic() < deadline
            watch(now)
            worker.tick()
            time.sleep(0.02)
        return store.read_job(job_id)

    submit_and_wait.workspace = settings.workspace
    yield submit_and_wait
    worker.stop()
    store.close()


def write_table(path):
    rng = random.Random(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "noise", "leak", "bought"])
        for _ in range(400):
            bought = rng.choice(["yes", "no"])
            age, noise = rng.randint(20, 80), round(rng.random(), 3)
            writer.writerow([age, noise, 5 if bought == "yes" else 1, bought])
    return path


def test_an_upload_becomes_a_data_set_and_a_leak_is_found(run, tmp_path):
    table = write_table(tmp_path / "table.csv")
    request = ImportRequest(path=str(table), name="table.csv")
    imported = run(kind=JobKind.IMPORT, title="table.csv", spec=asdict(request))
    assert imported.state is JobState.SUCCEEDED, imported.outcome
    dataset = load_dataset(run.workspace, imported.result["dataset"])
    assert dataset.n_rows == imported.result["n_rows"] == 400
    assert imported.dataset == dataset.id
    assert os.listdir(run.workspace.tmp) == []  # noqa: PTH208

    checked = run(kind=JobKind.CHECK, title="check", dataset=dataset.id, spec={"target": "bought"})
    assert checked.state is JobState.SUCCEEDED, checked.outcome
    assert [note["column"] for note in checked.result["notes"]] == ["leak"]


def test_a_bad_file_fails_in_words_and_leaves_nothing(run, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"")
    request = ImportRequest(path=str(bad), name="bad.csv")
    job = run(kind=JobKind.IMPORT, title="bad.csv", spec=asdict(request))
    assert job.state is JobState.FAILED
    assert job.outcome.kind == "DataError"
    assert "bad.csv" in job.outcome.message
    assert job.outcome.hint
    assert not run.workspace.objects.exists() or not any(run.workspace.objects.rglob("*.parquet"))
