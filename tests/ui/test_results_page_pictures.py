"""The Results page of a search on pictures: pairs and their pictures, mistakes, explanations, the drawing."""

import sys

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import explanations, picture_results
from app.components.confusion_view import count_cells, read_pressed
from automl.files import load_json
from automl.jobs.records import JobState, Outcome
from automl.settings import Settings
from tests.ui import finished_pictures
from tests.ui.charts import assert_charts_complete
from tests.ui.finished_pictures import Plan
from tests.ui.test_results_page import find_table, open_page, read_text


def read_found(job):
    result = load_json(Settings().workspace.result(job.id) / "result.json")
    found = picture_results.read_picture_results(job, result)
    assert found is not None
    return found


def open_pictures(job, **state) -> AppTest:
    return open_page("results", job.id, results_tab="Pictures", **state)


def test_rows_of_a_given_test_part_are_those_of_the_data_set() -> None:
    for plan in (Plan(), Plan(n_test_rows=0)):
        job = finished_pictures.finish(plan)
        found = read_found(job)
        table = pd.read_parquet(Settings().workspace.dataset(found.dataset.id) / "table.parquet")
        assert table["file"].iloc[found.frame["row"]].tolist() == found.frame["file"].tolist()
        assert table["label"].iloc[found.frame["row"]].tolist() == found.frame["truth"].tolist()


def test_pairs_and_cells_equal_the_confusion_matrix() -> None:
    job = finished_pictures.finish()
    found = read_found(job)
    cells = count_cells(found)
    assert cells["n"].sum() == len(found.frame) == 240
    expected = pd.crosstab(found.frame["truth"], found.frame["prediction"])
    for row in cells.itertuples(index=False):
        assert row.n == expected.loc[row.truth, row.predicted]
        assert len(found.select_pair(row.truth, row.predicted)) == row.n
    pairs = picture_results.build_pairs(found.frame)
    assert pairs["n"].is_monotonic_decreasing
    assert pairs["n"].sum() == len(found.wrong)
    assert (pairs["low"] <= pairs["share"]).all()
    assert (pairs["share"] <= pairs["high"]).all()
    wrong = found.wrong
    assert wrong["confidence"].is_monotonic_decreasing
    assert (wrong["truth"] != wrong["prediction"]).all()


def test_the_tab_shows_matrix_list_and_the_pictures_of_the_first_pair() -> None:
    job = finished_pictures.finish()
    at = open_pictures(job)
    found = read_found(job)
    top = picture_results.build_pairs(found.frame).iloc[0]
    pair = at.selectbox(key="error_pair")
    assert pair.value == f"{top['truth']} → {top['predicted']}"
    text = read_text(at)
    assert f"{top['truth']} taken for {top['predicted']}" in text
    assert "Press a cell, or choose" in text
    assert assert_charts_complete(at) == 1


def test_pressing_a_cell_gives_its_pair() -> None:
    event = {"selection": {"points": [{"customdata": ["cat", "dog"], "x": 1, "y": 0}]}}
    assert read_pressed(event) == "cat → dog"
    assert read_pressed({"selection": {"points": []}}) is None
    assert read_pressed(None) is None


def test_the_most_confident_mistakes_have_their_own_view() -> None:
    job = finished_pictures.finish()
    at = open_pictures(job, pictures_view="confident")
    n = len(read_found(job).wrong)
    assert f"{n} of 240 pictures of the test part were decided wrongly" in read_text(at)


def test_without_a_mistake_the_views_say_so() -> None:
    job = finished_pictures.finish(Plan(skill=40.0, planted=0.0))
    assert "there is no mistake to show" in read_text(open_pictures(job))
    assert "there is no mistake" in read_text(open_pictures(job, pictures_view="confident"))


def test_where_the_data_set_is_gone_the_numbers_stay() -> None:
    job = finished_pictures.finish()
    dataset = read_found(job).dataset
    folder = Settings().workspace.dataset(dataset.id)
    folder.rename(folder.with_name("gone"))
    for view in ("pairs", "confident", "explain"):
        at = open_pictures(job, pictures_view=view)
        assert "its pictures are gone, the numbers stay" in read_text(at)
    table = find_table(open_pictures(job), "Decision")
    assert len(table)
    assert table["File"].str.endswith(".png").all()


def test_pictures_left_out_of_the_folder_count_as_gone() -> None:
    job = finished_pictures.finish()
    folder = Settings().workspace.dataset(read_found(job).dataset.id)
    (folder / "images.npy").rename(folder / "images.moved")
    assert "pictures are gone" in read_text(open_pictures(job))


def open_row(job, row: int) -> AppTest:
    return open_pictures(job, explain_asked=row)


def test_a_pressed_picture_opens_its_explanation_which_is_asked_for_once() -> None:
    job = finished_pictures.finish()
    decision = read_found(job).wrong.iloc[0]
    row = int(decision["row"])
    at = open_row(job, row)
    text = read_text(at)
    assert f"**{decision['truth']}**, taken for **{decision['prediction']}**" in text.replace(
        "\\", ""
    )
    at.button(key="explain_start").click().run()
    assert not at.exception
    jobs = explanations.list_explanations(job.id)
    assert len(jobs) == 1
    assert dict(jobs[0].spec) == {"search": job.id, "rows": [row], "classes": "predicted"}
    assert explanations.submit_explanation(job.id, row).id == jobs[0].id
    assert not [b for b in at.button if b.key == "explain_start"]
    assert "Waiting for a worker" in str([bar.proto for bar in at.get("progress")])


def test_a_finished_explanation_shows_map_class_probability_maximum_method_and_limit() -> None:
    job = finished_pictures.finish()
    row = int(read_found(job).wrong.iloc[0]["row"])
    finished_pictures.explain(job.id, row)
    at = open_row(job, row)
    text = read_text(at)
    assert "Explained: **cat**, probability **91.3 %**" in text.replace("\\", "")
    assert "2.750" in text
    assert "Grad-CAM, last convolution stage" in text.replace("\\", "")
    assert "takes at most 25.0 % from the probability" in text
    assert "A covered square is new to the model" in text
    assert "explains the model, not causes" in text
    assert "Explained before" in text
    assert len(at.get("image")) == 3


def test_a_failed_explanation_says_why_and_can_be_tried_again() -> None:
    job = finished_pictures.finish()
    row = int(read_found(job).wrong.iloc[0]["row"])
    finished_pictures.explain(
        job.id, row, JobState.FAILED,
        Outcome(kind="bug", message="The map is zero everywhere.", hint="Choose another picture."),
    )  # fmt: skip
    at = open_row(job, row)
    text = read_text(at)
    assert "The map is zero everywhere" in text
    assert "Choose another picture" in text
    at.button(key="explain_start").click().run()
    assert len(explanations.list_explanations(job.id)) == 2


def test_any_picture_is_found_by_its_name() -> None:
    job = finished_pictures.finish()
    found = read_found(job)
    at = open_pictures(job, pictures_view="explain")
    assert "Choose a picture" in read_text(at)
    at.text_input(key="explain_find").set_value("no such file").run()
    assert "No file name has" in read_text(at)
    at.text_input(key="explain_find").set_value("train/cat/train_0000").run()
    assert not at.exception
    rows = picture_results.search_files(found, "train/cat/train_0000")
    assert rows == [0]
    assert "not in the test part" in picture_results.build_found_tiles(found, rows)[0].caption
    assert "not in the test part" in read_text(open_row(job, 0))
    mixed = picture_results.search_files(found, "cat")
    tested = set(found.frame["row"])
    flags = [row in tested for row in mixed]
    assert flags == sorted(flags, reverse=True)
    assert len(mixed) == picture_results.MAX_FOUND


def test_a_row_that_does_not_exist_is_no_error() -> None:
    job = finished_pictures.finish()
    assert "Choose a picture" in read_text(
        open_pictures(job, pictures_view="explain", explain_row=10**9)
    )


@pytest.mark.parametrize("tab", ["Metrics", "Curves", "Calibration", "Search", "Model", "Protocol"])
def test_every_other_tab_draws_for_pictures(tab: str) -> None:
    at = open_page("results", finished_pictures.finish().id, results_tab=tab)
    assert not at.exception
    assert assert_charts_complete(at) == {"Metrics": 0, "Curves": 6, "Calibration": 1, "Search": 4, "Model": 1, "Protocol": 0}[tab]  # fmt: skip


def test_the_model_tab_has_the_drawing_with_stages_and_their_table() -> None:
    at = open_page("results", finished_pictures.finish().id, results_tab="Model")
    table = find_table(at, "Stage")
    assert table["Stage"].tolist() == ["Stem", "Stage 1", "Stage 2", "Head", "Whole network"]
    assert table["Parameters"].iloc[-1] == "437,123"
    assert table.iloc[1, 2] == "64×16×16"
    assert "multiply-adds for one picture" in read_text(at).replace("\\", "")


def test_screening_counts_are_said() -> None:
    record = {
        "seen": 120, "over_limit": 9, "discarded": 22, "no_time": 0,
        "reasons": [{"trial": 4, "kind": "over_limit", "reason": "1.3 M parameters; the limit is 1 M"}],
    }  # fmt: skip
    job = finished_pictures.finish(Plan(extra=(("screening", record),)))
    text = read_text(open_page("results", job.id, results_tab="Search")).replace("\\", "")
    assert (
        "31 of 120 networks were set aside before training: 9 over a limit, 22 in the worst part"
        in text
    )
    assert "1.3 M parameters; the limit is 1 M" in text


METHODS = {
    "weight_sharing": {"n_trials": 2, "n_trained": 2, "seconds": 90.0, "supernet_seconds": 50.0, "best": {"trial": 0, "name": "CNN 7", "score": 0.8}},
    "plain": {"n_trials": 5, "n_trained": 4, "seconds": 100.0, "best": None},
}  # fmt: skip


def test_plain_search_stands_beside_weight_sharing() -> None:
    job = finished_pictures.finish(Plan(extra=(("methods", METHODS),)))
    at = open_page("results", job.id, results_tab="Search")
    table = find_table(at, "Method").set_index("Method")
    assert table.loc["Weight sharing", "Best network, trained alone"] == "CNN 7"
    assert table.loc["Weight sharing"].iloc[1] == "0.800 [0.780, 0.820]"
    assert table.loc["Plain search", "Best network, trained alone"] == "none"
    assert "never results" in read_text(at)
    assert assert_charts_complete(at) == 5


def test_a_front_is_drawn_and_an_empty_one_is_said() -> None:
    front = [
        {"trial": i, "name": f"CNN {i}", "family": "cnn", "is_baseline": False, "on_front": True,
         "values": {"score": {"value": 0.7 + i / 10, "unit": ""}, "macs": {"value": 1e6 * (i + 1), "unit": ""}}}
        for i in range(2)
    ]  # fmt: skip
    job = finished_pictures.finish(Plan(extra=(("pareto", front),)))
    at = open_page("results", job.id, results_tab="Search")
    assert "2 of n = 2 networks" in read_text(at)
    job = finished_pictures.finish(Plan(extra=(("pareto", []),)))
    assert "there is no trade-off" in read_text(open_page("results", job.id, results_tab="Search"))


def test_the_page_needs_neither_torch_nor_optuna() -> None:
    job = finished_pictures.finish()
    before = {name for name in ("torch", "optuna", "torchvision") if name in sys.modules}
    open_pictures(job)
    assert {name for name in ("torch", "optuna", "torchvision") if name in sys.modules} == before


def test_names_that_are_markup_stay_text() -> None:
    at = open_pictures(finished_pictures.finish(Plan(classes=("<b>cat<b>", "*dog*", "a→b"))))
    assert "\\<b\\>cat" in read_text(at)
    assert "**dog" not in read_text(at).replace("\\*", "")
