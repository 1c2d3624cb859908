"""Searches side by side, their history, their names: as a page shows them."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import comparison, services
from app.comparison_facts import build_fact_table, describe_largest_gap, list_changes
from automl.files import load_json, write_json
from automl.settings import Settings
from tests.ui import finished
from tests.ui.charts import assert_charts_complete
from tests.ui.datasets import get_query, import_people
from tests.ui.finished import Plan
from tests.ui.searches import open_search, read_text
from tests.ui.test_results_page import find_table, open_page

SMALL = Plan(n=300)


def open_comparison(*ids: str) -> AppTest:
    at = AppTest.from_file("../../app/main.py", default_timeout=30)
    at.query_params["compare"] = ",".join(ids)
    at.run()
    at.switch_page("../pages/results.py")
    at.query_params["compare"] = ",".join(ids)  # moving between pages drops the query
    at.run()
    assert not at.exception, at.exception
    return at


def find_row(table: pd.DataFrame, name: str) -> list[str]:
    return table[table.iloc[:, 0] == name].iloc[0, 1:].tolist()


@pytest.fixture
def pair() -> tuple[str, str]:
    """Two searches on the same rows; the second winner is much worse."""
    first = finished.finish(replace(SMALL, title="first", has_audit_files=True))
    return first.id, finished.finish(replace(SMALL, title="second", skill=0.6)).id


def test_two_searches_stand_in_one_table_with_their_difference(pair: tuple[str, str]) -> None:
    at = open_comparison(*pair)
    text = read_text(at).replace("\\", "")
    assert (
        "Comparable: the same data, the same parts, the same target and the same measure." in text
    )
    assert "B · second is behind A by ROC AUC: **0." in text
    assert "n = 300, paired normal by influence" in text
    assert "McNemar, p < 0.001" in text
    table = find_table(at, "What")
    assert list(table.columns) == ["What", "A · first", "B · second"]
    result = load_json(Settings().workspace.result(pair[0]) / "result.json")
    estimate = result["test"]["roc_auc"]
    assert find_row(table, "Test score [95 % interval]")[0].startswith(f"{estimate['value']:.3f} [")
    assert find_row(table, "Test rows") == ["300", "300"]
    assert find_row(table, "Hash of the parts") == ["000000000000"] * 2
    assert "% by " in find_row(table, "Largest gap in the audit")[0]
    assert find_row(table, "Largest gap in the audit")[1] == "–"
    assert assert_charts_complete(at) == 3
    assert set(find_table(at, "true_positive_rate")["series"]) == {"A · first", "B · second"}


@pytest.mark.parametrize(("kind", "n_charts"), [("multiclass", 3), ("regression", 1)])
def test_other_kinds_of_tasks_are_laid_over_each_other_too(kind: str, n_charts: int) -> None:
    plan = replace(SMALL, kind=kind)
    ids = finished.finish(plan).id, finished.finish(replace(plan, skill=1.2)).id
    at = open_comparison(*ids)
    assert assert_charts_complete(at) == n_charts
    text = read_text(at)
    assert "n = 300, paired bootstrap, 1000 draws" in text.replace("\\", "")
    assert ("McNemar" in text) == (kind == "multiclass")


def test_searches_on_other_rows_have_a_reason_instead_of_a_difference(
    pair: tuple[str, str],
) -> None:
    other = finished.finish(replace(SMALL, seed=1, title="third"))
    text = read_text(open_comparison(pair[0], other.id)).replace("\\", "")
    assert "rows are divided into other parts" in text
    assert "no paired difference. Their test parts hold different rows" in text
    price = finished.finish(replace(SMALL, kind="regression"))
    text = read_text(open_comparison(pair[0], price.id)).replace("\\", "")
    assert (
        "other targets or positive values are predicted, models were chosen by different measures"
        in text
    )
    assert "They predict different things." in text
    assert "no curves are laid over each other" in text


def test_several_tests_are_corrected_and_lost_predictions_are_said(pair: tuple[str, str]) -> None:
    third = finished.finish(replace(SMALL, skill=1.4))
    (Settings().workspace.result(third.id) / "predictions.parquet").unlink()
    sides = comparison.read_sides([*pair, third.id, "gone"])
    assert [side.letter for side in sides] == ["A", "B", "C"]
    second, lost = comparison.compute_differences(sides)
    assert second.p_holm == second.mcnemar.p_value
    assert lost.reason == "The predictions of C are not here any more."


def test_what_was_set_differently_is_listed(pair: tuple[str, str]) -> None:
    sides = comparison.read_sides(pair)
    assert list_changes(sides).empty
    columns = [{"name": "age", "role": "feature"}, {"name": "sex", "role": "sensitive"}]
    job = sides[1].job
    changed = {
        **job.spec,
        "columns": columns,
        "seed": 7,
        "budget": {"seconds": 60.0, "trials": None},
    }
    other = replace(sides[1], job=replace(job, spec=changed))
    table = list_changes((sides[0], other)).set_index("Setting")
    assert table.loc["columns.sex.role"].tolist() == ["–", "sensitive"]
    assert table.loc["seed"].tolist() == ["–", "7"]
    assert table.loc["budget.seconds"].tolist() == ["–", "60"]
    assert find_row(build_fact_table((sides[0], other)), "Budget") == ["3 min", "3 min"]


def test_the_largest_gap_is_one_between_groups_with_enough_cases() -> None:
    spread = {"value": 0.2, "max_group": "a", "min_group": "b"}
    row = {"attribute": "sex", "metric": "selection_rate", "kind": "difference", **spread}
    small = {
        **row,
        "metric": "true_positive_rate",
        "value": 0.9,
        "large_groups": {**spread, "value": 0.1},
    }
    ratio = {**row, "kind": "ratio", "value": 5.0}
    said = describe_largest_gap({"extremes": [row, small, ratio]})
    assert said == "Selection rate 20.0 % by sex (a against b)"
    assert describe_largest_gap({"extremes": []}) == describe_largest_gap(None) == "–"


def test_searches_are_picked_on_the_page_and_the_address_follows(pair: tuple[str, str]) -> None:
    at = open_page("results", pair[0])
    at.button(key="open_compare").click().run()
    assert not at.exception
    assert "Choose at least two finished searches" in read_text(at)
    at.multiselect(key="compare_pick").set_value(list(pair)).run()
    assert get_query(at, "compare") == ",".join(pair)
    assert len(find_table(at, "What").columns) == 3
    at.multiselect(key="compare_pick").set_value([]).run()
    assert "Choose at least two finished searches" in read_text(at)
    at.button(key="compare_back").click().run()
    assert "compare" not in at.query_params
    assert "Winner" in read_text(at)


def test_an_address_with_searches_that_are_gone_says_so(pair: tuple[str, str]) -> None:
    text = read_text(open_comparison(pair[0], "gone"))
    assert "without a result: 1" in text
    services.delete_search(pair[1])
    assert "There are not two finished searches yet" in read_text(open_comparison(*pair))


def test_the_history_of_a_data_set_is_drawn_and_can_be_sorted(tmp_path: Path) -> None:
    people = import_people(tmp_path)
    plan = replace(SMALL, dataset=people.id)
    ids = [finished.finish(replace(plan, title=title)).id for title in ("first", "second")]
    price = finished.finish(replace(plan, kind="regression", title="price"))
    at = open_search(dataset=people.id)
    options = at.selectbox(key="history_pair").options
    assert options == ["price, Root mean squared error", "income, ROC AUC"]
    assert find_table(at, "Winner")["Name"].tolist() == ["price"]
    at.selectbox(key="history_pair").set_value("income, ROC AUC").run()
    table = find_table(at, "Winner")
    assert table["Name"].tolist() == ["second", "first"]
    assert table["ROC AUC, test part"].dtype == float
    assert table["Results"].tolist() == [f"results?search={each}" for each in reversed(ids)]
    assert "on the same test rows" in read_text(at)
    assert assert_charts_complete(at) == 1
    at.button(key="compare_searches").click().run()
    assert not at.exception
    assert get_query(at, "compare") == f"{price.id},{ids[1]}"


def test_a_search_is_renamed_and_keeps_a_note(pair: tuple[str, str]) -> None:
    at = open_search(search=pair[0])
    key = pair[0][:12]
    at.text_input(key=f"name_{key}").set_value("Without *age*")
    at.text_area(key=f"note_{key}").set_value("for the report")
    at.button(key="naming_save").click().run()
    assert not at.exception
    job = services.read_search(pair[0])
    assert job is not None
    assert (job.title, job.note) == ("Without *age*", "for the report")
    assert at.title[0].value == "Without \\*age\\*"
    assert "for the report" in [each.value for each in at.text]
    at.text_input(key=f"name_{key}").set_value("  ")
    at.button(key="naming_save").click().run()
    assert "A name cannot be empty." in read_text(at)
    table = build_fact_table(comparison.read_sides(pair))
    assert find_row(table, "Note") == ["for the report", "–"]


def test_a_result_without_hashes_says_that_the_parts_are_not_known(pair: tuple[str, str]) -> None:
    for each in pair:
        path = Settings().workspace.result(each) / "result.json"
        write_json(path, {**load_json(path), "hashes": {}})
    sides = comparison.read_sides(pair)
    assert "not known of every search" in comparison.describe_comparable(sides)
    (difference,) = comparison.compute_differences(sides)
    assert "different rows" in difference.reason
