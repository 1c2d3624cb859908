"""The Models page of a search on pictures: how to use the model, and what it decided about one picture."""

from pathlib import Path

from automl.jobs.records import JobKind, JobState, NewJob
from automl.settings import Settings
from tests.ui import finished, finished_pictures
from tests.ui.test_models_page import write_bundle
from tests.ui.test_results_page import find_table, open_page, read_text


def predict(search: str, text: str, n_rows: int) -> Path:
    store = finished.get_store()
    spec = {"search": search, "path": "x", "name": "frog.png"}
    job = store.submit_job(NewJob(kind=JobKind.PREDICT, title="frog.png", dataset="", spec=spec))
    lease = store.claim_submitted(job.id, "tester")
    assert lease is not None
    store.finish_job(lease, JobState.SUCCEEDED, {"out": "predictions.csv", "n_rows": n_rows, "notes": []})  # fmt: skip
    store.close()
    path = Settings().workspace.job(job.id) / "predictions.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_model_of_pictures_says_how_it_is_used() -> None:
    job = finished_pictures.finish()
    write_bundle(job.id)
    at = open_page("models", job.id)
    text = read_text(at)
    assert "It holds no pictures" in text
    assert "Upload a ZIP of pictures" in text
    code = " ".join(block.value for block in at.get("code"))
    assert "predict_pictures" in code
    assert "new_pictures.zip --out predictions.csv" in code
    table = finished.finish(finished.Plan(kind="multiclass"))
    write_bundle(table.id)
    assert "Upload a table" in read_text(open_page("models", table.id))


def test_one_picture_shows_its_class_and_probability() -> None:
    job = finished_pictures.finish()
    predict(
        job.id,
        "row_id,file,prediction,probability_cat,probability_dog,prediction_set,set_size\n"
        '0,frog.png,dog,0.25,0.75,"[""cat"", ""dog""]",2\n',
        1,
    )
    at = open_page("models", job.id)
    assert "Prediction set: **cat, dog**" in read_text(at)
    assert "Decided: **dog**, probability **75.0 %**" in read_text(at).replace("\\", "")
    assert find_table(at, "Probability")["Class"].tolist() == ["dog", "cat"]


def test_many_pictures_and_unread_ones_show_no_single_decision() -> None:
    job = finished_pictures.finish()
    head = "row_id,file,prediction,probability_cat,probability_dog\n"
    predict(job.id, head + "0,a.png,dog,0.25,0.75\n1,b.png,cat,0.9,0.1\n", 2)
    assert "Decided" not in read_text(open_page("models", job.id))
    predict(job.id, head + "0,a.png,,,\n", 1)
    assert "Decided" not in read_text(open_page("models", job.id))
