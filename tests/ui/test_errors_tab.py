"""The Errors tab: cohorts, and the rows behind every cell of the confusion matrix."""

import numpy as np
import pandas as pd
import pytest

from app import error_rows, results, services
from app.error_rows import Wanted
from tests.ui import finished, finished_pictures
from tests.ui.charts import assert_charts_complete
from tests.ui.finished import Plan
from tests.ui.test_results_page import find_table, open_page, read_text


def open_errors(search, **state):
    return open_page("results", search.id, results_tab="Errors", **state)


def read_rows(search):
    found = error_rows.read_error_rows(search, results.read_result(search.id))
    assert found is not None
    return found


@pytest.fixture
def planted():
    """A finished search in whose rows women are decided wrongly twice as often."""
    search = finished.finish(Plan(n=4_000))
    path = results.get_result_file(search.id, "predictions.parquet")
    frame = pd.read_parquet(path)
    rng = np.random.default_rng(0)
    is_wrong = rng.random(len(frame)) < np.where(frame["sensitive_sex"] == "Male", 0.4, 0.1)
    other = frame["truth"].map({"<=50K": ">50K", ">50K": "<=50K"})
    frame["prediction"] = frame["truth"].where(~is_wrong, other)
    frame.to_parquet(path, index=False)
    return search


def test_a_planted_cohort_stands_in_the_tab_with_its_rows(planted):
    at = open_errors(planted)
    text = read_text(at)
    assert "more errors than the other rows, beyond chance" in text
    assert "only the sensitive columns are left" in text
    table = find_table(at, "lift_low")
    assert table.iloc[0]["slice"].startswith("sex is Male")
    assert assert_charts_complete(at) == 2
    at.segmented_control(key="errors_view").set_value("rows").run()
    at.selectbox(key="rows_cohort").set_value(1).run()
    assert not at.exception
    found = read_rows(planted)
    slices = error_rows.read_slices(found)
    wanted = Wanted(which="wrong", cohort=error_rows.mark_slice(found, 0))
    n = len(error_rows.select_rows(found, wanted))
    assert n > slices.frame["n"].iloc[0] * slices.frame["error"].iloc[0]  # of both halves
    assert f"of {n:,}, the most confident decision first" in read_text(at)


def test_counts_equal_the_confusion_matrix_and_the_order_is_by_confidence():
    search = finished.finish(Plan(kind="multiclass"))
    found = read_rows(search)
    cells = error_rows.count_cells(found)
    evaluated = results.read_opened(search.id)[0].evaluation.curves["confusion"]
    pd.testing.assert_frame_equal(
        cells.astype({"n": int}), evaluated[["truth", "predicted", "n"]].astype({"n": int})
    )
    for cell in cells.itertuples(index=False):
        wanted = Wanted(truth=cell.truth, prediction=cell.predicted)
        places = error_rows.select_rows(found, wanted)
        assert len(places) == cell.n
        assert (np.diff(found.rows["confidence"].to_numpy()[places]) <= 0).all()
    sure = error_rows.select_rows(found, Wanted(which="wrong", confidence=(0.9, 1.0)))
    rows = found.rows.iloc[sure]
    assert (rows["confidence"] >= 0.9).all()
    assert (rows["truth"] != rows["prediction"]).all()


def test_the_conditions_choose_the_rows_that_are_shown_page_by_page():
    search = finished.finish(Plan())
    at = open_errors(search, errors_view="rows")
    found = read_rows(search)
    n_wrong = int(found.errors.sum())
    assert f"Rows 1 to 25 of {n_wrong}" in read_text(at)
    shown = find_table(at, "sex")
    assert (shown["truth"] != shown["prediction"]).all()
    assert shown["confidence"].is_monotonic_decreasing
    at.selectbox(key="rows_truth").set_value(">50K").run()
    n_cell = len(error_rows.select_rows(found, Wanted(which="wrong", truth=">50K")))
    assert f"of {n_cell}, " in read_text(at)
    at.selectbox(key="rows_prediction").set_value(">50K").run()
    assert "No row of the test part meets these conditions" in read_text(at)
    assert not at.exception


def test_a_group_can_be_chosen_and_a_missing_search_says_so():
    search = finished.finish(Plan())
    found = read_rows(search)
    sex = next(place for place, group in enumerate(found.groups) if group.attribute == "sex")
    marks = error_rows.mark_group(found, sex, 0)
    assert marks.sum() == found.groups[sex].sizes[0]
    results.get_result_file(search.id, "predictions.parquet").unlink()
    assert "No predictions were kept" in read_text(open_errors(search))


def test_values_have_cohorts_and_rows_with_the_greatest_error_first():
    search = finished.finish(Plan(kind="regression"))
    at = open_errors(search)
    assert "Errors by one column" in read_text(at)
    at.segmented_control(key="errors_view").set_value("rows").run()
    assert "the greatest error first" in read_text(at)
    at.segmented_control(key="rows_which").set_value("low").run()
    assert not at.exception
    shown = find_table(at, "residual")
    assert (shown["residual"] < 0).all()
    assert shown["residual"].is_monotonic_increasing


def test_pictures_are_parted_by_light_size_and_shape():
    search = finished_pictures.finish(finished_pictures.Plan(planted=0.6))
    services.prepare_workspace()
    found = read_rows(search)
    assert {"picture_brightness", "picture_contrast", "picture_sharpness"} <= set(found.kinds)
    assert "file" in found.left_out
    at = open_errors(search)
    assert "Errors by one column" in read_text(at)
    assert "picture_brightness" in at.selectbox(key="errors_by").options
    at.segmented_control(key="errors_view").set_value("rows").run()
    assert not at.exception
    assert f"of {int(found.errors.sum())}, the most confident decision first" in read_text(at)
