"""The Threshold tab: everything follows slider and costs, the address says them, and a threshold is stored with a reason."""

import json
from dataclasses import asdict

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import results, services
from automl.evaluation.cuts import build_cuts
from automl.evaluation.goal import Goal
from automl.evaluation.outputs import read_scores
from automl.evaluation.threshold_change import ThresholdChange, read_changes
from automl.evaluation.thresholds import Rule, find_best_threshold
from automl.files import load_json, write_json
from automl.jobs.records import Job, JobKind
from automl.settings import Settings
from tests.ui import finished
from tests.ui.finished import TASKS, Plan
from tests.ui.test_results_page import find_table, open_page, read_text

TASK = TASKS["binary"]


def open_tab(job: Job, **query: str) -> AppTest:
    """The tab as a link to it opens it."""
    at = AppTest.from_file("../../app/main.py", default_timeout=90)
    at.query_params["search"] = job.id
    for name, value in query.items():
        at.query_params[name] = value
    if not query:
        at.session_state["results_tab"] = "Threshold"
    at.run()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("../pages/results.py").run()
    assert not at.exception, at.exception
    return at


def read_plain(at: AppTest) -> str:
    return read_text(at).replace("\\", "")


def list_changes() -> list[Job]:
    return list(services.get_store().list_jobs(kinds=(JobKind.THRESHOLD,)))


def get_measure(at: AppTest, name: str) -> pd.Series:
    table = find_table(at, "Measure")
    return table[table["Measure"] == name].iloc[0]


def test_the_tab_opens_at_the_default_with_both_parts() -> None:
    job = finished.finish()
    at = open_tab(job)
    assert "says **>50K** from a probability of **0.5** on, the default" in read_plain(at)
    table = find_table(at, "Measure")
    assert list(table.columns) == [
        "Measure", "Calibrate part, n = 500", "Test part, n = 600", "Test cases",
    ]  # fmt: skip
    frame = results.read_predictions(job.id)
    flagged = frame["probability_>50K"] >= 0.5
    assert get_measure(at, "Selection rate")["Test cases"] == f"{flagged.sum()} of 600"
    assert "The preset says that both mistakes cost the same" in read_plain(at)
    assert "worth flagging from **0.5** on" in read_plain(at)
    assert "0.5 is what this model decides by" in read_plain(at)
    titles = list(find_table(at, "Selection rate, difference").columns)
    assert "False positive rate, difference" in titles


def test_the_slider_moves_counts_curves_groups_and_the_address() -> None:
    job = finished.finish()
    at = open_tab(job)
    at.slider(key="threshold_slider").set_value(0.2).run()
    assert not at.exception
    assert at.query_params["threshold"] == "0.2"
    frame = results.read_predictions(job.id)
    flagged = frame["probability_>50K"] >= 0.2
    found = int((flagged & (frame["truth"] == ">50K")).sum())
    assert get_measure(at, "Precision")["Test cases"] == f"{found} of {flagged.sum()}"
    cells = find_table(at, "predicted")
    cell = cells[(cells["truth"] == ">50K") & (cells["predicted"] == ">50K")]
    assert cell["n"].tolist() == [found]
    groups = find_table(at, "Selection rate, difference")
    women = groups[groups["Group"] == "Female"].iloc[0]
    inside = frame["sensitive_sex"] == "Female"
    assert f"{(flagged & inside).sum()} of {inside.sum()}" in women["Selection rate"]
    assert at.number_input(key="threshold_exact").value == 0.2
    text = read_plain(at)
    assert "The diamond is the threshold 0.2" in text
    assert "At 0.2 the net benefit is" in text
    assert "At 0.2 a case costs" in text


def test_a_link_shows_the_same_threshold_costs_and_rule() -> None:
    job = finished.finish()
    at = open_tab(
        job, threshold="0.125", costs="-1,1,10,0", goal="recall_at_precision", level="0.6"
    )
    assert at.slider(key="threshold_slider").value == 0.125
    assert at.number_input(key="cost_fn").value == 10
    assert at.number_input(key="cost_tp").value == -1
    assert at.number_input(key="threshold_level").value == 0.6
    text = read_plain(at)
    assert "worth flagging from **0.0833** on" in text
    assert "The highest recall at a precision of 0.6 or more on the calibrate part" in text
    at.number_input(key="cost_fp").set_value(3.0).run()
    assert at.query_params["costs"] == "-1,3,10,0"


@pytest.mark.parametrize("wrong", ["x", "2", "nan", "-0.1"])
def test_an_address_that_says_nonsense_shows_what_is_stored(wrong: str) -> None:
    at = open_tab(finished.finish(), threshold=wrong, costs="1,2", goal="luck", level="9")
    assert at.slider(key="threshold_slider").value == 0.5
    assert at.selectbox(key="threshold_goal").value == "f1"
    assert "cannot be read for: costs, goal, threshold" in at.warning[0].value


def test_the_best_threshold_comes_from_the_calibrate_part_and_is_taken_by_a_button() -> None:
    job = finished.finish()
    at = open_tab(job)
    at.selectbox(key="threshold_goal").set_value("youden").run()
    calibrate = results.read_calibrate_predictions(job.id)
    best = find_best_threshold(build_cuts(*read_scores(TASK, calibrate)), Rule(goal=Goal.YOUDEN))
    text = read_plain(at)
    assert f"on the calibrate part (n = 500) is at **{best.threshold:g}**" in text
    assert "the test part had no say" in text
    at.button(key="threshold_use").click().run()
    assert at.slider(key="threshold_slider").value == best.threshold
    assert "the highest Youden index on the calibrate part" in read_plain(at)


def test_a_threshold_is_stored_with_a_reason_once() -> None:
    job = finished.finish()
    at = open_tab(job, threshold="0.3")
    at.button(key="threshold_store").click().run()
    assert "none was given" in read_text(at)
    assert not list_changes()
    at.text_input(key="threshold_reason").set_value("Misses cost more")
    at.text_input(key="threshold_by").set_value("Ana")
    at.button(key="threshold_store").click().run()
    assert not at.exception
    (change,) = list_changes()
    assert change.spec["search"] == job.id
    request = change.spec["request"]
    assert (request["threshold"], request["goal"]) == (0.3, None)
    assert (request["reason"], request["by"]) == ("Misses cost more", "Ana")
    assert "threshold_store" not in [button.key for button in at.button]  # it is being stored


def test_what_the_rule_found_is_stored_as_that() -> None:
    at = open_tab(finished.finish())
    at.button(key="threshold_use").click().run()
    at.text_input(key="threshold_reason").set_value("Best F1")
    at.button(key="threshold_store").click().run()
    (change,) = list_changes()
    assert (change.spec["request"]["goal"], change.spec["request"]["threshold"]) == ("f1", None)


def store(job: Job) -> None:
    """What a worker leaves in ``result.json`` when it stored 0.3."""
    path = Settings().workspace.result(job.id) / "result.json"
    change = ThresholdChange(
        threshold=0.3, previous=0.5, at="2026-11-30T10:00:00+00:00", by="Ana", reason="Misses *cost* more",
    )  # fmt: skip
    write_json(
        path, {**load_json(path), "threshold_changes": [json.loads(json.dumps(asdict(change)))]}
    )


def test_a_stored_threshold_is_said_on_every_page_and_undone() -> None:
    job = finished.finish()
    store(job)
    at = open_tab(job)
    text = read_plain(at)
    assert "cut at **0.3** instead of 0.5" in text
    assert (
        "set by hand, not found on the calibrate part; stored 2026-11-30 by Ana: Misses *cost* more"
        in text
    )
    assert at.slider(key="threshold_slider").value == 0.3
    at.button(key="threshold_undo").click().run()
    (change,) = list_changes()
    assert (change.spec["request"]["threshold"], change.spec["request"]["goal"]) == (None, None)
    assert "probability of **0.3** on" in read_plain(open_page("audit", job.id))
    assert read_changes(results.read_result(job.id))[0].by == "Ana"


def test_a_search_from_before_says_why_there_is_no_best_threshold() -> None:
    job = finished.finish(Plan(groups=(), second=()))
    (Settings().workspace.result(job.id) / "calibrate_predictions.parquet").unlink()
    at = open_tab(job)
    text = read_plain(at)
    assert "made before predictions of the calibrate part were kept" in text
    assert list(find_table(at, "Measure").columns)[1:] == ["Test part, n = 600", "Test cases"]
    assert "no groups are compared" in text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("multiclass", "the most probable class is decided"),
        ("regression", "predicted, not decided"),
    ],
)
def test_other_targets_say_why_they_have_no_threshold(kind: str, words: str) -> None:
    at = open_tab(finished.finish(Plan(kind=kind)))
    assert words in read_text(at)
    assert not [each for each in at.slider if each.key == "threshold_slider"]
