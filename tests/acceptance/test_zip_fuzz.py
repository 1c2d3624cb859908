"""Five thousand random ZIPs: every one a data set or an error in words, the workspace clean, the web alive."""

import time
import uuid
from dataclasses import asdict
from pathlib import Path

import pytest

from automl.data.images.store import load_images
from automl.data.importing import ImportRequest
from automl.data.store import list_datasets
from automl.execution.child import Child, ChildRequest, Limits
from automl.jobs.records import JobKind, JobState, NewJob
from automl.jobs.store import JobStore
from automl.settings import Settings
from automl.worker.child_folder import render_settings
from tests.e2e.server import is_healthy, run_server
from tests.fuzzed_zips import build_fuzzed_zip

pytestmark = [pytest.mark.acceptance, pytest.mark.filterwarnings("ignore:Duplicate name")]

N_ZIPS = 5_000
BATCH = 250
N_JOBS = 40


def run_batch(first: int, settings: Settings, folder: Path) -> dict[str, int]:
    """One batch in a child with the limits of an import; its ends, and no bug among them."""
    child = Child.start(
        ChildRequest(
            function="tests.fuzzed_zips:import_batch",
            arguments={
                "first": first, "last": first + BATCH, "settings": render_settings(settings),
            },
            folder=folder,
            limits=Limits(
                timeout_seconds=600,
                memory_bytes=settings.import_memory_bytes,
                file_bytes=4_000_000_000,
            ),
        )
    )  # fmt: skip
    last = ""
    try:
        while not child.is_done:
            last = ([p.words for p in child.poll()] or [last])[-1]
            time.sleep(0.02)
    finally:
        child.kill()
    try:
        result = child.result
    except Exception as error:
        raise AssertionError(f"the child ended at seed {last}") from error
    assert not result["broken"], result["broken"]
    ends: dict[str, int] = result["ends"]
    return ends


@pytest.mark.timeout(1800)
def test_five_thousand_random_zips(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = Settings(home=home, min_free_bytes=0)
    canary = tmp_path / "canary.png"
    canary.write_bytes(b"untouched")
    with run_server(home, {"FAIRLOOM_DEVICES": "cpu:0", "FAIRLOOM_MIN_FREE_BYTES": "0"}) as server:
        web = server.web()
        ends: dict[str, int] = {}
        for first in range(0, N_ZIPS, BATCH):
            for end, count in run_batch(first, settings, tmp_path / f"child-{first}").items():
                ends[end] = ends.get(end, 0) + count
            assert is_healthy(server.url)
        _import_by_the_worker(settings)
        assert is_healthy(server.url)
        assert server.web().pid == web.pid
    print(ends)
    assert sum(ends.values()) == N_ZIPS
    assert ends["data set"] > N_ZIPS / 10
    assert ends["DataError"] > N_ZIPS / 10
    assert canary.read_bytes() == b"untouched"
    assert not any(settings.workspace.tmp.glob("*"))
    assert not any(settings.workspace.incoming.glob("*"))
    assert {path.name for path in tmp_path.iterdir()} <= {
        "home", "home-app.log", "canary.png", *(f"child-{n}" for n in range(0, N_ZIPS, BATCH)),
    }  # fmt: skip
    for entry in list_datasets(settings.workspace):
        assert len(load_images(settings.workspace, entry.dataset.id)) == entry.dataset.n_rows


def _import_by_the_worker(settings: Settings) -> None:
    """Some of them as the page submits them: files in ``incoming``, jobs for the running worker."""
    store = JobStore(settings.workspace.database)
    jobs, files = [], []
    settings.workspace.incoming.mkdir(exist_ok=True)
    for seed in range(N_ZIPS, N_ZIPS + N_JOBS):
        path = settings.workspace.upload(uuid.uuid4().hex)
        path.write_bytes(build_fuzzed_zip(seed))
        request = ImportRequest(path=str(path), name="x.zip")
        files.append(path)
        jobs.append(
            store.submit_job(NewJob(kind=JobKind.IMPORT, title="x.zip", spec=asdict(request))).id
        )
    deadline = time.monotonic() + 600
    for job_id in jobs:
        while (job := store.read_job(job_id)) is not None and job.state.is_active:
            assert time.monotonic() < deadline, job
            time.sleep(0.2)
        assert job is not None
        if job.state is JobState.FAILED:
            assert job.outcome is not None
            assert job.outcome.kind != "bug", job.outcome
    store.close()
    for path in files:
        path.unlink()
