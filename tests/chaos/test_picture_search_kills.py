"""A search on pictures whose worker or trainer is killed loses no trial, doubles none, and ends."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from automl.data.images.importing import import_images
from automl.data.importing import ImportRequest
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.execution.devices import list_slots
from automl.jobs.records import JobKind, JobState, NewJob, TrialState
from automl.search.building import SearchRequest, build_search_spec
from automl.search.goals import Method
from automl.search.spec import Budget, Preset, render_spec
from automl.space.dimensions import Choice, Int, Switch
from automl.worker.loop import prepare_workspace
from tests.chaos.conftest import ROOT, Colony
from tests.painted_zips import Painting, write_shapes

pytestmark = [pytest.mark.chaos, pytest.mark.acceptance]

PHASES = ("preparing", "baselines", "supernet", "search", "refit", "evaluation")
TRIALS = 5  # some that weight sharing proposes, and some of plain search
STILL = (
    "number", "family", "config", "stage", "state", "score", "n_epochs", "best_epoch", "device",
    "origin", "shared_score", "failure_kind",
)  # fmt: skip


def narrow(space):
    """A corner of the searched CNN that is quick to train, and that a supernet knows within seconds."""
    third = space["stage3"].branches["on"]
    deep = third | {"width": Int(low=64, high=64), "blocks": Int(low=1, high=2)}
    return space | {
        "block": Switch(branches={"plain": {}, "residual": {}}),
        "stage1.width": Int(low=16, high=16),
        "stage2.width": Int(low=32, high=32),
        "stage3": Switch(branches={"on": deep}),
        "epochs": Choice(options=(3,)),
    }


class PictureColony(Colony):
    """Workers with the product's own handlers, and a small set of pictures to search."""

    def __init__(self, home):
        super().__init__(home)
        prepare_workspace(self.settings)
        path = write_shapes(home / "shapes.zip", Painting(n_train=40, n_test=12, side=16))
        self.dataset = import_images(
            ImportRequest(path=str(path), name=path.name), self.settings.workspace, self.settings
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

    def submit_search(self) -> str:
        spec = build_search_spec(
            SearchRequest(
                dataset=self.dataset,
                profile=load_profile(self.settings.workspace, self.dataset.id),
                setup=Setup(target="label"),
                slots=list_slots(self.settings),
                budget=Budget(trials=TRIALS),
                preset=Preset.QUICK,
                families=("cnn",),
                method=Method.BOTH,
            )
        )
        spec = replace(spec, spaces={"cnn": narrow(spec.spaces["cnn"])})
        new = NewJob(
            kind=JobKind.SEARCH,
            title="shapes",
            dataset=self.dataset.id,
            spec=json.loads(render_spec(spec)),
        )
        return self.store.submit_job(new).id

    def is_in(self, job_id: str, phase: str) -> bool:
        rows = {(row.stage, row.state) for row in self.store.list_trials(job_id)}
        if phase == "supernet":
            return ("supernet", TrialState.RUNNING) in rows
        if phase == "search":  # one that weight sharing proposed trains, another one waits
            return ("search", TrialState.RUNNING) in rows
        return self.store.read_job(job_id).progress.get("phase") == phase

    def wait_for_end(self, job_id: str):
        self.wait(lambda: not self.store.read_job(job_id).state.is_active, 240)
        return self.store.read_job(job_id)

    def read_result(self, job_id: str) -> dict:
        return json.loads((self.settings.workspace.result(job_id) / "result.json").read_text())


@pytest.fixture
def pictures(tmp_path):
    colony = PictureColony(tmp_path)
    yield colony
    colony.close()


def list_trials(result: dict) -> list[list]:
    """What must not depend on what happened to the worker; refits may have been made twice."""
    rows = [row for row in result["trials"] if row["stage"] != "refit"]
    return [[row[key] for key in STILL] for row in rows]


def check_rows(colony: PictureColony, job_id: str) -> list:
    """No row is left running or waiting; no proposal of weight sharing was trained twice."""
    rows = colony.store.list_trials(job_id)
    assert [row.number for row in rows] == list(range(len(rows)))
    assert not [row for row in rows if row.state in (TrialState.RUNNING, TrialState.WAITING)]
    assert sum(row.stage == "supernet" for row in rows) == 1
    shared = [row for row in rows if row.origin == "weight_sharing"]
    assert len({json.dumps(dict(row.config), sort_keys=True) for row in shared}) == len(shared)
    return shared


def test_a_worker_killed_in_any_phase_changes_nothing(pictures):
    undisturbed, *ids = [pictures.submit_search() for _ in range(1 + len(PHASES))]
    worker = pictures.start_worker()
    assert pictures.wait_for_end(undisturbed).state is JobState.SUCCEEDED
    whole = pictures.read_result(undisturbed)
    assert 2 <= len(check_rows(pictures, undisturbed)) < TRIALS
    for job_id, phase in zip(ids, PHASES, strict=True):
        pictures.wait(lambda: pictures.is_in(job_id, phase), 240)  # noqa: B023 (called at once)
        worker.kill()
        worker.wait()
        worker = pictures.start_worker()
        job = pictures.wait_for_end(job_id)
        assert job.state is JobState.SUCCEEDED, (phase, job.outcome)
        check_rows(pictures, job_id)
        result = pictures.read_result(job_id)
        assert list_trials(result) == list_trials(whole), phase
        assert result["test"] == whole["test"], phase
        assert result["warnings"] == whole["warnings"], phase
        assert result["looks"] == 1, phase  # the same models on the same rows
    assert not list(pictures.settings.workspace.tmp.iterdir())


def find_trainer(worker: subprocess.Popen) -> int:
    """The trainer that works most: each leads a session of its own."""
    children = psutil.Process(worker.pid).children(recursive=True)
    trainers = [child for child in children if os.getsid(child.pid) == child.pid]
    return max(trainers, key=lambda child: sum(child.cpu_times()[:2])).pid


def test_a_supernet_whose_trainer_is_killed_proposes_nothing_and_says_so(pictures):
    job_id = pictures.submit_search()
    worker = pictures.start_worker()
    pictures.wait(lambda: pictures.is_in(job_id, "supernet"), 240)
    pictures.wait((pictures.settings.workspace.job(job_id) / "epochs.jsonl").is_file, 60)
    os.kill(find_trainer(worker), signal.SIGKILL)
    job = pictures.wait_for_end(job_id)
    assert job.state is JobState.SUCCEEDED, job.outcome
    assert check_rows(pictures, job_id) == []
    result = pictures.read_result(job_id)
    assert any("Weight sharing gave no candidates" in text for text in result["warnings"])
    assert "SIGKILL" in result["methods"]["weight_sharing"]["failure"]
    searched = [row for row in result["trials"] if row["stage"] == "search"]
    assert len(searched) == TRIALS
