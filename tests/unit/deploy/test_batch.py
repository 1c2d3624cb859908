"""Files through a bundle: formats, row ids, inert cells, whole files."""

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import fit_encoder
from automl.data.task import Task, TaskType
from automl.deploy.batch import predict_file, write_frame
from automl.deploy.bundle import BundleParts, load_bundle, save_bundle
from automl.deploy.neutralising import neutralise, neutralise_text
from automl.errors import DataError
from automl.models.tabular.constant import fit_constant
from automl.settings import Settings
from automl.training.predictor import save_predictor

COLUMNS = (
    ColumnUse(name="age", kind=Kind.NUMERIC, role=Role.FEATURE),
    ColumnUse(name="job", kind=Kind.CATEGORICAL, role=Role.FEATURE),
)
TASK = Task(
    target="y", type=TaskType.BINARY, metric="roc_auc", classes=("=1+1", "no"), positive="=1+1"
)


@pytest.fixture(scope="module")
def rows():
    return pd.DataFrame({"age": [20.5, 30, 40, 50] * 5, "job": ["clerk", "nurse"] * 10})


@pytest.fixture(scope="module")
def bundle(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    save_predictor(fit_constant(np.array([0, 0, 1]), 2), folder / "model")
    save_bundle(
        folder / "bundle",
        BundleParts(
            name="constant", created_at="2026", task=TASK, columns=COLUMNS,
            encoder=fit_encoder(rows, COLUMNS), members=(folder / "model",),
        ),
    )  # fmt: skip
    return load_bundle(folder / "bundle")


def write_csv(frame, path):
    frame.to_csv(path, index=False)


def write_tsv(frame, path):
    frame.to_csv(path, index=False, sep="\t")


def write_parquet(frame, path):
    frame.to_parquet(path, index=False)


def write_xlsx(frame, path):
    frame.to_excel(path, index=False)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("rows.csv", write_csv),
        ("rows.csv.gz", write_csv),
        ("rows.tsv", write_tsv),
        ("rows.parquet", write_parquet),
        ("rows.xlsx", write_xlsx),
    ],
)
def test_every_kind_of_file(bundle, rows, tmp_path, name, write):
    write(rows, tmp_path / name)
    done = predict_file(bundle, tmp_path / name, tmp_path / "out.parquet", Settings())
    got = pd.read_parquet(tmp_path / "out.parquet")
    assert done.n_rows == len(got) == 20
    assert [note for note in done.notes if note.level == "warning"] == []
    assert got["row_id"].tolist() == list(range(20))
    np.testing.assert_allclose(got["probability_no"], 1 / 3)


def test_csv_cells_cannot_run(bundle, rows, tmp_path):
    write_csv(rows, tmp_path / "rows.csv")
    predict_file(bundle, tmp_path / "rows.csv", tmp_path / "new" / "out.csv", Settings())
    lines = (tmp_path / "new" / "out.csv").read_text().splitlines()
    assert lines[0] == "row_id,prediction,probability_=1+1,probability_no"
    assert lines[1].startswith("0,'=1+1,0.666")


def test_notes_are_counted(bundle, rows, tmp_path):
    write_csv(rows.assign(job="pilot"), tmp_path / "rows.csv")
    done = predict_file(bundle, tmp_path / "rows.csv", tmp_path / "out.csv", Settings())
    assert any("20 rows" in note["text"] for note in done.to_json()["notes"])


def test_an_unknown_extension_is_refused_before_the_work(bundle, tmp_path):
    with pytest.raises(DataError, match=r"'out\.xlsx'"):
        predict_file(bundle, tmp_path / "absent.csv", tmp_path / "out.xlsx", Settings())


def test_nothing_is_left_of_a_write_that_broke(tmp_path, monkeypatch):
    from automl.deploy import batch

    def break_off(frame, path):
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setitem(batch.WRITERS, ".csv", break_off)
    with pytest.raises(OSError, match="disk full"):
        write_frame(pd.DataFrame({"a": [1]}), tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "\ufeff=1", "\u00a0@x"]
)
def test_formulas_get_an_apostrophe(text):
    assert neutralise_text(text) == "'" + text


def test_numbers_and_plain_text_stay():
    frame = pd.DataFrame(
        {"n": [-1.5, 2], "t": ["-x", "a=b"], "-h": [None, "y"], "b": [True, False]}
    )
    got = neutralise(frame)
    assert list(got.columns) == ["n", "t", "'-h", "b"]
    assert got["n"].tolist() == [-1.5, 2]
    assert got["t"].tolist() == ["'-x", "a=b"]
    assert got["'-h"].isna().tolist() == [True, False]
