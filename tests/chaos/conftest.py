"""A real worker process that tests may kill, and what they look at afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import automl
from automl.jobs.records import JobKind, JobState, NewJob
from automl.jobs.store import JobStore
from automl.settings import Settings

ROOT = Path(automl.__file__).parents[1]
WORKER = (
    "from automl.settings import Settings; from automl.worker.loop import run_worker; "
    "from tests.unit.worker.planted_handlers import HANDLERS; run_worker(Settings(), HANDLERS)"
)


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Colony:
    """One workspace, one job store, and workers in processes of their own."""

    def __init__(self, home: Path):
        self.settings = Settings(home=home, devices="fake:0,fake:1", min_free_bytes=0)
        self.store = JobStore(self.settings.workspace.database)
        self.workers: list[subprocess.Popen] = []
        self.seen: set[int] = set()

    def start_worker(self) -> subprocess.Popen:
        environment = os.environ | {
            "FAIRLOOM_HOME": str(self.settings.home),
            "FAIRLOOM_DEVICES": "fake:0,fake:1",
            "FAIRLOOM_MIN_FREE_BYTES": "0",
        }
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=ROOT, env=environment, start_new_session=True
        )
        self.workers.append(worker)
        return worker

    def submit(self, trials: int = 12, seconds: float = 0.05) -> str:
        spec = {"trials": trials, "seconds": seconds}
        return self.store.submit_job(NewJob(kind=JobKind.SEARCH, title="x", spec=spec)).id

    def wait(self, condition, seconds: float = 40.0):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, self.store.list_jobs()
            time.sleep(0.02)
        return found

    def pids(self, job_id: str) -> dict:
        """Pids of the trainers of the newest attempt, once they are written."""
        path = self.settings.workspace.job(job_id) / "pids.json"
        try:
            pids = json.loads(path.read_text())
        except (OSError, ValueError):
            return {}
        self.seen |= set(pids["trainers"].values())
        return pids

    def wait_for_trials(self, job_id: str, n: int) -> dict:
        self.wait(lambda: self.store.count_trials(job_id) >= n and self.pids(job_id))
        return self.pids(job_id)

    def wait_until_over(self, job_id: str):
        self.wait(lambda: not self.store.read_job(job_id).state.is_active)
        return self.store.read_job(job_id)

    def wait_until_gone(self, pids, seconds: float = 5.0) -> None:
        self.wait(lambda: not any(is_running(pid) for pid in pids), seconds)

    def check_complete(self, job_id: str, trials: int) -> None:
        """As an undisturbed run: every trial once, its score its own, its folder whole."""
        from automl.execution.saving import check_manifest

        job = self.store.read_job(job_id)
        assert job.state is JobState.SUCCEEDED, job.outcome
        rows = self.store.list_trials(job_id)
        assert [row.number for row in rows] == list(range(trials))
        assert {row.score for row in rows} == {0.03}
        folder = self.settings.workspace.job(job_id)
        for row in rows:
            assert check_manifest(folder / f"trial-{row.number}")["trial"] == row.number

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()
        self.wait_until_gone(self.seen)
        self.store.close()


@pytest.fixture
def colony(tmp_path):
    colony = Colony(tmp_path)
    yield colony
    colony.close()
