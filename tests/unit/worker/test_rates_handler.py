"""Learning-rate tests through a worker: what the child leaves, what can be wrong, and a test that is cancelled."""

import contextlib
import json
from dataclasses import asdict

import pytest

from automl.data.importing import ImportRequest
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.data.store import delete_dataset, load_dataset
from automl.errors import SpecError
from automl.execution.devices import list_slots
from automl.jobs.records import JobKind, JobState, StopMode
from automl.jobs.store import JobStore
from automl.models.catalog import FAMILIES
from automl.search.building import SearchRequest, build_search_spec
from automl.search.spec import render_spec
from automl.settings import Settings
from automl.worker.rates_handler import OUT, parse_rates_spec, plan_test, render_rates_spec
from tests.unit.worker.test_data_handlers import run, write_table  # noqa: F401 - the fixture

CONFIG = FAMILIES["mlp"].default | {
    "depth": 1, "width": 16, "numeric_embedding.piecewise.bins": 8,
}  # fmt: skip
RESULT = {
    "winner": {"name": "Ensemble of 2 models", "is_network": False, "config": {}},
    "best_network": {
        "name": "MLP 4", "family": "mlp", "config": CONFIG, "is_network": True, "trial": 4,
    },
    "trials": [{"number": 3, "seed": 30}, {"number": 4, "seed": 40}],
}  # fmt: skip


@pytest.fixture
def asked(run, tmp_path):  # noqa: F811
    """The test that a page would ask for after a search."""
    table = write_table(tmp_path / "table.csv")
    request = ImportRequest(path=str(table), name="table.csv")
    imported = run(kind=JobKind.IMPORT, title="table.csv", spec=asdict(request))
    dataset = load_dataset(run.workspace, imported.result["dataset"])
    spec = build_search_spec(
        SearchRequest(
            dataset=dataset,
            profile=load_profile(run.workspace, dataset.id),
            setup=Setup(target="bought"),
            slots=list_slots(Settings(devices="cpu:0")),
        )
    )
    planned = plan_test(json.loads(render_spec(spec)), RESULT)
    return {"kind": JobKind.RATES, "title": "MLP 4", "spec": render_rates_spec(planned)}


def test_the_best_network_is_tested_with_its_own_seed():
    planned = plan_test({"data": "d"}, RESULT, "5" * 32)
    assert (planned.name, planned.family, planned.seed) == ("MLP 4", "mlp", 40)
    assert (planned.search, planned.spec) == ("5" * 32, {"data": "d"})
    assert parse_rates_spec(json.loads(json.dumps(render_rates_spec(planned)))) == planned
    assert plan_test({}, {"winner": {}, "best_network": None}) is None


def test_a_test_that_runs_can_be_cancelled_and_one_without_data_says_so(asked, run):  # noqa: F811
    def stop_once_it_trains(job):
        if job.state is JobState.RUNNING and job.progress.get("fraction", 0) > 0:
            store.request_stop(job.id, StopMode.DISCARD)

    wide = asked["spec"]["config"] | {"depth": 4, "width": 256}  # takes seconds if not stopped
    slow = {**asked, "spec": {**asked["spec"], "config": wide}}
    with contextlib.closing(JobStore(run.workspace.database)) as store:
        stopped = run(watch=stop_once_it_trains, **slow)
    assert stopped.state is JobState.STOPPED
    assert not (run.workspace.job(stopped.id) / OUT).exists()

    delete_dataset(run.workspace, asked["spec"]["spec"]["data"])
    gone = run(**asked)
    assert gone.state is JobState.FAILED
    assert gone.outcome.kind != "bug"
    assert gone.outcome.hint


def test_what_cannot_be_read_is_named():
    with pytest.raises(SpecError, match="at family"):
        parse_rates_spec({"spec": {}, "config": {}, "name": "x"})
