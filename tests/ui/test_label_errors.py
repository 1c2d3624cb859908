"""Labels that may be wrong on the Results page: asked for, marked, and searched with again."""

import json
import shutil
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from app import error_map, label_errors, results, services
from automl.data.corrections import Corrections
from automl.data.importing import ImportRequest, import_table
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.execution.devices import Slot, SlotKind
from automl.files import load_json, write_json
from automl.jobs.records import Job, JobKind, JobState, NewJob
from automl.search.building import SearchRequest, build_search_spec
from automl.search.spec import Budget, parse_spec, render_spec
from automl.settings import Settings
from automl.worker.labels_handler import OUT, ROWS
from tests.ui import finished
from tests.ui.test_results_page import find_table, open_page, read_text

N = 700


def open_labels(search):
    return open_page("results", search.id, results_tab="Errors", errors_view="labels")


@pytest.fixture
def search(tmp_path):
    """A finished search on a data set that is there, with its whole spec."""
    services.prepare_workspace()
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(18, 90, N), "hours": rng.normal(40, 9, N).round(1)})
    frame["income"] = np.where(rng.random(N) < 0.3, ">50K", "<=50K")
    frame.to_csv(tmp_path / "table.csv", index=False)
    settings = Settings()
    request = ImportRequest(path=str(tmp_path / "table.csv"), name="table.csv")
    dataset = import_table(request, settings.workspace, settings)
    spec = build_search_spec(
        SearchRequest(
            dataset=dataset,
            profile=load_profile(settings.workspace, dataset.id),
            setup=Setup(target="income"),
            slots=(Slot(name="cpu:0", kind=SlotKind.CPU, title="CPU"),),
            budget=Budget(trials=3),
        )
    )
    return finish_like(json.loads(render_spec(spec)), dataset.id)


def finish_like(spec, dataset_id):
    """A succeeded search with that spec and the files of a generated one."""
    model = finished.finish()
    store = finished.get_store()
    new = NewJob(kind=JobKind.SEARCH, title="table.csv · income", dataset=dataset_id, spec=spec)
    job = store.submit_job(new)
    lease = store.claim_submitted(job.id, "tester")
    store.finish_job(lease, JobState.SUCCEEDED, {}, None)
    found = store.read_job(job.id)
    store.close()
    workspace = Settings().workspace
    shutil.copytree(workspace.result(model.id), workspace.result(job.id))
    return found


@dataclass
class Check:
    """A finished check of labels: its job, and the rows of its list."""

    job: Job
    rows: list[int]


@pytest.fixture
def check(search):
    job = label_errors.submit_labels(search)
    lease = services.get_store().claim_submitted(job.id, "tester")
    rows = list(range(10, 40))
    frame = pd.DataFrame(
        {
            "row": rows, "label": "<=50K", "likely": ">50K", "label_probability": np.linspace(0.01, 0.4, 30),
            "likely_probability": np.linspace(0.99, 0.6, 30), "is_suspected": [True] * 12 + [False] * 18,
        }
    )  # fmt: skip
    folder = services.get_workspace().job(job.id)
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(folder / ROWS, index=False)
    facts = {"n_rows": 525, "n_contradicted": 30, "n_suspected": 12, "family": "lightgbm", "n_folds": 5}  # fmt: skip
    write_json(folder / OUT, facts)
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {}, None)
    return Check(job=services.read_job(job.id), rows=rows)


def test_the_check_is_offered_queued_cancelled_and_offered_again(search):
    at = open_labels(search)
    assert "predicts every row by the model that did not see it" in read_text(at)
    at.button(key="labels_start").click().run()
    job = label_errors.find_labels(search.id)
    assert job.spec["spec"] == search.spec
    assert "Waiting for a worker" in [bar.proto.text for bar in at.get("progress")]
    at.button(key="labels_cancel").click().run()
    assert services.read_job(job.id).state is JobState.STOPPED
    assert "The check was cancelled." in read_text(at)
    assert at.button(key="labels_start").label == "Look again"


def test_rows_are_marked_page_by_page_and_a_new_search_carries_them(search, check):
    at = open_labels(search)
    text = read_text(at)
    assert "Of 525 labels, 30 are contradicted" in text
    assert "Rows 1 to 25 of 30, the most suspicious first" in text
    table = find_table(at, "likely")
    assert list(table["row"]) == check.rows[:25]
    assert {"mark", "age", "hours"} <= set(table)
    assert "labels_search" not in [button.key for button in at.button]
    at.button(key="labels_relabel").click().run()
    assert (find_table(at, "likely")["mark"] == "relabel").all()
    label_errors.mark(check.job, check.rows[:3], "drop")
    label_errors.mark(check.job, check.rows[3:5], "keep")
    label_errors.mark(check.job, [9_999], "drop")  # not in the list
    marks = label_errors.read_marks(check.job)
    assert marks.dropped == (10, 11, 12)
    assert list(marks.relabelled) == list(range(15, 35))
    at.run()
    assert "3 to drop, 20 to relabel" in read_text(at).replace("\\", "")
    before = services.read_frame(search.dataset, ["income"])
    at.button(key="labels_search").click().run()
    (again,) = [job for job in services.list_searches() if "corrected: 23" in job.title]
    spec = parse_spec(json.dumps(dict(again.spec)))
    assert spec.corrections.dropped == (10, 11, 12)
    assert spec.corrections.relabelled[15] == ">50K"
    assert spec.corrections.source == search.id
    assert (spec.data, spec.split) == (
        search.dataset,
        parse_spec(json.dumps(dict(search.spec))).split,
    )
    pd.testing.assert_frame_equal(before, services.read_frame(search.dataset, ["income"]))
    assert label_errors.search_again(search, marks).id == again.id


def test_a_search_with_corrections_says_so_and_keeps_them_in_the_next(search):
    first = Corrections(dropped=(1,), relabelled={2: ">50K"})
    again = label_errors.search_again(search, first)
    done = finish_like(dict(again.spec), search.dataset)
    text = read_text(open_labels(done))
    assert "left out: 1, relabelled: 1" in text
    third = label_errors.search_again(done, Corrections(dropped=(2,)))
    corrections = parse_spec(json.dumps(dict(third.spec))).corrections
    assert corrections == Corrections(dropped=(1, 2), source=done.id)


def test_values_and_deleted_data_have_a_reason_instead(search):
    value = finished.finish(finished.Plan(kind="regression"))
    at = open_labels(value)
    assert "labels cannot be checked" in read_text(at)  # its data set is not here
    services.delete_dataset(search.dataset)
    assert "labels cannot be checked" in read_text(open_labels(search))
    assert results.read_result(search.id)


def test_rows_that_models_have_met_are_counted_named_and_measured(search):
    path = Settings().workspace.result(search.id) / "result.json"
    result = dict(load_json(path))
    at = open_page("results", search.id, results_tab="Errors")
    assert "before repeated rows were kept" in read_text(at)
    write_json(path, {**result, "repeats": {"n": 2, "pairs": [[3, 640], [5, 650]]}})
    at = open_page("results", search.id, results_tab="Errors")
    text = read_text(at)
    assert "2 of 600 test rows equal a row that models learn from" in text
    assert "n = 598" in text
    table = find_table(at, "main_row")
    assert table[["test_row", "main_row"]].to_numpy().tolist() == [[3, 640], [5, 650]]
    write_json(path, {**result, "repeats": {"n": 9, "pairs": [[3, 640]]}})
    at = open_page("results", search.id, results_tab="Errors")
    assert "the first 1 are listed" in read_text(at)
    write_json(path, {**result, "repeats": {"n": 0, "pairs": []}})
    at = open_page("results", search.id, results_tab="Errors")
    assert "Equal rows are kept in one part" in read_text(at)


def test_the_map_is_asked_for_cancelled_and_shown_in_three_colours(search):
    def open_map(**state):
        return open_page("results", search.id, results_tab="Errors", errors_view="map", **state)

    at = open_map()
    assert "which lie together are seen together" in read_text(at)
    at.button(key="map_start").click().run()
    job = error_map.find_map(search.id)
    assert (job.spec["data"], job.spec["first"]) == (search.dataset, 0)
    at.button(key="map_cancel").click().run()
    assert "The map was cancelled." in read_text(at)
    at.button(key="map_start").click().run()
    job = error_map.find_map(search.id)
    lease = services.get_store().claim_submitted(job.id, "tester")
    rng = np.random.default_rng(0)
    points = pd.DataFrame({"row": range(0, 600, 3), **{name: rng.normal(size=200) for name in ("pca_x", "pca_y", "tsne_x", "tsne_y")}})  # fmt: skip
    folder = services.get_workspace().job(job.id)
    folder.mkdir(parents=True, exist_ok=True)
    points.to_parquet(folder / "map.parquet", index=False)
    facts = {"what": "inputs", "n_rows": 200, "n_all": 600, "n_inputs": 7, "explained": [0.5, 0.2], "perplexity": 30.0, "seed": 42}  # fmt: skip
    write_json(folder / "map.json", facts)
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {}, None)
    at = open_map()
    text = read_text(at)
    assert "the 7 inputs of the model" in text
    assert "200 of 600 test rows, seed 42, perplexity 30" in text
    table = find_table(at, "series")
    assert set(table["series"]) == {"Right", "Wrong"}
    assert table["series"].tolist() == sorted(table["series"])  # mistakes on top
    at.selectbox(key="map_colour").set_value("group sex").run()
    assert set(find_table(at, "series")["series"]) == {"Female", "Male"}
    at.segmented_control(key="map_method").set_value("pca").run()
    assert not at.exception
