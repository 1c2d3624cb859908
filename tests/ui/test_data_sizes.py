"""The curve over data size on the Results page, in every state a person can meet it in."""

from dataclasses import asdict

import pytest

from app import data_sizes, results, services
from automl.files import load_json, write_json
from automl.jobs.records import JobKind, JobState, Outcome
from automl.settings import Settings
from automl.worker.sizes_handler import OUT, plan_sizes
from tests.ui import finished
from tests.ui.test_results_page import open_page, read_text
from tests.unit.figures.test_data_size import build_curve


@pytest.fixture
def search():
    return finished.finish()


def open_model(search):
    return open_page("results", search.id, results_tab="Model")


def claim(search):
    """The curve of the winner, asked for, in the hands of a worker."""
    asked = plan_sizes(search.spec, results.read_result(search.id), search.id)
    job = data_sizes.submit_curve(search, asked)
    return job, services.get_store().claim_submitted(job.id, "tester")


def test_a_curve_is_offered_queued_cancelled_and_offered_again(search):
    at = open_model(search)
    assert "The test part is not looked at" in read_text(at)
    at.button(key="sizes_start").click().run()
    (job,) = services.get_store().list_jobs(kinds=(JobKind.SIZES,))
    assert (job.spec["search"], job.spec["name"]) == (search.id, "MLP 12")
    assert "Waiting for a worker" in [bar.proto.text for bar in at.get("progress")]
    at.button(key="sizes_cancel").click().run()
    assert services.read_job(job.id).state is JobState.STOPPED
    at = open_model(search)
    assert "This was cancelled." in read_text(at)
    assert at.button(key="sizes_start").label == "Train again"
    assert claim(search)[0].id == claim(search)[0].id  # two presses are one job


def test_a_finished_curve_has_figure_table_and_sentence(search):
    job, lease = claim(search)
    write_json(services.get_workspace().job(job.id) / OUT, asdict(build_curve()))
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {"out": OUT}, None)
    at = open_model(search)
    assert "From 750 to 3,000 rows it changed by" in read_text(at).replace("\\", "")
    (table,) = [each.value for each in at.dataframe if "n_rows" in each.value]
    assert table["n_rows"].tolist() == [750, 1_500, 3_000]
    assert "sizes_start" not in [button.key for button in at.button]
    write_json(services.get_workspace().job(job.id) / OUT, {"points": []})
    at.run()
    assert "cannot be read" in read_text(at)


def test_a_curve_that_failed_says_why_and_a_constant_has_none(search):
    _, lease = claim(search)
    outcome = Outcome(kind="DataError", message="The data set is gone.", hint="Upload it again.")
    services.get_store().finish_job(lease, JobState.FAILED, {}, outcome)
    text = read_text(open_model(search))
    assert "The data set is gone" in text
    path = Settings().workspace.result(search.id) / "result.json"
    result = load_json(path)
    trials = [{**row, "family": "constant"} for row in result["trials"]]
    write_json(path, {**result, "trials": trials})
    assert "however many rows there are" in read_text(open_model(search))
