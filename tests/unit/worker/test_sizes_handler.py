"""Curves over data size through a worker: what is planned, what the child leaves, what can be wrong."""

import json
from dataclasses import asdict, replace

import pytest

from automl.data.importing import ImportRequest
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.data.store import load_dataset
from automl.errors import SpecError
from automl.execution.devices import list_slots
from automl.files import load_json
from automl.jobs.records import JobKind, JobState
from automl.models.catalog import FAMILIES
from automl.search.building import SearchRequest, build_search_spec
from automl.search.spec import render_spec
from automl.settings import Settings
from automl.training.request import TrainRequest
from automl.worker.sizes_handler import (
    OUT,
    _plan_share,
    find_obstacle,
    parse_sizes_spec,
    plan_sizes,
    render_sizes_spec,
)
from tests.unit.worker.test_data_handlers import run, write_table  # noqa: F401 - the fixture

LINEAR = dict(FAMILIES["linear"].default)
RESULT = {
    "winner": {"name": "Ensemble of 2 models", "trial": None},
    "leaderboard": [{"trial": None}, {"trial": 4}, {"trial": 3}],
    "trials": [
        {"number": 3, "name": "Boosted trees 3", "family": "boosting", "config": {"a": 1}, "seed": 30},
        {"number": 4, "name": "Linear 4", "family": "linear", "config": LINEAR, "seed": 40},
    ],
}  # fmt: skip


def test_of_an_ensemble_the_best_single_model_is_trained_with_its_own_seed():
    planned = plan_sizes({"data": "d"}, RESULT, "5" * 32)
    assert (planned.name, planned.family, planned.seed) == ("Linear 4", "linear", 40)
    assert (planned.search, planned.epochs) == ("5" * 32, 0)
    alone = plan_sizes({}, {**RESULT, "winner": {"trial": 3}})
    assert alone.name == "Boosted trees 3"
    assert parse_sizes_spec(json.loads(json.dumps(render_sizes_spec(planned)))) == planned
    assert plan_sizes({}, {"winner": {}}) is None


def test_a_network_on_pictures_keeps_the_epochs_that_it_had():
    network = {
        "number": 7,
        "name": "CNN 7",
        "family": "classic",
        "config": {"epochs": 40},
        "n_epochs": 12,
    }
    planned = plan_sizes({}, {"winner": {"trial": 7}, "trials": [network]})
    assert planned.epochs == 12
    table = {**network, "family": "mlp"}  # there it stopped early, after 12 of 40
    assert plan_sizes({}, {"winner": {"trial": 7}, "trials": [table]}).epochs == 40


def test_a_share_gets_as_many_steps_as_all_rows():
    request = TrainRequest(
        family="mlp", config={"epochs": 20, "width": 8}, seed=0, batch_size=64, max_epochs=20
    )
    eighth = _plan_share(request, 20, 8.0, 400)
    assert (eighth.config["epochs"], eighth.max_epochs, eighth.config["width"]) == (160, 160, 8)
    assert _plan_share(request, 20, 32.0, 400).max_epochs == 400
    assert _plan_share(request, 0, 8.0, 400) == request  # trees and linear models have no epochs


def test_a_constant_has_no_curve_and_what_cannot_be_read_is_named():
    assert "however many rows" in find_obstacle("constant")
    assert find_obstacle("mlp") == ""
    with pytest.raises(SpecError, match="at family"):
        parse_sizes_spec({"spec": {}, "config": {}, "name": "x"})


def test_a_model_is_trained_on_growing_shares_and_the_record_is_kept(run, tmp_path):  # noqa: F811
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
    planned = plan_sizes(json.loads(render_spec(spec)), RESULT)
    job = run(kind=JobKind.SIZES, title="Linear 4", spec=render_sizes_spec(planned))
    assert job.state is JobState.SUCCEEDED, job.outcome
    curve = load_json(run.workspace.job(job.id) / OUT)
    sizes = [point["n_rows"] for point in curve["points"]]
    assert sizes == sorted(sizes)
    assert job.result == {"out": OUT, "n_points": len(sizes)}
    for point in curve["points"]:
        assert point["failure"] == ""
        assert point["value"] == pytest.approx(1)  # a column gives the target away
    changes = [point["change"] for point in curve["points"]]
    assert changes[0] is None
    assert changes[1:] == pytest.approx([0] * (len(sizes) - 1))
    assert len(sizes) >= 2
    assert job.progress["words"] == f"Learning from {sizes[-1]} of {sizes[-1]} rows"

    constant = replace(planned, family="constant", config={})
    refused = run(kind=JobKind.SIZES, title="Constant", spec=render_sizes_spec(constant))
    assert refused.state is JobState.FAILED
    assert "however many rows" in refused.outcome.message
