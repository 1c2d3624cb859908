"""A file through a bundle in a worker: what comes out, what is said, and that the upload is gone."""

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import fit_encoder
from automl.data.task import Task, TaskType
from automl.deploy.bundle import BundleParts, save_bundle
from automl.evaluation.conformal_quantiles import fit_quantiles
from automl.jobs.records import JobKind, JobState
from automl.models.tabular.constant import fit_constant
from automl.training.predictor import save_predictor
from tests.unit.worker.test_data_handlers import run  # noqa: F401 - the fixture

COLUMNS = (
    ColumnUse(name="age", kind=Kind.NUMERIC, role=Role.FEATURE),
    ColumnUse(name="job", kind=Kind.CATEGORICAL, role=Role.FEATURE),
)
SEARCH = "5" * 32


@pytest.fixture
def predict(run, tmp_path):  # noqa: F811
    """Upload a text as a file of that name, predict it; the job and the upload's path."""
    frame = pd.DataFrame({"age": [1.0, 2.0], "job": ["a", "b"]}).astype({"job": "str"})
    task = Task(
        target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes"
    )
    save_predictor(fit_constant(np.array([0, 1]), 2), tmp_path / "member")
    save_bundle(
        run.workspace.result(SEARCH) / "bundle",
        BundleParts(
            name="Constant", created_at="2026", task=task, columns=COLUMNS,
            encoder=fit_encoder(frame, COLUMNS), members=(tmp_path / "member",),
            conformal=fit_quantiles(task, np.ones(20, dtype=np.int64), np.full((20, 2), 0.5)),
        ),
    )  # fmt: skip

    def submit(content: bytes, name: str = "rows.csv", **more: object):
        upload = run.workspace.incoming / "canary.part"
        upload.write_bytes(content)
        spec = {"search": SEARCH, "path": str(upload), "name": name, **more}
        return run(kind=JobKind.PREDICT, title=name, spec=spec), upload

    submit.workspace = run.workspace
    submit.run = run
    return submit


def test_predictions_are_written_with_their_notes_and_the_upload_goes(predict):
    job, upload = predict(b"age,job\n1,a\n2,zzz\n")
    assert job.state is JobState.SUCCEEDED, job.outcome
    out = pd.read_csv(predict.workspace.job(job.id) / job.result["out"])
    assert len(out) == 2
    assert any("1" in note["text"] and note["column"] == "job" for note in job.result["notes"])
    assert not upload.exists()


def test_sets_come_with_a_coverage_and_their_promise(predict):
    job, _ = predict(b"age,job\n1,a\n2,b\n", coverage=0.9)
    out = pd.read_csv(predict.workspace.job(job.id) / job.result["out"])
    assert out["prediction_set"].tolist() == ['["no", "yes"]'] * 2
    assert out["set_size"].tolist() == [2, 2]
    assert any("exchangeable with the 20 calibrate rows" in each["text"] for each in job.result["notes"])  # fmt: skip
    job, upload = predict(b"age,job\n1,a\n", coverage=0.5)
    assert job.state is JobState.FAILED
    assert "coverage of 0.5" in job.outcome.message
    assert "0.8, 0.9, 0.95" in job.outcome.hint
    assert not upload.exists()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"age\n1\n", "rows.csv", "'job'"),
        (b"", "rows.csv", "empty"),
        (b"age,job\n", "rows.csv", "row"),
        (bytes(range(256)) * 20, "rows.csv", "rows.csv"),
        (b"not a table", "rows.xlsx", "rows.xlsx"),
    ],
)
def test_a_wrong_file_says_what_is_wrong_and_the_upload_goes(predict, content, name, words):
    job, upload = predict(content, name)
    assert job.state is JobState.FAILED
    assert words in job.outcome.message
    assert job.outcome.hint
    assert job.outcome.kind != "bug"
    assert not upload.exists()


def test_a_file_that_is_no_upload_of_ours_stays(predict, tmp_path):
    own = tmp_path / "mine.part"
    own.write_text("age,job\n1,a\n")
    spec = {"search": SEARCH, "path": str(own), "name": "mine.csv"}
    assert predict.run(kind=JobKind.PREDICT, title="x", spec=spec).state is JobState.SUCCEEDED
    assert own.exists()
