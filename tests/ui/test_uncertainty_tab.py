"""The Uncertainty tab: sets, intervals and the review queue, and what each says where it does not apply."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import services, uncertainty
from app.uncertainty import find_doubts
from automl.evaluation.conformal import ConformalScore
from automl.evaluation.uncertainty import CoveragePlan
from automl.files import load_json, write_json
from automl.jobs.records import JobState
from automl.settings import Settings
from tests.ui import finished, finished_pictures
from tests.ui.charts import assert_charts_complete
from tests.ui.datasets import get_query, import_people
from tests.ui.finished import Plan
from tests.ui.test_results_page import find_table, read_text

CLASSES = ("<=50K", ">50K")


def open_tab(search: str, **query: str) -> AppTest:
    """The tab as a link opens it."""
    at = AppTest.from_file("../../app/main.py", default_timeout=30)
    for name, value in {"search": search, **query}.items():
        at.query_params[name] = value
    at.session_state["results_tab"] = "Uncertainty"
    at.run()
    at.switch_page("../pages/results.py")
    for name, value in {"search": search, **query}.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_sets_state_what_was_asked_and_what_was_measured(kind: str) -> None:
    job = finished.finish(Plan(kind=kind))
    at = open_tab(job.id)
    text = read_text(at)
    assert "of the 600 test rows holds the true class; asked for are 90.0 %" in text
    assert "With 500 calibrate and 600 test rows, chance alone leaves" in text
    assert "by score 451 of 500 of the calibrate part" in text
    assert "exchangeable with the calibrate rows" in text
    assert "were calibrated on the same calibrate rows" in text
    assert "reaches what chance in the calibrate rows leaves of the stated 90.0 %" in text
    assert assert_charts_complete(at) == 2
    table = find_table(at, "Coverage [95 %]")
    assert table["n"].iloc[0] == 600
    assert set(table["Column"]) == {"–", "true class", "sex", "race"}
    at.segmented_control(key="coverage_level").set_value("95").run()
    assert get_query(at, "coverage") == "95"
    assert "asked for are 95.0 %" in read_text(at)


def test_a_link_opens_the_choices_it_names_and_nothing_else() -> None:
    job = finished.finish()
    at = open_tab(job.id, coverage="80", sets="aps", bounds="sex")
    assert "asked for are 80.0 %" in read_text(at)
    assert at.selectbox(key="coverage_by").value == "sex"
    assert find_table(at, "Most of the likelier")["Group"].tolist() == ["Female", "Male"]
    at.selectbox(key="coverage_by").set_value("true class").run()
    assert find_table(at, "Most of the likelier")["Group"].tolist() == list(CLASSES)
    at = open_tab(job.id, coverage="81", sets="x", bounds="income", show="x", review="x")
    assert "asked for are 90.0 %" in read_text(at)
    assert at.selectbox(key="coverage_by").value == ""


def test_the_rows_can_be_had_with_their_sets() -> None:
    job = finished.finish()
    plan = CoveragePlan(classes=CLASSES)
    found = uncertainty.compute_choice(job.id, plan)
    assert found is not None
    rows = uncertainty.build_set_rows(job.id, found)
    assert len(rows) == 600
    holds = [truth in text for truth, text in zip(rows["truth"], rows["prediction_set"], strict=True)]  # fmt: skip
    assert sum(holds) == found.coverage["k"].iloc[0]
    assert rows["set_size"].mean() == pytest.approx(found.coverage["size"].iloc[0])


def test_values_have_intervals_and_no_queue() -> None:
    job = finished.finish(Plan(kind="regression"))
    at = open_tab(job.id)
    text = read_text(at)
    assert "of the 600 test rows holds the true value" in text
    assert "wide on average, in the unit of price" in text
    assert "A value has no confidence" in text
    assert assert_charts_complete(at) == 1
    assert "Width" in find_table(at, "Coverage [95 %]")
    plan = CoveragePlan(score=ConformalScore.RESIDUAL)
    found = uncertainty.compute_choice(job.id, plan)
    assert found is not None
    rows = uncertainty.build_set_rows(job.id, found)
    assert rows["truth"].between(rows["low"], rows["high"]).sum() == found.coverage["k"].iloc[0]


def test_groups_with_too_few_calibrate_rows_are_named() -> None:
    groups = ("Many", *(f"Few {number}" for number in range(12)))
    at = open_tab(finished.finish(Plan(groups=groups)).id, bounds="sex")
    assert any("Too few calibrate rows for 90.0 %" in each.value for each in at.warning)


def test_a_column_that_is_no_groups_is_left_out_aloud() -> None:
    groups = tuple(f"name {number}" for number in range(400))
    job = finished.finish(Plan(groups=groups))
    text = read_text(open_tab(job.id))
    assert "The sensitive column 'sex' has" in text.replace("\\", "")
    assert uncertainty.list_columns(job.id, CLASSES) == ("race",)


def test_a_search_from_before_says_what_to_do() -> None:
    job = finished.finish()
    (Settings().workspace.result(job.id) / "calibrate_predictions.parquet").unlink()
    at = open_tab(job.id)
    assert "made before the predictions of the calibrate part were kept" in read_text(at)
    at.segmented_control(key="uncertainty_view").set_value("review").run()
    assert not at.exception
    assert "would go to people" in read_text(at)
    (Settings().workspace.result(job.id) / "predictions.parquet").unlink()
    assert "kept no predictions" in read_text(open_tab(job.id))


def test_what_weakens_the_promise_is_said() -> None:
    job = finished.finish()
    path = Settings().workspace.result(job.id) / "result.json"
    result = load_json(path)
    result["protocol"] |= {"time_column": "day", "test": "given file", "weight": "fnlwgt"}
    write_json(path, result)
    text = read_text(open_tab(job.id))
    for words in ("newer than the calibrate rows", "is a given file", "whatever its weight"):
        assert words in text


def test_the_queue_follows_its_limit_and_the_address() -> None:
    job = finished.finish()
    at = open_tab(job.id, show="review")
    text = read_text(at)
    assert "are less sure than 70 % and would go to people" in text
    assert at.slider(key="review_limit").value == 70
    assert at.slider(key="review_limit").min == 50
    assert assert_charts_complete(at) == 2
    queue = find_table(at, "confidence")
    assert queue["confidence"].is_monotonic_increasing
    assert queue["confidence"].max() < 0.7
    assert "the inputs of these rows are gone" in text
    left = find_table(at, "Left to people [95 %]")
    assert left["n"].iloc[0] == 600
    at.slider(key="review_limit").set_value(50).run()
    assert get_query(at, "review") == "50"
    assert "No test row is less sure than 50 %" in read_text(at)
    assert open_tab(job.id, show="review", review="90").slider(key="review_limit").value == 90


def test_a_queue_without_groups_says_so() -> None:
    at = open_tab(finished.finish(Plan(groups=(), second=())).id, show="review")
    assert "there are no groups to compare" in read_text(at)
    assert assert_charts_complete(at) == 1


def test_a_model_that_is_not_calibrated_is_said() -> None:
    job = finished.finish()
    path = Settings().workspace.result(job.id) / "result.json"
    write_json(path, {**load_json(path), "calibration": {}})
    at = open_tab(job.id, show="review")
    assert any("were not calibrated" in each.value for each in at.warning)


def test_doubts_come_from_the_numbers() -> None:
    good: dict[str, Any] = {
        "temperature": 1.2, "after": {"ece": {"value": 0.02}}, "ece_null": {"after": {"high": 0.03}},
    }  # fmt: skip
    assert find_doubts({"calibration": good}) == ()
    assert [key for key, _ in find_doubts({"calibration": {**good, "is_at_bound": True}})] == [
        "review.bound"
    ]
    other = {**good, "is_at_bound": True, "choice": {"chosen": "isotonic"}}
    assert find_doubts({"calibration": other}) == ()
    bad = {**good, "after": {"ece": {"value": 0.04}}}
    assert find_doubts({"calibration": bad}) == (("review.miscalibrated", {"ece": 0.04, "null": 0.03}),)  # fmt: skip


def test_the_inputs_of_a_row_stand_beside_it(tmp_path) -> None:
    dataset = import_people(tmp_path)
    job = finished.submit(JobState.SUCCEEDED)
    columns = [
        {"name": "age", "role": "feature", "kind": "numeric"},
        {"name": "sex", "role": "sensitive", "kind": "categorical"},
        {"name": "income", "role": "target", "kind": "boolean"},
    ]
    found = finished.get_store().read_job(job.id)
    assert found is not None
    found = replace(found, spec={**found.spec, "data": dataset.id, "columns": columns})
    rows = pd.Series([7, 3], index=[40, 2])
    inputs = uncertainty.read_inputs(found, rows)
    assert inputs is not None
    frame = services.read_frame(dataset.id, ("age", "sex"))
    assert inputs["age"].to_dict() == {40: frame["age"][7], 2: frame["age"][3]}
    assert list(inputs) == ["age", "sex"]
    queue = pd.DataFrame({"row_id": rows, "age": 0.6})
    assert list(uncertainty.add_inputs(queue, inputs)) == ["row_id", "age", "input age", "sex"]


def test_pictures_of_the_queue_are_shown_and_a_press_leads_to_the_map() -> None:
    job = finished_pictures.finish(finished_pictures.Plan(skill=0.6))
    at = open_tab(job.id, show="review")
    text = read_text(at)
    assert "The least sure pictures" in text
    assert "the least sure decision first" in text
    assert find_table(at, "file")["file"].str.endswith(".png").all()
    at.session_state["explain_asked"] = int(find_table(at, "file").index[0])
    at.run()
    assert not at.exception
    assert at.session_state["results_tab"] == "Pictures"
