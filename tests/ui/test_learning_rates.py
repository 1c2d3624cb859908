"""The learning-rate test on the Results page, in every state a person can meet it in."""

import json
from dataclasses import asdict

import pytest

from app import learning_rates, results, services
from app.wording import say_plain
from automl.files import load_json, write_json
from automl.jobs.records import JobKind, JobState, Outcome
from automl.models.catalog import FAMILIES
from automl.settings import Settings
from automl.worker.rates_handler import OUT, plan_test
from tests.ui import finished
from tests.ui.charts import assert_charts_complete
from tests.ui.test_results_page import open_page, read_text
from tests.unit.figures.test_learning_rates import build_test


@pytest.fixture
def search():
    """A finished search whose best network trains in packs."""
    return finish_with()


def finish_with(**network):
    job = finished.finish()
    path = Settings().workspace.result(job.id) / "result.json"
    result = dict(load_json(path))
    config = dict(FAMILIES["mlp"].default)
    result["winner"] = {**result["winner"], "config": config, **network}
    write_json(path, result)
    return job


def open_model(search):
    return open_page("results", search.id, results_tab="Model")


def list_jobs():
    return list(services.get_store().list_jobs(kinds=(JobKind.RATES,)))


def claim(search):
    """The test of the best network, asked for, in the hands of a worker."""
    asked = plan_test(search.spec, results.read_result(search.id), search.id)
    job = learning_rates.submit_test(search, asked)
    return job, services.get_store().claim_submitted(job.id, "tester")


def test_the_test_is_offered_queued_by_a_press_cancelled_and_offered_again(search):
    at = open_model(search)
    text = read_text(at)
    assert "Learning rates of MLP 12" in text
    assert "reads training rows only" in text
    assert say_plain("frame.no_worker").split("`")[0] in text
    assert at.button(key="rates_start").label == "Test learning rates"
    at.button(key="rates_start").click().run()
    (job,) = list_jobs()
    assert job.spec["search"] == search.id
    assert job.spec["config"] == json.loads(json.dumps(dict(FAMILIES["mlp"].default)))
    assert "Waiting for a worker" in [bar.proto.text for bar in at.get("progress")]
    at.button(key="rates_cancel").click().run()
    assert services.read_job(job.id).state is JobState.STOPPED
    at = open_model(search)
    assert "The test was cancelled." in read_text(at)
    assert at.button(key="rates_start").label == "Test again"
    at.button(key="rates_start").click().run()
    assert len(list_jobs()) == 2


def test_two_presses_are_one_job(search):
    assert claim(search)[0].id == claim(search)[0].id


def test_progress_is_shown_and_a_stop_that_was_asked_for(search):
    job, lease = claim(search)
    store = services.get_store()
    store.write_progress(lease, {"fraction": 0.4, "words": "Training at each learning rate"})
    at = open_model(search)
    (bar,) = at.get("progress")
    assert (bar.proto.value, bar.proto.text) == (40, "Training at each learning rate")
    services.stop_job(job.id)
    at.run()
    assert "Cancelling" in read_text(at)
    assert "rates_cancel" not in [button.key for button in at.button]


def test_a_finished_test_is_shown_with_figure_table_and_sentence(search):
    job, lease = claim(search)
    write_json(services.get_workspace().job(job.id) / OUT, asdict(build_test()))
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {"out": OUT}, None)
    at = open_model(search)
    assert assert_charts_complete(at) == 2
    assert "n = 2,400 training rows" in read_text(at)
    (table,) = [each.value for each in at.dataframe if "diverges" in each.value]
    assert len(table) == 32
    assert "rates_start" not in [button.key for button in at.button]


def test_a_test_that_failed_says_why_and_may_be_repeated(search):
    _, lease = claim(search)
    outcome = Outcome(kind="DataError", message="The data set is gone.", hint="Upload it again.")
    services.get_store().finish_job(lease, JobState.FAILED, {}, outcome)
    at = open_model(search)
    assert "The data set is gone" in read_text(at)
    assert "Upload it again" in read_text(at)
    assert at.button(key="rates_start").label == "Test again"


def test_a_record_that_is_gone_or_damaged_is_no_end(search):
    job, lease = claim(search)
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {"out": OUT}, None)
    at = open_model(search)
    assert "not here any more" in read_text(at)
    write_json(services.get_workspace().job(job.id) / OUT, {"rates": []})
    at.run()
    assert "cannot be read" in read_text(at)
    at.button(key="rates_start").click().run()
    assert len(list_jobs()) == 2


def test_a_network_that_trains_alone_has_the_reason_instead_of_a_button():
    search = finish_with(family="realmlp", config=dict(FAMILIES["realmlp"].default))
    at = open_model(search)
    assert "No test of learning rates: RealMLP trains alone" in read_text(at)
    assert "rates_start" not in [button.key for button in at.button]


def test_without_a_network_nothing_is_said():
    search = finish_with(is_network=False)
    path = Settings().workspace.result(search.id) / "result.json"
    write_json(path, {**load_json(path), "best_network": None})
    assert "Learning rates of" not in read_text(open_model(search))
