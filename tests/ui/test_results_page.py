"""The Results page in every state a person can meet it in."""

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.components.ensemble_view import describe_choice
from app.components.headline import describe_difference, describe_suggestions
from app.components.metrics_view import build_average_table, build_class_table
from automl.evaluation.classes import compute_class_table
from automl.files import append_jsonl, load_json, write_json
from automl.jobs.records import JobState, Outcome
from automl.search.cross_validation import describe_folds
from automl.settings import Settings
from tests.ui import finished
from tests.ui.charts import assert_charts_complete
from tests.ui.finished import TASKS, Plan


def open_page(name: str, search: str | None = None, **state: Any) -> AppTest:
    """The page as the browser opens it by its link."""
    at = AppTest.from_file("../../app/main.py", default_timeout=30)
    if search is not None:
        at.query_params["search"] = search
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    at.switch_page(f"../pages/{name}.py").run()
    assert not at.exception, at.exception
    return at


def read_text(at: AppTest) -> str:
    """Everything written on the page."""
    parts = [
        element.value
        for kind in (at.markdown, at.caption, at.header, at.subheader, at.info, at.error, at.text)
        for element in kind
    ]
    return "\n".join(map(str, parts))


def find_table(at: AppTest, column: str) -> pd.DataFrame:
    """The first table with that column."""
    return next(table.value for table in at.dataframe if column in table.value.columns)


def test_without_a_search_the_page_says_what_would_be_here() -> None:
    at = open_page("results")
    assert "No search is open" in read_text(at)
    assert at.button(key="go_data")


def test_without_an_open_search_finished_ones_are_offered() -> None:
    job = finished.finish()
    at = open_page("results")
    at.selectbox(key="pick_search").set_value(job.id).run()
    assert not at.exception
    assert "Winner" in read_text(at)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_an_active_search_points_to_its_own_page(state: JobState) -> None:
    job = finished.submit(state)
    at = open_page("results", job.id)
    assert "The search is not over yet" in read_text(at)
    assert at.button(key="go_search")


def test_a_failed_search_shows_why_and_what_to_do() -> None:
    job = finished.submit(
        JobState.FAILED,
        outcome=Outcome(kind="bug", message="No model of 3.", hint="Try more time."),
    )
    text = read_text(open_page("results", job.id))
    assert "No model of 3" in text
    assert "Try more time" in text


def test_the_headline_is_the_value_with_interval_n_comparison_and_looks() -> None:
    job = finished.finish()
    at = open_page("results", job.id)
    result = finished_result(job.id)
    value = result["test"]["roc_auc"]["value"]
    assert at.header[0].value.startswith(f"{value:.2f}"[:3])
    text = read_text(at)
    assert "n = 600 test rows" in text
    assert "Test part looked at: 1 time." in text
    assert "Boosted trees" in text
    assert "Within noise of it on the select part: MLP 19 and Boosted trees" in text
    assert "treated as missing" in text
    assert "Of tier 1 the highest is MLP 12, the simplest MLP 12" in text


def test_the_simplest_and_the_fastest_of_the_top_tier_stand_beside_the_highest() -> None:
    board = pd.DataFrame(
        {
            "name": ["A", "B", "C", "D"], "tier": [1, 1, 1, 2], "parameters": [900, None, 40, 1],
            "per_thousand": [0.02, 0.0004, 0.5, 0.0001],
        }
    )  # fmt: skip
    text = describe_suggestions(board).replace("\\", "")
    assert text == (
        "Of tier 1 the highest is A, the simplest C (40 parameters), the fastest B (0.4 ms per 1,000 rows)."
    )
    unknown = board.assign(parameters=None, per_thousand=None)
    assert describe_suggestions(unknown) == "Of tier 1 the highest is A."
    assert describe_suggestions(board[board["tier"] > 1]) == ""


def test_what_is_lacking_to_the_best_stands_with_its_interval() -> None:
    at = open_page("results", finished.finish().id)
    board = find_table(at, "Tier").set_index("Model")
    assert "4 models were compared with the best by DeLong's paired test" in read_text(at)
    assert board.loc["Boosted trees (default)", "Behind the best"] == "0.002 [−0.005, 0.009]"
    assert board.loc["Constant", "Behind the best"].startswith("0.427 [")


def test_a_search_on_folds_says_how_models_were_compared() -> None:
    job = finished.finish()
    path = Settings().workspace.result(job.id) / "result.json"
    said = describe_folds({"n_folds": 5, "n_judged": 427})
    write_json(path, {**load_json(path), "cross_validation": said})
    at = open_page("results", job.id)
    text = read_text(at)
    assert "5-fold out-of-fold predictions, n = 427" in text.replace("\\", "")
    assert "Within noise of it out of fold: MLP 19 and Boosted trees" in text
    (board,) = [frame.value for frame in at.dataframe if "Tier" in frame.value]
    assert "ROC AUC, out of fold" in board


def test_the_headline_names_the_interval_and_the_direction() -> None:
    text = read_text(open_page("results", finished.finish(Plan(kind="regression")).id))
    assert "95 % interval" in text
    assert "lower is better" in text
    assert "lower is better" not in read_text(open_page("results", finished.finish().id))


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ((0.02, 0.01, 0.03), "Better than B by **0.020 [0.010, 0.030]**"),
        ((0.02, -0.01, 0.05), "Not distinguishable from B: ahead by **0.020 [−0.010, 0.050]**"),
        ((-0.02, -0.05, 0.01), "Not distinguishable from B: behind by **0.020 [−0.010, 0.050]**"),
        ((-0.02, -0.03, -0.01), "Behind B by **0.020 [0.010, 0.030]**"),
    ],
)
def test_a_difference_says_who_is_ahead(difference: tuple[float, float, float], words: str) -> None:
    given = dict(zip(("value", "low", "high"), difference, strict=True)) | {"baseline": "B"}
    assert words in describe_difference(given).replace("\\", "")


def test_where_a_baseline_wins_the_best_network_is_compared() -> None:
    job = finished.finish()
    path = Settings().workspace.result(job.id) / "result.json"
    result = dict(load_json(path))
    result |= {
        "comparison": {}, "winner": {"name": "Boosted trees (default)", "family": "boosting"},
        "best_network": {"name": "MLP 9"},
        "gain": {"value": 0.01, "low": -0.01, "high": 0.03, "baseline": "Boosted trees", "model": "MLP 9"},
    }  # fmt: skip
    write_json(path, result)
    text = read_text(open_page("results", job.id))
    assert "The winner is a baseline itself" in text
    assert "Best network: **MLP 9**. Not distinguishable from Boosted trees: ahead by" in text


def test_a_value_without_an_interval_says_so() -> None:
    job = finished.finish()
    path = Settings().workspace.result(job.id) / "result.json"
    result = dict(load_json(path))
    result["test"]["roc_auc"] = {"value": 1.0, "low": None, "high": None, "n": 600}
    write_json(path, result)
    text = read_text(open_page("results", job.id))
    assert "no interval can be given, n = 600 test rows" in text
    assert "95 % interval" not in text


def test_a_stopped_search_says_so() -> None:
    job = finished.finish(Plan(state=JobState.STOPPED))
    assert "was stopped" in read_text(open_page("results", job.id))
    assert "was stopped" not in read_text(open_page("results", finished.finish().id))


def test_the_audit_is_offered_where_there_is_one() -> None:
    at = open_page("results", finished.finish(Plan(kind="regression")).id)
    assert at.button(key="open_audit").label == "Get the report"
    at = open_page("results", finished.finish().id)
    assert at.button(key="open_audit").label == "Open the audit"


def test_more_than_one_look_is_said() -> None:
    job = finished.finish(Plan(looks=3))
    assert "The test part has been used 3 times" in read_text(open_page("results", job.id))


def test_the_leaderboard_leaves_unopened_test_results_closed() -> None:
    job = finished.finish()
    at = open_page("results", job.id)
    board = find_table(at, "Model")
    closed = board[board["Model"] == "MLP 19"]
    assert closed.filter(like="test part").iloc[0, 0] == "not opened"
    assert len(board) == 5
    assert at.get("download_button")


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("tab", ["Metrics", "Curves", "Calibration", "Search", "Model", "Protocol"])
def test_every_tab_draws_for_every_kind_of_task(kind: str, tab: str) -> None:
    job = finished.finish(Plan(kind=kind))
    at = open_page("results", job.id, results_tab=tab)
    n_charts = {
        "Metrics": 0,
        "Curves": 4 if kind == "regression" else 6,
        "Calibration": {"binary": 2, "multiclass": 3, "regression": 2}[kind],
        "Search": 6, "Model": 1, "Protocol": 0,
    }  # fmt: skip
    assert assert_charts_complete(at) == n_charts[tab]
    if tab == "Calibration":
        assert ("gives one number and no distribution" in read_text(at)) == (kind == "regression")


def test_importance_is_drawn_where_it_was_computed_and_else_says_what_it_needs() -> None:
    at = open_page("results", finished.finish(Plan(has_importance=True)).id, results_tab="Search")
    table = find_table(at, "share")
    assert table["label"].tolist() == ["depth", "width"]
    assert "depth 80 %" in read_text(at)
    at = open_page("results", finished.finish().id, results_tab="Search")
    assert "at least ten completed trials" in read_text(at)


def test_settings_are_shown_family_by_family() -> None:
    at = open_page("results", finished.finish().id, results_tab="Search")
    first = find_table(at, "depth")
    at.segmented_control(key="settings_family").set_value("resnet").run()
    assert not find_table(at, "depth").equals(first)


def test_settings_together_belong_to_their_family_and_none_chosen_says_what_to_do() -> None:
    at = open_page("results", finished.finish().id, results_tab="Search")
    first = at.segmented_control(key="settings_family").value
    n_charts = len(at.get("plotly_chart"))
    at.multiselect(key=f"parallel_settings_{first}").set_value([]).run()
    assert not at.exception
    assert len(at.get("plotly_chart")) == n_charts - 1
    assert "Choose the settings that the lines run through" in read_text(at)
    assert "completed trials that have all of these settings" not in read_text(at)
    assert "No completed trial has all" not in read_text(at)
    other = "resnet" if first == "mlp" else "mlp"
    at.segmented_control(key="settings_family").set_value(other).run()
    assert at.multiselect(key=f"parallel_settings_{other}").value
    assert "completed trials that have all of these settings" in read_text(at)
    assert len(at.get("plotly_chart")) == n_charts


def test_signs_of_a_training_stand_under_its_curve_with_their_numbers() -> None:
    job = finished.finish()
    assert "Nothing unusual in these trainings" in read_text(
        open_page("results", job.id, results_tab="Search")
    )
    path = Settings().workspace.job(job.id) / "epochs.jsonl"
    for epoch in range(9, 15):
        append_jsonl(path, {
            "trial": 12, "epoch": epoch, "train_loss": 0.5 / epoch, "select_loss": 0.08 + epoch / 100,
            "score": 0.9, "learning_rate": 1e-3, "seconds": 0.2, "update_ratio": 0.034, "at": 0.0,
        })  # fmt: skip
    text = read_text(open_page("results", job.id, results_tab="Search"))
    assert "12 ResNet: Over epochs 8 to 14 the loss on the select part rose, 0.075 to 0.22" in text
    assert "A step changes the weights by 3.4%" in text


def test_a_constant_has_no_curve() -> None:
    at = open_page("results", finished.finish().id, results_tab="Curves")
    series = set(find_table(at, "true_positive_rate")["series"])
    assert "Constant" not in series
    assert "MLP 12" in series


def test_every_class_has_its_own_row_of_the_chosen_model() -> None:
    at = open_page("results", finished.finish(Plan(kind="multiclass")).id, results_tab="Metrics")
    table = find_table(at, "Specificity")
    assert table["Class"].tolist() == ["red", "rosé", "white"]
    assert table["Rows"].sum() == table["Decided"].sum() == 600
    for column in ("Precision", "Recall", "F1", "Specificity", "ROC AUC", "Average precision"):
        assert table[column].str.contains(r"\[").all(), column
    averages = find_table(at, "Average")
    assert len(averages) == 3
    assert averages["Precision"].iloc[0] == averages["Recall"].iloc[0] == averages["F1"].iloc[0]
    at.selectbox(key="metrics_model").set_value("Linear (default)").run()
    assert not find_table(at, "Specificity").equals(table)


@pytest.mark.parametrize(("kind", "metric"), [("binary", "ROC AUC"), ("regression", "Robust R²")])
def test_every_metric_stands_with_interval_n_and_direction(kind: str, metric: str) -> None:
    at = open_page("results", finished.finish(Plan(kind=kind)).id, results_tab="Metrics")
    table = find_table(at, "Better").set_index("Metric")
    assert "[" in table.loc[metric, "MLP 12"]
    assert table.loc[metric, "Better"] == "higher"
    text = read_text(at)
    assert "n = 600 test rows" in text
    if kind == "binary":
        assert ", n = " in table.loc["Precision", "MLP 12"]  # of the flagged rows
        assert find_table(at, "Specificity")["Class"].tolist() == ["<=50K", ">50K"]
    else:
        assert "nothing by class" in text


def test_a_class_without_rows_is_not_estimable() -> None:
    probability = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.2, 0.8]])
    frame, left_out = compute_class_table(TASKS["binary"], np.zeros(4, dtype=int), probability)
    table = build_class_table(frame[frame["kind"] == "class"])
    assert left_out == ""
    assert table["Rows"].tolist() == [4, 0]
    assert table["Recall"].iloc[0].startswith("0.750 [")
    assert table["Recall"].iloc[1] == "not estimable"
    assert table["ROC AUC"].tolist() == ["not estimable"] * 2
    assert len(build_average_table(frame[frame["kind"] == "average"])) == 3


def test_a_search_of_an_earlier_release_has_no_numbers_by_class_and_says_so() -> None:
    job = finished.finish()
    path = Settings().workspace.result(job.id) / "evaluation.json"
    record = load_json(path)
    for model in record["models"]:
        del model["evaluation"]["curves"]["classes"]
    write_json(path, record)
    text = read_text(open_page("results", job.id, results_tab="Metrics"))
    assert "made by an earlier release" in text


def test_the_page_needs_neither_torch_nor_optuna() -> None:
    job = finished.finish()
    before = {name for name in ("torch", "optuna") if name in sys.modules}
    open_page("results", job.id, results_tab="Model")
    assert {name for name in ("torch", "optuna") if name in sys.modules} == before


def test_user_text_is_inert() -> None:
    nasty = "**x** :red[y] <script>alert(1)</script> $z$ ![i](http://e.org/i.png)"
    job = finished.finish(Plan(winner=nasty, title=nasty, warnings=(nasty,)))
    at = open_page("results", job.id, results_tab="Model")
    for element in (*at.markdown, *at.caption, *at.header):
        assert "<script>" not in element.value.replace("\\<", "")
        assert "![i]" not in element.value


def finished_result(search: str) -> dict[str, Any]:
    return dict(load_json(Settings().workspace.result(search) / "result.json"))


def test_an_ensemble_shows_its_models_with_weights_and_the_best_network_stays_drawn() -> None:
    job = finished.finish(Plan(has_ensemble=True))
    at = open_page("results", job.id, results_tab="Model")
    text = read_text(at)
    assert "Winner: **Ensemble of 3 models**" in text
    table = find_table(at, "Weight")
    assert table["Model"].tolist() == ["MLP 12", "Boosted trees 5", "Linear 7"]
    assert table["Weight"].tolist() == [0.5, 0.3125, 0.1875]
    assert table["Trained on"].tolist() == ["train and select", "train and select", "train"]
    assert "3 models of 3 families; MLP 12 says most, 50 % of the mean" in text
    assert "On 112 further rows" in text
    assert "Log loss is 0.281 together and 0.287 for the best model alone" in text
    assert "Architecture of MLP 12" in text
    board = find_table(at, "Tier")
    assert board.iloc[0]["Family"] == "Ensemble"


def test_an_ensemble_that_was_not_taken_is_said() -> None:
    choice = {
        "is_winner": False, "members": [{"trial": 3, "weight": 0.5}, {"trial": 4, "weight": 0.5}],
        "measure": "roc_auc", "n_candidates": 9, "n_rows": 400, "n_guard": 70, "guard_score": 0.90,
        "guard_single": 0.91,
    }  # fmt: skip
    assert "An ensemble of 2 models" in describe_choice(choice)
    assert "0.9 together and 0.91 for the best model alone" in describe_choice(choice)
    assert "No mixture of 9 candidates" in describe_choice({**choice, "members": [{}]})
    assert describe_choice({**choice, "guard_score": None}) == describe_choice(None) == ""


def test_the_headline_says_what_the_search_took_and_against_what() -> None:
    text = read_text(open_page("results", finished.finish().id))
    assert "The search took 2 min 11 s and 27 trials." in text
    assert r"Boosted trees \(default\) is the best fixed baseline" in text
