"""A small table, a model of it and what its search left: what explanations through a worker are asked about."""

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from automl.data.importing import ImportRequest
from automl.data.preparing import PrepareRequest, prepare
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.data.store import load_dataset, load_frame
from automl.data.views import Part
from automl.deploy.bundle import BundleParts, load_bundle, save_bundle
from automl.execution.devices import list_slots
from automl.jobs.records import JobKind
from automl.reports.predictions import PredictedRows, build_predictions, write_predictions
from automl.search.building import SearchRequest, build_search_spec
from automl.search.spec import parse_spec, render_spec
from automl.settings import Settings
from automl.training.request import TrainRequest
from automl.training.run import train

SEARCH = "5" * 32


def write_people(path: Path, n: int = 400) -> Path:
    """Age and job decide, noise does not."""
    rng = np.random.default_rng(0)
    age, job = rng.integers(20, 80, n), rng.choice(["nurse", "smith", "clerk"], n)
    odds = (age - 50) / 6 + 2.0 * (job == "nurse")
    bought = np.where(rng.random(n) < 1 / (1 + np.exp(-odds)), "yes", "no")
    noise = rng.normal(size=n).round(3)
    pd.DataFrame({"noise": noise, "age": age, "job": job, "bought": bought}).to_csv(
        path, index=False
    )
    return path


def plant_search(run, tmp_path: Path, family: str = "linear", **config) -> Path:
    """Import, train one model, leave bundle, predictions and spec as a search does; the folder of its job."""
    table = write_people(tmp_path / "people.csv")
    request = ImportRequest(path=str(table), name="people.csv")
    imported = run(kind=JobKind.IMPORT, title="people.csv", spec=asdict(request))
    dataset = load_dataset(run.workspace, imported.result["dataset"])
    spec = build_search_spec(
        SearchRequest(
            dataset=dataset,
            profile=load_profile(run.workspace, dataset.id),
            setup=Setup(target="bought"),
            slots=list_slots(Settings(devices="cpu:0")),
        )
    )
    job = run.workspace.job(SEARCH)
    job.mkdir(parents=True, exist_ok=True)
    (job / "spec.json").write_text(render_spec(spec))
    frame = load_frame(run.workspace, dataset.id)
    frame.to_parquet(job / "frame.parquet")
    plant_model(job, tmp_path / "member", family, config)
    return job


def plant_model(job: Path, member: Path, family: str, config: dict) -> None:
    """Train one model of the search's rows and make it the winner."""
    spec = parse_spec((job / "spec.json").read_bytes())
    frame = pd.read_parquet(job / "frame.parquet")
    ready = prepare(
        PrepareRequest(frame=frame, columns=spec.columns, task=spec.task, split_plan=spec.split)
    )
    fit(ready.prepared, spec.task, family, config).save(member)
    shutil.rmtree(job / "result" / "bundle", ignore_errors=True)
    save_bundle(
        job / "result" / "bundle",
        BundleParts(
            name=family, created_at="2026", task=spec.task, columns=spec.inputs,
            encoder=ready.encoder, members=(member,), temperature=1.5,
            training={"data": spec.data},
        ),
    )  # fmt: skip
    rows = ready.prepared.parts[Part.TEST]
    with load_bundle(job / "result" / "bundle") as bundle:
        prediction = bundle.predict_array(frame.iloc[rows])
    predicted = PredictedRows(
        row_id=rows, truth=ready.prepared.target[rows], prediction=prediction,
        sensitive=pd.DataFrame(index=range(len(rows))),
    )  # fmt: skip
    write_predictions(job / "result", build_predictions(spec.task, predicted))


def fit(prepared, task, family, config):
    """A model after two epochs at most."""
    from automl.models.catalog import get_family

    request = TrainRequest(
        family=family, config={**get_family(family).default, **config}, seed=0, batch_size=64,
        max_epochs=2,
    )  # fmt: skip
    steps = train(prepared, task, request)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value
