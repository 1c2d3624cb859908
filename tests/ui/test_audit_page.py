"""The Audit page: sentences first, choices that recompute, every tab, every empty state."""

import pandas as pd
import pytest

from automl.files import load_json, write_json
from automl.jobs.records import JobState
from automl.settings import Settings
from fairness.wording import find_forbidden
from tests.ui import finished
from tests.ui.charts import assert_charts_complete
from tests.ui.finished import Plan
from tests.ui.test_results_page import find_table, open_page, read_text

MANY = tuple(
    f"group number {i:02d} with a name of about sixty characters in all" for i in range(40)
)


def test_a_value_is_told_that_only_classes_are_covered() -> None:
    at = open_page("audit", finished.finish(Plan(kind="regression")).id)
    assert "The audit covers classes so far" in read_text(at)
    assert at.button(key="go_results")


def test_without_sensitive_columns_the_page_says_how_to_name_one() -> None:
    at = open_page("audit", finished.finish(Plan(groups=(), second=())).id)
    text = read_text(at)
    assert "does not remove its influence" in text
    assert at.button(key="go_data")


def test_a_running_search_has_no_audit_yet() -> None:
    assert "not over yet" in read_text(open_page("audit", finished.submit(JobState.RUNNING).id))


def test_what_was_found_stands_in_sentences_with_intervals_and_the_floor() -> None:
    at = open_page("audit", finished.finish().id)
    text = read_text(at)
    assert "Selection rate is" in text
    assert "95 % interval" in text
    assert "one common true rate" in text
    assert "They cannot show whether labels are right" in text
    assert "Test part looked at: 1 time." in text
    assert not find_forbidden(text)


@pytest.mark.parametrize("groups", [("Female", "Male"), MANY])
def test_every_tab_draws_for_two_groups_and_for_forty(groups: tuple[str, ...]) -> None:
    at = open_page("audit", finished.finish(Plan(groups=groups, second=())).id)
    for tab, n_charts in (("Groups", 1), ("Gaps", 1), ("Calibration", 1), ("Counts", 0)):
        at.session_state["audit_tab"] = tab
        at.run()
        assert not at.exception
        assert assert_charts_complete(at) == n_charts or (tab == "Calibration" and groups == MANY)
        assert not find_forbidden(read_text(at))


def test_the_counts_equal_those_of_the_json_and_add_up() -> None:
    job = finished.finish(Plan(has_audit_files=True))
    at = open_page("audit", job.id, audit_tab="Counts")
    table = find_table(at, "True positives").set_index("Group")
    audit = load_json(Settings().workspace.result(job.id) / "audit.json")
    for row in audit["counts"]:
        if row["attribute"] == "sex":
            assert table.loc[row["group"], "True positives"] == row["tp"]
    groups = table.drop(index="all rows")["n"].sum()
    assert groups == table.loc["all rows", "n"] == 600


def test_the_same_choices_as_the_search_give_the_numbers_of_its_json() -> None:
    job = finished.finish(Plan(has_audit_files=True))
    at = open_page("audit", job.id)
    audit = load_json(Settings().workspace.result(job.id) / "audit.json")
    women = next(g for g in audit["by_group"] if g["group"] == "Female")
    value = women["metrics"]["selection_rate"]["value"]
    shown = find_table(at, "Selection rate").set_index("Group").loc["Female", "Selection rate"]
    assert shown.startswith(f"{100 * value:.1f} %")


def test_another_reference_turns_the_sign_of_a_gap() -> None:
    job = finished.finish(Plan(second=()))
    at = open_page("audit", job.id, audit_tab="Gaps")

    def read_gap() -> tuple[str, str]:
        table = find_table(at, "Group minus or over reference")
        row = table[(table["Measure"] == "Selection rate") & (table["Kind"] == "difference")].iloc[
            0
        ]
        return row["Group"], row["Group minus or over reference"].split()[0]

    first, before = read_gap()
    at.selectbox(key="reference_sex").set_value(first).run()
    assert not at.exception
    second, after = read_gap()
    assert first != second
    assert float(before.replace("−", "-")) == -float(after.replace("−", "-"))


def test_a_larger_smallest_group_marks_groups_but_drops_none() -> None:
    job = finished.finish(Plan(groups=("a", "b", "c", "d"), second=()))
    at = open_page("audit", job.id, audit_tab="Groups")
    n_rows = len(find_table(at, "Selection rate"))
    at.number_input(key="min_group_size").set_value(500).run()
    table = find_table(at, "Selection rate")
    assert len(table) == n_rows
    assert table["Group"].str.contains("few cases").sum() == 4


def test_choosing_no_column_says_so() -> None:
    at = open_page("audit", finished.finish().id)
    at.multiselect(key="audit_columns").set_value([]).run()
    assert not at.exception
    assert "Choose a sensitive column" in read_text(at)


def test_a_rate_without_cases_is_not_estimable_with_its_reason() -> None:
    job = finished.finish(Plan(second=()))
    path = Settings().workspace.result(job.id) / "predictions.parquet"
    frame = pd.read_parquet(path)
    frame.loc[frame["truth"] == "<=50K", "sensitive_sex"] = "Male"
    frame.to_parquet(path)
    at = open_page("audit", job.id, audit_tab="Groups")
    table = find_table(at, "Selection rate").set_index("Group")
    assert table.loc["Female", "False positive rate"] == "not estimable"
    assert "no " in find_table(at, "Reason")["Reason"].str.cat(sep=" ")


def test_every_download_is_offered() -> None:
    at = open_page("audit", finished.finish(Plan(has_audit_files=True)).id)
    labels = {button.label for button in at.get("download_button")}
    assert {"HTML report", "JSON", "CSV, measures", "CSV, counts"} <= labels


def test_a_task_without_an_audit_still_offers_its_report() -> None:
    job = finished.finish(Plan(kind="regression"))
    folder = Settings().workspace.result(job.id)
    (folder / "report.html").write_text("<p>results</p>")
    labels = {button.label for button in open_page("audit", job.id).get("download_button")}
    assert labels == {"HTML report"}


def write_check(job_id: str, largest: float, where: str) -> None:
    path = Settings().workspace.result(job_id) / "audit.json"
    check = {"library": "Fairlearn", "version": "0.15.0", "n_compared": 54, "where": where}
    check |= {"largest_difference": largest, "not_compared": []}
    write_json(path, {**load_json(path), "cross_check": check})


def test_the_second_opinion_is_said_in_one_sentence() -> None:
    job = finished.finish(Plan(has_audit_files=True))
    write_check(job.id, 0.0, "")
    at = open_page("audit", job.id)
    assert "Recomputed with Fairlearn 0.15.0: 54 numbers, largest difference 0." in read_text(at)
    assert not at.warning


def test_a_difference_to_the_second_opinion_is_a_warning() -> None:
    job = finished.finish(Plan(has_audit_files=True))
    write_check(job.id, 0.01, "selection rate of Female (sex)")
    assert "Female (sex)" in open_page("audit", job.id).warning[0].value.replace("\\", "")


def test_gaps_and_slopes_stand_with_cases_and_interval() -> None:
    job = finished.finish(Plan(second=()))
    gaps = find_table(open_page("audit", job.id, audit_tab="Gaps"), "Group minus or over reference")
    assert set(gaps.loc[gaps["Measure"] == "Accuracy", "n"]) == {"600"}
    slopes = find_table(open_page("audit", job.id, audit_tab="Calibration"), "Slope")["Slope"]
    assert slopes.str.fullmatch(r"-?[0-9.]+ \[-?[0-9.]+, -?[0-9.]+\]").all()
