"""The Results page in every state a person can meet it in."""

import sys
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from automl.jobs.records import JobState, Outcome
from tests.ui import finished
from tests.ui.finished import Plan


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
    assert "2 more cannot be told from it" in text
    assert "treated as missing" in text


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
@pytest.mark.parametrize("tab", ["Curves", "Calibration", "Search", "Model", "Protocol"])
def test_every_tab_draws_for_every_kind_of_task(kind: str, tab: str) -> None:
    job = finished.finish(Plan(kind=kind))
    at = open_page("results", job.id, results_tab=tab)
    n_charts = {
        "Curves": 4 if kind == "regression" else 3,
        "Calibration": 0 if kind == "regression" else 1,
        "Search": 4, "Model": 1, "Protocol": 0,
    }  # fmt: skip
    assert len(at.get("plotly_chart")) == n_charts[tab]
    for chart in at.get("plotly_chart"):
        assert chart.proto.alt
    if tab == "Calibration":
        assert ("calibration does not apply" in read_text(at)) == (kind == "regression")


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
    from automl.files import load_json
    from automl.settings import Settings

    return dict(load_json(Settings().workspace.result(search) / "result.json"))
