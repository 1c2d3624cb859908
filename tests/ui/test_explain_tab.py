"""The tab Explain of the Results page, in every state a person can meet it in."""

import json

import numpy as np
import pandas as pd
import pytest

from app import services, table_explanations
from app.table_explanations import ask
from app.wording import say_plain
from automl.evaluation.explaining.effects import compute_effects
from automl.evaluation.explaining.shapley import compute_shapley
from automl.files import write_json
from automl.jobs.records import JobKind, JobState, Outcome
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
    assert len(at.get("plotly_chart")) == 1
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
    assert len(at.get("plotly_chart")) == 3
    assert "n = 6 test rows" in text
    assert "Row 0: from" in text
    assert "age, months" in text
    at.number_input(key="shap_row").set_value(17).run()
    assert len(at.get("plotly_chart")) == 2
    at.button(key="shap_one_start").click().run()
    assert list_jobs()[0].spec["rows"] == [17]
    at.number_input(key="shap_row").set_value(100_000).run()
    assert "is not in the test part" in read_text(at)


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
