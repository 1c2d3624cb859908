"""The Search page of a search that waits, runs, was refused or has ended: what is shown, and what is not."""

from pathlib import Path

import pytest

from app import services
from automl.data.dataset import Dataset
from automl.jobs.records import JobState, Outcome
from tests.ui.datasets import get_query, import_people
from tests.ui.searches import open_search, read_text, run_search, submit


@pytest.fixture
def people(tmp_path: Path) -> Dataset:
    return import_people(tmp_path)


def test_a_search_that_was_refused_leads_back_to_the_choices(people: Dataset) -> None:
    job = submit(people)
    lease = services.get_store().claim_submitted(job.id, "test")
    assert lease is not None
    outcome = Outcome(kind="DataError", message="-3 is no weight.", hint="Correct the column.")
    services.get_store().finish_job(lease, JobState.FAILED, {}, outcome)
    at = open_search(search=job.id)
    assert "-3 is no weight" in at.error[0].value
    assert not at.metric  # no trial: nothing to count or to draw
    assert not at.dataframe
    assert at.button(key="resume").proto.type == "secondary"
    at.button(key="change_data").click().run()
    assert not at.exception
    assert get_query(at, "dataset") == people.id


def test_a_waiting_search_shows_no_empty_table(people: Dataset) -> None:
    at = open_search(search=submit(people).id)
    assert "waits for a worker" in read_text(at)
    assert not at.dataframe
    assert not at.metric


def test_a_search_that_ended_says_when_and_no_machine(people: Dataset) -> None:
    job = submit(people)
    lease = run_search(job)
    assert "Machine" in [header.value for header in open_search(search=job.id).header]
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {}, None)
    at = open_search(search=job.id)
    assert "Ended 20" in read_text(at)
    assert "Machine" not in [header.value for header in at.header]


def test_an_estimate_of_the_time_left_is_told_in_minutes(people: Dataset) -> None:
    job = submit(people)
    lease = run_search(job)
    progress = {"elapsed_seconds": 100.0, "n_finished": 4, "budget_trials": 20}
    services.get_store().write_progress(lease, progress)
    shown = {metric.label: metric.value for metric in open_search(search=job.id).metric}
    assert shown["Time left, about"] == "7 min"
