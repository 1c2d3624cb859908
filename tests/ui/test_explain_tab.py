"""The tab Explain of the Results page, in every state a person can meet it in."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from app import services, table_explanations
from app.table_explanations import ask
from app.wording import say_plain
from automl.evaluation.explaining.effects import compute_effects
from automl.evaluation.explaining.shapley import compute_shapley
from automl.files import write_json
from automl.jobs.records import JobKind, JobState, NewJob, Outcome
from automl.settings import Settings
from automl.worker.explain_spec import (
    LIMITS,
    RECORD,
    RECORD_ADAPTER,
    VALUES,
    ExplanationRecord,
    Method,
    render_explain_spec,
)
from tests.ui import finished
from tests.ui.charts import assert_charts_complete
from tests.ui.datasets import build_people, import_people
from tests.ui.finished import Plan
from tests.ui.test_results_page import find_table, open_page, read_text
from tests.unit.evaluation.explained_models import MODEL, build_rows, run
from tests.unit.figures.test_explained_figures import LOSSES


@pytest.fixture
def search():
    """A finished search that still has its model."""
    return plant_bundle(finished.finish())


def plant_bundle(job):
    (Settings().workspace.result(job.id) / "bundle").mkdir()
    return services.read_search(job.id)


def open_tab(search, **state):
    return open_page("results", search.id, results_tab="Explain", **state)


def claim(search, method, **details):
    """A question in the hands of a worker."""
    asked = ask(search, method, **details)
    job = table_explanations.submit_question(search, asked)
    return asked, job, services.get_store().claim_submitted(job.id, "tester")


def answer(search, method, frame, facts, outputs=(">50K",), **details):
    """A question that was answered."""
    asked, job, lease = claim(search, method, **details)
    folder = services.get_workspace().job(job.id)
    record = ExplanationRecord(
        method=method, settings=render_explain_spec(asked), model="MLP 12", model_hash="ab" * 32,
        data="d" * 64, outputs=outputs, limits=LIMITS[method], facts=facts,
    )  # fmt: skip
    write_json(folder / RECORD, RECORD_ADAPTER.dump_python(record, mode="json"))
    frame.to_parquet(folder / VALUES, index=False)
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {"out": RECORD}, None)
    return job


def list_jobs():
    return list(services.get_store().list_jobs(kinds=(JobKind.EXPLAIN_TABLE,)))


FACTS = {
    "metric": "roc_auc", "score": 0.9, "n_rows": 500, "n_repeats": 10,
    "related": [["age", "months"]],
}  # fmt: skip


def test_importance_is_asked_for_queued_cancelled_and_asked_again(search):
    at = open_tab(search)
    assert say_plain("frame.no_worker").split("`")[0] in read_text(at)
    at.button(key="importance_start").click().run()
    (job,) = list_jobs()
    assert job.spec["method"] == "importance"
    assert "Waiting for a worker" in [bar.proto.text for bar in at.get("progress")]
    at.button(key="importance_cancel").click().run()
    assert services.read_job(job.id).state is JobState.STOPPED
    at = open_tab(search)
    assert "It was cancelled." in read_text(at)
    at.button(key="importance_start").click().run()
    assert len(list_jobs()) == 2


def test_progress_failure_and_a_stop_that_was_asked_for_are_shown(search):
    _, job, lease = claim(search, Method.IMPORTANCE)
    store = services.get_store()
    store.write_progress(lease, {"fraction": 0.4, "words": "Shuffling age, 2 of 5"})
    at = open_tab(search)
    (bar,) = at.get("progress")
    assert (bar.proto.value, bar.proto.text) == (40, "Shuffling age, 2 of 5")
    services.stop_job(job.id)
    at.run()
    assert "Cancelling" in read_text(at)
    outcome = Outcome(kind="DataError", message="The data set is gone.", hint="Upload it again.")
    store.finish_job(lease, JobState.FAILED, {}, outcome)
    at = open_tab(search)
    assert "Upload it again" in read_text(at)
    assert at.button(key="importance_start").label == "Ask again"


def test_an_answer_has_figure_sentence_table_limits_and_a_document(search):
    job = answer(search, Method.IMPORTANCE, LOSSES, FACTS)
    at = open_tab(search)
    text = read_text(at)
    assert "age, months" in text
    assert "not what causes the outcome" in text
    assert len(find_table(at, "spread")) == 4
    assert assert_charts_complete(at) == 1
    assert "importance_start" not in [button.key for button in at.button]
    found = table_explanations.read_answer(services.read_job(job.id))
    document = json.loads(table_explanations.render_answer(found))
    assert document["format"] == "fairloom-explanation"
    assert document["model_hash"] == "ab" * 32
    assert [value["label"] for value in document["values"]] == LOSSES["label"].tolist()


def test_a_damaged_answer_says_so_and_may_be_asked_again(search):
    job = answer(search, Method.IMPORTANCE, LOSSES, FACTS)
    (services.get_workspace().job(job.id) / VALUES).write_bytes(b"no table")
    assert "cannot be read" in read_text(at := open_tab(search))
    assert at.button(key="importance_start")


def test_a_model_made_anew_is_asked_anew(search):
    first = ask(search, Method.IMPORTANCE)
    path = Settings().workspace.result(search.id) / "result.json"
    write_json(path, {**json.loads(path.read_text()), "created_at": "2026-11-30"})
    assert ask(search, Method.IMPORTANCE) != first


def test_without_a_model_or_test_rows_the_tab_says_why():
    job = finished.finish(Plan(kind="regression"))
    assert "has no model any more" in read_text(open_tab(job))
    plant_bundle(job)
    (Settings().workspace.result(job.id) / "predictions.parquet").unlink()
    assert "test rows of this search are not here" in read_text(open_tab(job))


def ask_at_once(steps):
    found, _ = run(steps)
    return found.frame, dict(found.facts)


def test_shap_values_show_bars_dots_one_row_and_ask_for_another(search):
    rows = build_rows(n=40)
    frame, facts = ask_at_once(
        compute_shapley(MODEL, rows.take(np.arange(6)), rows.frame.iloc[6:], seed=0)
    )
    answer(search, Method.SHAP, frame, facts, outputs=MODEL.outputs)
    at = open_tab(search, explain_view="shap")
    text = read_text(at)
    assert assert_charts_complete(at) == 3
    assert "n = 6 test rows" in text
    assert "Row 0: from" in text
    assert "age, months" in text
    at.number_input(key="shap_row").set_value(17).run()
    assert assert_charts_complete(at) == 2
    at.button(key="shap_one_start").click().run()
    assert list_jobs()[0].spec["rows"] == [17]
    at.number_input(key="shap_row").set_value(100_000).run()
    assert "is not in the test part" in read_text(at)


def test_gradients_are_offered_for_networks_and_say_their_gap(search):
    rows = build_rows(n=40)
    frame, facts = ask_at_once(
        compute_shapley(MODEL, rows.take(np.arange(6)), rows.frame.iloc[6:], seed=0)
    )
    facts |= {"n_steps": 50, "n_networks": 3, "share": 0.6, "relative_gap": 0.004}
    answer(search, Method.GRADIENTS, frame.assign(error=np.nan), facts, outputs=MODEL.outputs)
    at = open_tab(search, explain_view="shap", shap_method=Method.GRADIENTS)
    text = read_text(at)
    assert "3 networks, at most 50 steps each" in text
    assert "Models with 40.0 % of the ensemble" in text
    assert "the prediction at the mean input" in text
    path = Settings().workspace.result(search.id) / "result.json"
    result = json.loads(path.read_text())
    result["winner"]["is_network"] = False
    write_json(path, result)
    assert "Method" not in [
        each.label for each in open_tab(search, explain_view="shap").segmented_control
    ]


def test_effects_show_the_chosen_column(search):
    frame, facts = ask_at_once(compute_effects(MODEL, build_rows(n=60), (), seed=0))
    answer(search, Method.EFFECTS, frame, facts, outputs=MODEL.outputs)
    at = open_tab(search, explain_view="effects")
    assert "With noise set to one value" in read_text(at)
    at.selectbox(key="effect_column").set_value("job").run()
    assert "With job set to one value in all n = 60 test rows" in read_text(at)
    assert not at.exception


def test_of_several_classes_one_is_chosen():
    search = plant_bundle(finished.finish(Plan(kind="multiclass")))
    frame, facts = ask_at_once(compute_effects(MODEL, build_rows(n=20), ("age",), seed=0))
    both = pd.concat([frame.assign(output=name) for name in ("red", "rosé", "white")])
    answer(search, Method.EFFECTS, both, facts, outputs=("red", "rosé", "white"))
    at = open_tab(search, explain_view="effects")
    at.selectbox(key="effect_output").set_value("white").run()
    assert "the mean of the probability of white" in read_text(at)


@pytest.fixture
def people(tmp_path):
    """A finished search on a table that is there, sex being an input that is sensitive."""
    dataset = import_people(tmp_path)
    roles = {"sex": "sensitive", "income": "target"}
    columns = [
        {"name": c.name, "kind": str(c.kind), "role": roles.get(c.name, "feature"), "is_input": c.name == "sex"}
        for c in dataset.columns
    ]  # fmt: skip
    other = finished.finish(Plan(n=60))
    spec = {**other.spec, "columns": columns, "data": dataset.id, "split": {"test_given": False}}
    store = services.get_store()
    job = store.submit_job(
        NewJob(kind=JobKind.SEARCH, title="people", dataset=dataset.id, spec=spec)
    )
    store.finish_job(store.claim_submitted(job.id, "tester"), JobState.SUCCEEDED, {}, None)
    workspace = Settings().workspace
    shutil.copytree(workspace.result(other.id), workspace.result(job.id))
    return plant_bundle(job)


def answer_about(values, **more):
    return {"values": values, "decision": ">50K", "confidence": values[0], **more}


def test_what_if_shows_a_form_asks_with_changes_and_goes_back(people):
    at = open_tab(people, explain_view="what_if", whatif_row=3)
    row = build_people().iloc[3]
    assert at.number_input(key="whatif_3_age").value == row["age"]
    assert at.selectbox(key="whatif_3_town").value == row["town"]
    assert set(at.selectbox(key="whatif_3_town").options) == {"A", "B", "C", "(missing)"}
    at.number_input(key="whatif_3_age").set_value(77.5).run()
    at.selectbox(key="whatif_3_town").set_value("").run()
    assert "Changed: age, town." in read_text(at)
    at.button(key="whatif_start").click().run()
    (job,) = list_jobs()
    assert (job.spec["rows"], job.spec["changes"]) == ([3], {"age": "77.5", "town": None})
    at.button(key="whatif_reset").click().run()
    assert at.number_input(key="whatif_3_age").value == row["age"]
    assert "Changed:" not in read_text(at)
    at.number_input(key="whatif_row").set_value(60_000).run()
    assert "is not in the test part" in read_text(at)


def test_the_answer_to_a_changed_row_has_decision_and_confidence(people):
    frame = pd.DataFrame({"output": [">50K"], "before": [0.8], "after": [0.9]})
    facts = {
        "row_id": 3, "before": answer_about([0.8]), "after": answer_about([0.9]),
        "changes": [{"column": "age", "before": "40", "after": "77.5"}],
    }  # fmt: skip
    answer(people, Method.WHAT_IF, frame, facts, rows=(3,), changes={"age": "77.5"})
    at = open_tab(people, explain_view="what_if", whatif_row=3, whatif_3_age=77.5)
    assert [each.value for each in at.metric][-2:] == [">50K · 80.0 %", ">50K · 90.0 %"]
    assert "The decision stays" in read_text(at)
    assert "not what would happen to a person" in read_text(at)


def test_counterfactuals_are_wished_for_with_locks_and_shown(people):
    at = open_tab(people, explain_view="what_if", whatif_row=3)
    assert at.multiselect(key="counter_locked").value == ["sex"]
    at.selectbox(key="counter_class").set_value("<=50K").run()
    at.button(key="counter_start").click().run()
    (job,) = list_jobs()
    assert (job.spec["output"], job.spec["locked"], job.spec["ranges"]) == ("<=50K", ["sex"], {})
    lines = [("age", "40", "30", 0.2), ("town", "A", "B", 1.0)]
    frame = pd.DataFrame(lines, columns=["column", "before", "after", "distance"])
    facts = {
        "row_id": 3, "own": answer_about([0.8]), "is_reached": False, "n_searched": 60, "n_donors": 9,
        "alternatives": [{"place": 1, **answer_about([0.4], decision="<=50K")}],
    }  # fmt: skip
    details = {"rows": (3,), "output": ">50K", "locked": ("sex",)}
    answer(people, Method.COUNTERFACTUAL, frame.assign(place=1), facts, **details)
    at = open_tab(people, explain_view="what_if", whatif_row=3)
    assert "Cells to change: 2" in read_text(at)
    assert find_table(at, "distance")["column"].tolist() == ["age", "town"]
    assert "advice" in read_text(at)


def test_without_the_data_set_the_form_says_so():
    search = plant_bundle(finished.finish(Plan(kind="regression")))
    assert "data set" in read_text(open_tab(search, explain_view="what_if"))
