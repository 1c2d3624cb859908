"""The Audit page for several classes, of tables and of pictures: sentences, tabs, choices, downloads."""

import pandas as pd
import pytest

from automl.files import load_json
from automl.settings import Settings
from fairness.wording import find_forbidden
from tests.ui import finished, finished_pictures
from tests.ui.charts import assert_charts_complete
from tests.ui.finished_pictures import Plan
from tests.ui.test_results_page import find_table, open_page, read_text

TABS = (("Groups", 1), ("Classes", 1), ("Gaps", 1), ("One class", 1), ("Counts", 0))


def say_text(at) -> str:
    return read_text(at).replace("\\", "")


def test_a_table_with_several_classes_has_an_audit() -> None:
    at = open_page("audit", finished.finish(finished.Plan(kind="multiclass")).id)
    text = say_text(at)
    assert "decides between 3 classes" in text
    assert "Accuracy is" in text
    assert "The lowest recall of" in text
    assert "They cannot show whether labels are right" in text
    assert "Test part looked at: 1 time." in text
    assert "Computed from the picture" not in text
    assert not find_forbidden(text)


@pytest.mark.parametrize(("tab", "n_charts"), TABS)
def test_every_tab_draws_for_pictures(tab: str, n_charts: int) -> None:
    at = open_page("audit", finished_pictures.finish().id, audit_tab=tab)
    assert not at.exception
    assert assert_charts_complete(at) == n_charts
    assert not find_forbidden(say_text(at))


@pytest.mark.parametrize("view", ["groups", "gaps", "calibration", "counts"])
def test_one_class_has_everything_of_a_binary_audit(view: str) -> None:
    job = finished.finish(finished.Plan(kind="multiclass"))
    at = open_page("audit", job.id, audit_tab="One class", one_class_view=view)
    assert not at.exception
    assert at.selectbox(key="audit_class").options == ["red", "rosé", "white"]
    at.selectbox(key="audit_class").set_value("white").run()
    assert not at.exception
    assert "Selection rate is" in say_text(at)


def test_slices_of_the_picture_are_bins_and_labelled_as_computed() -> None:
    at = open_page("audit", finished_pictures.finish().id, audit_tab="Groups")
    text = say_text(at)
    assert "Computed from the picture, stated by nobody: picture_brightness." in text
    assert "Nothing about people is guessed" in text
    groups = find_table(at, "Macro recall")["Group"].tolist()
    assert len(groups) == 5
    assert groups[1].startswith("over 0.")
    assert groups[-1] == "all rows"


def test_a_planted_worse_slice_is_said_with_its_interval() -> None:
    at = open_page("audit", finished_pictures.finish(Plan(planted=0.9)).id)
    text = say_text(at)
    dark = find_table(at, "Macro recall")["Group"].iloc[0]
    assert f"for “{dark}”" in text
    assert "larger than chance alone usually produces" in text


def test_numbers_on_the_page_are_those_of_the_json() -> None:
    job = finished_pictures.finish(Plan(has_audit_files=True))
    audit = load_json(Settings().workspace.result(job.id) / "audit.json")
    table = find_table(open_page("audit", job.id, audit_tab="Groups"), "Macro recall")
    for row in audit["by_group"]:
        shown = table[table["Group"] == row["group"]].iloc[0]
        value = row["metrics"]["accuracy"]
        assert shown["Accuracy"].startswith(f"{100 * value['value']:.1f} % [")
        assert f"({value['numerator']}/{value['denominator']})" in shown["Accuracy"]
        assert shown["n"] == f"{row['n']:,}"


def test_another_reference_turns_the_sign_of_the_accuracy_gap() -> None:
    job = finished.finish(finished.Plan(kind="multiclass", second=()))
    at = open_page("audit", job.id, audit_tab="Gaps")

    def read_gap() -> tuple[str, str]:
        table = find_table(at, "Group minus reference")
        row = table[(table["Measure"] == "Accuracy") & (table["Class"] == "all classes")].iloc[0]
        return row["Group"], row["Group minus reference"].split()[0]

    first, before = read_gap()
    at.selectbox(key="reference_sex").set_value(first).run()
    second, after = read_gap()
    assert first != second
    assert float(before.replace("−", "-")) == -float(after.replace("−", "-"))


def test_gaps_stand_with_interval_cases_and_the_count_of_comparisons() -> None:
    at = open_page("audit", finished.finish(finished.Plan(kind="multiclass")).id, audit_tab="Gaps")
    table = find_table(at, "Group minus reference")
    known = table[table["Group minus reference"] != "not estimable"]
    assert known["Group minus reference"].str.contains(r"\[.*\]").all()
    assert known["n, group · reference"].str.contains("·").all()
    assert "corrected for all 10 comparisons" in say_text(at)


def test_counts_of_a_group_add_up() -> None:
    at = open_page(
        "audit", finished.finish(finished.Plan(kind="multiclass")).id, audit_tab="Counts"
    )
    table = find_table(at, "True class")
    assert (table.drop(columns=["True class", "n"]).sum(axis=1) == table["n"]).all()


def test_every_download_of_the_audit_is_offered() -> None:
    at = open_page("audit", finished_pictures.finish(Plan(has_audit_files=True)).id)
    labels = {button.label for button in at.get("download_button")}
    assert {"HTML report", "JSON", "CSV, measures", "CSV, counts"} <= labels
    assert "Recomputed with Fairlearn" in say_text(at)


def test_pictures_enter_a_copy_of_the_report_only_when_ticked() -> None:
    at = open_page("audit", finished_pictures.finish(Plan(has_audit_files=True)).id)
    copies = [b for b in at.get("download_button") if "ticked" in b.label]
    assert not copies
    rows = at.multiselect(key="report_rows")
    assert rows.value == []
    at.session_state["report_rows"] = [_first_wrong(at)]
    at.run()
    assert not at.exception
    copies = [b for b in at.get("download_button") if "ticked" in b.label]
    assert len(copies) == 1
    assert "(1)" in copies[0].label


def _first_wrong(at) -> int:
    from app import picture_results, services

    job = services.list_searches()[0]
    result = load_json(Settings().workspace.result(job.id) / "result.json")
    found = picture_results.read_picture_results(job, result)
    assert found is not None
    return int(found.wrong["row"].iloc[0])


def test_without_a_sensitive_column_pictures_have_their_own_way_out() -> None:
    at = open_page("audit", finished_pictures.finish(Plan(sensitive=())).id)
    assert "slices that are computed from each picture" in say_text(at)
    assert at.button(key="go_data")


def test_a_column_of_names_is_left_out_aloud() -> None:
    job = finished.finish(finished.Plan(kind="multiclass", second=()))
    path = Settings().workspace.result(job.id) / "predictions.parquet"
    frame = pd.read_parquet(path)
    frame["sensitive_name"] = [f"person {number}" for number in range(len(frame))]
    frame.to_parquet(path)
    at = open_page("audit", job.id)
    assert "600 different values" in at.warning[0].value
    assert at.multiselect(key="audit_columns").value == ["sex"]
