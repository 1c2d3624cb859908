"""A real search whose worker is killed in each of its phases ends as if nothing had happened."""

import json
import os
import subprocess
import sys

import pytest

from automl.data.importing import ImportRequest, import_table
from automl.data.profile import load_profile
from automl.data.samples import write_sample
from automl.data.setup import Setup
from automl.execution.devices import list_slots
from automl.jobs.records import JobKind, JobState, NewJob, StopMode
from automl.search.building import SearchRequest, build_search_spec
from automl.search.spec import Budget, Preset, render_spec
from automl.worker.loop import prepare_workspace
from tests.chaos.conftest import ROOT, Colony

pytestmark = [pytest.mark.chaos, pytest.mark.acceptance]

PHASES = ("preparing", "baselines", "search", "refit", "evaluation")
TRIALS = 6
RUNS = pytest.mark.parametrize(("folds", "phases"), [(0, PHASES), (5, ("search",))])
STILL = (
    "number",
    "family",
    "config",
    "stage",
    "state",
    "score",
    "n_epochs",
    "best_epoch",
    "device",
)


class SearchColony(Colony):
    """Workers with the product's own handlers, and one table to search."""

    def __init__(self, home):
        super().__init__(home)
        prepare_workspace(self.settings)
        table = write_sample("wine", home / "sample")
        self.dataset = import_table(
            ImportRequest(path=str(table), name=table.name), self.settings.workspace, self.settings
        )

    def start_worker(self):
        environment = os.environ | {
            "FAIRLOOM_HOME": str(self.settings.home),
            "FAIRLOOM_DEVICES": "fake:0,fake:1",
            "FAIRLOOM_MIN_FREE_BYTES": "0",
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "automl", "worker"], cwd=ROOT, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def submit_search(self, folds: int) -> str:
        spec = build_search_spec(
            SearchRequest(
                dataset=self.dataset,
                profile=load_profile(self.settings.workspace, self.dataset.id),
                setup=Setup(target="cultivar"),
                slots=list_slots(self.settings),
                budget=Budget(trials=TRIALS),
                preset=Preset.QUICK,
                folds=folds,
            )
        )
        new = NewJob(
            kind=JobKind.SEARCH,
            title="wine",
            dataset=self.dataset.id,
            spec=json.loads(render_spec(spec)),
        )
        return self.store.submit_job(new).id

    def wait_for_phase(self, job_id: str, phase: str) -> None:
        self.wait(lambda: self.store.read_job(job_id).progress.get("phase") == phase, 120)

    def wait_for_end(self, job_id: str):
        self.wait(lambda: not self.store.read_job(job_id).state.is_active, 180)
        return self.store.read_job(job_id)

    def read_result(self, job_id: str) -> dict:
        return json.loads((self.settings.workspace.result(job_id) / "result.json").read_text())


@pytest.fixture
def searches(tmp_path):
    colony = SearchColony(tmp_path)
    yield colony
    colony.close()


def list_trials(result: dict) -> list[list]:
    """What must not depend on what happened to the worker; refits may have been made twice."""
    rows = [row for row in result["trials"] if row["stage"] != "refit"]
    return [[row[key] for key in STILL] for row in rows]


@RUNS
def test_a_worker_killed_in_any_phase_changes_nothing(searches, folds, phases):
    undisturbed, *ids = [searches.submit_search(folds) for _ in range(1 + len(phases))]
    worker = searches.start_worker()
    assert searches.wait_for_end(undisturbed).state is JobState.SUCCEEDED
    whole = searches.read_result(undisturbed)
    for job_id, phase in zip(ids, phases, strict=True):
        searches.wait_for_phase(job_id, phase)
        worker.kill()
        worker.wait()
        worker = searches.start_worker()
        job = searches.wait_for_end(job_id)
        assert job.state is JobState.SUCCEEDED, (phase, job.outcome)
        result = searches.read_result(job_id)
        assert list_trials(result) == list_trials(whole), phase
        assert result["test"] == whole["test"], phase
        assert result["warnings"] == whole["warnings"], phase
        assert result["looks"] == 1, phase  # the same models on the same rows
    assert not list(searches.settings.workspace.tmp.iterdir())


@RUNS
def test_a_stop_in_any_phase_keeps_the_best_and_can_be_resumed(searches, folds, phases):
    searches.start_worker()
    for phase in phases:
        job_id = searches.submit_search(folds)
        searches.wait_for_phase(job_id, phase)
        searches.store.request_stop(job_id, StopMode.KEEP_BEST)
        job = searches.wait_for_end(job_id)
        assert job.state is JobState.STOPPED, (phase, job.outcome)
        assert searches.read_result(job_id)["winner"]["name"], phase
        searches.store.resume_job(job_id)
        job = searches.wait_for_end(job_id)
        assert job.state is JobState.SUCCEEDED, (phase, job.outcome)
        result = searches.read_result(job_id)
        assert sum(row["stage"] == "search" for row in result["trials"]) == TRIALS
        assert not [text for text in result["warnings"] if "stopped early" in text], phase
