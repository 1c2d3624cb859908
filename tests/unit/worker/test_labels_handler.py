"""Wrong labels through a worker: planted flips are found, a job is cancelled, and what cannot be is said."""

import contextlib
import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from automl.data.corrections import Corrections
from automl.data.importing import ImportRequest
from automl.data.intake import import_file
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.data.store import load_dataset
from automl.execution.devices import list_slots
from automl.files import load_json
from automl.jobs.records import JobKind, JobState, StopMode
from automl.jobs.store import JobStore
from automl.search.building import SearchRequest, build_search_spec
from automl.search.spec import parse_spec, render_spec
from automl.settings import Settings
from automl.worker.labels_handler import OUT, ROWS, run_labels
from tests.painted_zips import write_shapes
from tests.unit.worker.test_data_handlers import run  # noqa: F401 - the fixture

FLIPPED = 0.05


@pytest.fixture
def asked(run, tmp_path):  # noqa: F811
    """The job a page would submit, for a table in which 5 % of the labels were turned, and the turned rows."""
    bunch = load_breast_cancer(as_frame=True)
    frame = bunch.data.iloc[:, :12].assign(found=np.where(bunch.target == 1, "benign", "malignant"))
    rng = np.random.default_rng(0)
    turned = rng.choice(len(frame), round(FLIPPED * len(frame)), replace=False)
    other = frame["found"].map({"benign": "malignant", "malignant": "benign"})
    frame.loc[turned, "found"] = other[turned]
    path = tmp_path / "cells.csv"
    frame.to_csv(path, index=False)
    request = ImportRequest(path=str(path), name="cells.csv")
    imported = run(kind=JobKind.IMPORT, title="cells.csv", spec=asdict(request))
    spec = build(run, imported.result["dataset"], "found")
    return {"spec": spec, "turned": set(map(int, turned))}


def build(run, dataset_id, target):  # noqa: F811
    dataset = load_dataset(run.workspace, dataset_id)
    return build_search_spec(
        SearchRequest(
            dataset=dataset,
            profile=load_profile(run.workspace, dataset.id),
            setup=Setup(target=target),
            slots=list_slots(Settings(devices="cpu:0")),
        )
    )


def submit(run, spec, **more):  # noqa: F811
    plain = {"search": "5" * 32, "spec": json.loads(render_spec(spec))}
    return run(kind=JobKind.LABELS, title="cells", spec=plain, **more)


def test_half_of_the_most_suspicious_rows_are_planted_flips(run, asked):  # noqa: F811
    shares = []

    def listen(job):
        shares.append(job.progress.get("fraction", 0.0))

    job = submit(run, asked["spec"], watch=listen)
    assert job.state is JobState.SUCCEEDED, job.outcome
    folder = run.workspace.job(job.id)
    facts, frame = load_json(folder / OUT), pd.read_parquet(folder / ROWS)
    assert facts["family"] == "lightgbm"
    assert facts["n_contradicted"] == len(frame) < facts["n_rows"] < 569
    n_top = round(FLIPPED * facts["n_rows"])
    top = frame.head(n_top)
    assert top["row"].isin(asked["turned"]).sum() >= n_top / 2
    assert shares == sorted(shares)
    assert job.result["n_suspected"] == facts["n_suspected"] > 0


def test_a_spec_with_corrections_survives_its_json_and_old_ones_read(asked):
    spec = replace(asked["spec"], corrections=Corrections(dropped=(3,), relabelled={4: "benign"}))
    assert parse_spec(render_spec(spec)) == spec
    old = json.loads(render_spec(asked["spec"]))
    del old["corrections"]
    assert parse_spec(json.dumps(old)) == asked["spec"]


def test_a_check_can_be_cancelled_and_a_value_is_refused(run, asked):  # noqa: F811
    def stop_once_it_trains(job):
        if job.state is JobState.RUNNING and job.progress.get("fraction", 0) > 0:
            store.request_stop(job.id, StopMode.DISCARD)

    with contextlib.closing(JobStore(run.workspace.database)) as store:
        stopped = submit(run, asked["spec"], watch=stop_once_it_trains)
    assert stopped.state is JobState.STOPPED
    assert not (run.workspace.job(stopped.id) / OUT).exists()
    refused = submit(run, build(run, asked["spec"].data, "mean radius"))
    assert refused.state is JobState.FAILED
    assert "is a value" in refused.outcome.message
    assert refused.outcome.hint


def test_labels_of_pictures_are_checked_by_a_small_network(tmp_path):
    settings = Settings(devices="cpu:0")
    write_shapes(tmp_path / "shapes.zip")
    request = ImportRequest(path=str(tmp_path / "shapes.zip"), name="shapes.zip")
    dataset = import_file(request, settings.workspace, settings)
    spec = build_search_spec(
        SearchRequest(
            dataset=dataset,
            profile=load_profile(settings.workspace, dataset.id),
            setup=Setup(target="label"),
            slots=list_slots(settings),
        )
    )
    arguments = {
        "spec": json.loads(render_spec(spec)), "out": str(tmp_path / "out"),
        "settings": {"home": str(settings.workspace.root)},
    }  # fmt: skip
    assert run_labels(arguments, lambda _share, _words: None)["out"] == OUT
    facts, frame = load_json(tmp_path / "out" / OUT), pd.read_parquet(tmp_path / "out" / ROWS)
    assert facts["family"] == "small_cnn"
    assert len(frame) == facts["n_contradicted"] < facts["n_rows"] < dataset.n_train_rows
    assert (frame["row"] < dataset.n_train_rows).all()
