"""The Models page: the list, the bundle, predicting a file through a job."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd

from app import finished_models, services
from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import fit_encoder
from automl.deploy.bundle import BundleParts, load_bundle, save_bundle
from automl.deploy.manifest import parse_manifest, render_manifest
from automl.evaluation.conformal_quantiles import fit_quantiles
from automl.jobs.records import JobKind, JobState, NewJob, Outcome
from automl.models.tabular.constant import fit_constant
from automl.settings import Settings
from automl.training.predictor import save_predictor
from tests.ui import finished
from tests.ui.test_results_page import find_table, open_page, read_text

COLUMNS = (ColumnUse(name="age", kind=Kind.NUMERIC, role=Role.FEATURE),)


def write_bundle(search: str, name: str = "Constant") -> None:
    folder = Settings().workspace.result(search)
    save_predictor(fit_constant(np.array([0, 1]), 2), folder / "member")
    save_bundle(
        folder / "bundle",
        BundleParts(
            name=name, created_at="2026", task=finished.TASKS["binary"], columns=COLUMNS,
            encoder=fit_encoder(pd.DataFrame({"age": [1.0, 2.0]}), COLUMNS), members=(folder / "member",),
            conformal=fit_quantiles(finished.TASKS["binary"], np.ones(20, dtype=np.int64), np.full((20, 2), 0.5)),
        ),
    )  # fmt: skip


def submit_prediction(search: str, state: JobState, **result: object) -> str:
    store = finished.get_store()
    job = store.submit_job(
        NewJob(kind=JobKind.PREDICT, title="rows.csv", spec={"search": search, "path": "x"})
    )
    if state is not JobState.QUEUED:
        lease = store.claim_submitted(job.id, "tester")
        assert lease is not None
        outcome = None
        if state is JobState.FAILED:
            outcome = Outcome(kind="data", message="The column age is missing.", hint="Add it.")
        store.write_progress(lease, {"fraction": 0.4, "words": "row 400 of 1,000"})
        if state is not JobState.RUNNING:
            store.finish_job(lease, state, result, outcome)
    store.close()
    return job.id


def test_without_models_the_page_says_where_to_start() -> None:
    at = open_page("models")
    assert "No model is finished yet" in read_text(at)
    assert at.button(key="go_data")


def test_the_list_has_finished_searches_only_and_opens_at_the_open_one() -> None:
    first, second = finished.finish(), finished.finish(finished.Plan(kind="regression"))
    finished.submit(JobState.RUNNING)
    at = open_page("models", first.id)
    assert len(find_table(at, "Test value")) == 2
    assert at.selectbox(key="model").value == first.id
    assert second.id != first.id


def test_a_search_without_a_bundle_says_so() -> None:
    assert "left no bundle" in read_text(open_page("models", finished.finish().id))


def test_the_bundle_is_packed_once_and_predicts() -> None:
    job = finished.finish()
    write_bundle(job.id)
    at = open_page("models", job.id)
    assert at.button or at.get("download_button")
    path = finished_models.prepare_bundle(job.id)
    assert path is not None
    first = path.stat().st_mtime_ns
    assert finished_models.prepare_bundle(job.id) == path
    assert path.stat().st_mtime_ns == first
    with load_bundle(path) as bundle:
        assert len(bundle.predict(pd.DataFrame({"age": [1.0, 2.0]}))) == 2


def test_sets_are_offered_where_the_bundle_has_them_and_asked_for_with_the_file() -> None:
    job = finished.finish()
    write_bundle(job.id)
    at = open_page("models", job.id)
    assert at.segmented_control(key="predict_coverage").options == ["none", "80 %", "90 %", "95 %"]
    assert at.segmented_control(key="predict_coverage").value is None
    asked = services.submit_predict(job.id, Settings().workspace.root / "rows.part", "rows.csv", 0.9)  # fmt: skip
    assert asked.spec["coverage"] == 0.9
    manifest = Settings().workspace.result(job.id) / "bundle" / "bundle.json"
    old = replace(parse_manifest(manifest.read_bytes()), conformal=())
    manifest.write_text(render_manifest(old))
    assert "search again to get them" in read_text(open_page("models", job.id))


def test_a_resumed_search_offers_its_new_bundle() -> None:
    job = finished.finish()
    write_bundle(job.id)
    path = finished_models.prepare_bundle(job.id)
    assert path is not None
    folder = Settings().workspace.result(job.id)
    (folder / "bundle").rename(folder / "before")  # as a resumed search does, it writes another one
    write_bundle(job.id, name="Second")
    later = path.stat().st_mtime + 5
    os.utime(folder / "bundle" / "bundle.json", (later, later))
    path = finished_models.prepare_bundle(job.id)
    assert path is not None
    with load_bundle(path) as bundle:
        assert bundle.manifest.name == "Second"


def test_a_running_prediction_shows_its_progress() -> None:
    job = finished.finish()
    write_bundle(job.id)
    submit_prediction(job.id, JobState.RUNNING)
    at = open_page("models", job.id)
    assert [bar.text for bar in at.get("progress")] or "row 400" in str(at.get("progress"))


def test_a_failed_prediction_shows_the_value_and_the_way_out() -> None:
    job = finished.finish()
    write_bundle(job.id)
    submit_prediction(job.id, JobState.FAILED)
    text = read_text(open_page("models", job.id))
    assert "The column age is missing" in text
    assert "Add it" in text


def test_a_finished_prediction_is_offered_with_its_notes() -> None:
    job = finished.finish()
    write_bundle(job.id)
    prediction = submit_prediction(
        job.id, JobState.SUCCEEDED, n_rows=1_000, out="predictions.csv",
        notes=[{"code": "unseen", "text": "12 values of job were never seen.", "column": "job", "level": "warning"}],
    )  # fmt: skip
    path = Settings().workspace.job(prediction) / "predictions.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("row_id,prediction\n0,x\n")
    at = open_page("models", job.id)
    assert "1,000 rows predicted" in read_text(at)
    assert "12 values of job" in read_text(at)
    assert "Download predictions" in {button.label for button in at.get("download_button")}


def test_only_the_latest_prediction_stands_open() -> None:
    job = finished.finish()
    write_bundle(job.id)
    submit_prediction(job.id, JobState.FAILED)
    submit_prediction(job.id, JobState.FAILED)
    at = open_page("models", job.id)
    folded = next(each for each in at.expander if each.label == "Earlier files (1)")
    assert not folded.proto.expanded
    assert len(folded.error) == 1
    assert len(at.error) == 2


def test_an_output_name_cannot_leave_the_job_folder() -> None:
    job = finished.finish()
    identifier = submit_prediction(job.id, JobState.SUCCEEDED, n_rows=1, out="../../secret.csv")
    (Settings().workspace.root / "secret.csv").write_text("x")
    found = finished.get_store().read_job(identifier)
    assert found is not None
    assert finished_models.find_output(found) is None
