"""The Calibration tab of the Results page: calibrators, classes, groups, values, and searches from before."""

from automl.settings import Settings
from tests.ui import finished
from tests.ui.finished import Plan
from tests.ui.test_results_page import find_table, open_page, read_text


def test_calibration_names_the_calibrator_and_what_each_would_do() -> None:
    at = open_page("results", finished.finish().id, results_tab="Calibration")
    text = read_text(at)
    assert "mends the probabilities of this model; it was fitted on the 500 rows" in text
    assert "Isotonic calibration has 500 rows to follow here" in text
    table = find_table(at, "changed")
    assert len(table) == 5
    assert table["version"].str.contains("delivered").sum() == 1
    assert table["log_loss"].str.contains("[", regex=False).all()
    assert table["smooth_ece"].str.contains("chance").all()
    assert table["changed"].iloc[0].startswith("0.0 %")
    numbers = find_table(at, "calibrated").set_index("what")
    assert "[" in numbers.loc["Slope", "value"]
    assert "in 95 %" in numbers.loc["Smooth ECE", "calibrated"]
    groups = find_table(at, "slope_gap")
    assert groups["group"].tolist() == ["Female", "Male"]
    assert groups["slope_gap"].str.contains("[", regex=False).tolist() == [False, True]
    at.segmented_control(key="calibration_version").set_value("raw").run()
    assert not at.exception
    assert "Numbers: As the model gave it" in read_text(at)


def test_without_sensitive_columns_calibration_says_that_there_are_no_groups() -> None:
    job = finished.finish(Plan(groups=(), second=()))
    assert "there are no groups to compare" in read_text(open_page("results", job.id, results_tab="Calibration"))  # fmt: skip


def test_calibration_of_classes_has_a_row_and_a_panel_each() -> None:
    at = open_page(
        "results", finished.finish(Plan(kind="multiclass")).id, results_tab="Calibration"
    )
    assert "Mean probability of the decided class minus accuracy" in read_text(at)
    table = find_table(at, "class")
    assert table["class"].tolist() == ["red", "rosé", "white"]
    assert table["n"].sum() == 600


def test_a_value_has_the_errors_of_the_calibrate_part_as_its_forecast() -> None:
    job = finished.finish(Plan(kind="regression"))
    at = open_page("results", job.id, results_tab="Calibration")
    text = read_text(at)
    assert "CRPS" in text
    assert "of the 500 rows of the calibrate part" in text
    tenths = find_table(at, "tenth")
    assert len(tenths) == 10
    assert tenths["coverage"].str.contains("%").all()
    (Settings().workspace.result(job.id) / "calibrate_predictions.parquet").unlink()
    at = open_page("results", job.id, results_tab="Calibration")
    assert "were not kept for this search" in read_text(at)


def test_a_search_from_before_says_what_is_missing() -> None:
    job = finished.finish()
    (Settings().workspace.result(job.id) / "uncalibrated.parquet").unlink()
    at = open_page("results", job.id, results_tab="Calibration")
    assert "were not kept for this search. Search again" in read_text(at)
    assert len(at.get("plotly_chart")) == 1
    assert find_table(at, "before")["after"].str.contains("[", regex=False).any()
