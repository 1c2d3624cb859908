"""A bundle for pictures: every picture is a row, nothing is dropped unsaid, and it needs nothing but itself."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, ImageFacts, Kind, Role
from automl.data.images.preparing import Pictures
from automl.data.images.rows import ImageRows
from automl.data.preparing import PreparedResult, PrepareRequest, prepare
from automl.data.split_plan import SplitPlan
from automl.data.task import Task, TaskType
from automl.deploy import pictures as module
from automl.deploy.batch import predict_file
from automl.deploy.bundle import Bundle, BundleParts, load_bundle, pack_bundle, save_bundle
from automl.deploy.pictures import predict_pictures
from automl.errors import BundleError, DataError
from automl.evaluation.calibration import apply_temperature
from automl.evaluation.conformal import ConformalScore
from automl.evaluation.conformal_quantiles import ConformalQuantile
from automl.models.catalog import FAMILIES
from automl.settings import Settings
from automl.training.request import TrainRequest
from automl.training.run import train
from tests.pictures import write_zip
from tests.scenes import save_picture

SIDE, N = 16, 120
TASK = Task(
    target="label", type=TaskType.BINARY, metric="roc_auc", classes=("day", "night"), positive="night"
)  # fmt: skip
COLUMNS = (
    ColumnUse(name="file", kind=Kind.IMAGE, role=Role.FEATURE),
    ColumnUse(name="label", kind=Kind.CATEGORICAL, role=Role.TARGET),
)


def make_square(seed: int) -> np.ndarray:
    """Bright for even seeds, dark for odd ones."""
    light = 70 if seed % 2 else 150
    rng = np.random.default_rng(seed)
    return rng.integers(light, light + 80, (SIDE, SIDE, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def result() -> PreparedResult:
    array = np.stack([make_square(seed) for seed in range(N)])
    labels = np.where(np.arange(N) % 2, "night", "day")
    return prepare(
        PrepareRequest(
            frame=pd.DataFrame({"file": [f"{i}.png" for i in range(N)], "label": labels}),
            columns=COLUMNS,
            task=TASK,
            split_plan=SplitPlan(),
            pictures=Pictures(
                images=ImageRows(array=array),
                facts=ImageFacts(side=SIDE, channels=3),
                ties=np.arange(N, dtype=np.uint64),
            ),
        )
    )


@pytest.fixture(scope="module")
def folder(result: PreparedResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of two linear models."""
    place = tmp_path_factory.mktemp("bundle")
    for number in range(2):
        steps = train(
            result.prepared,
            TASK,
            TrainRequest(
                family="linear", config=FAMILIES["linear"].default, seed=number, batch_size=32,
                max_epochs=1,
            ),
        )  # fmt: skip
        try:
            while True:
                next(steps)
        except StopIteration as end:
            end.value.save(place / f"model_{number}")
    parts = BundleParts(
        name="Linear",
        created_at="2026-01-01T00:00:00+00:00",
        task=TASK,
        columns=COLUMNS[:1],
        encoder=result.encoder,
        members=(place / "model_0", place / "model_1"),
        temperature=1.5,
        conformal=(ConformalQuantile(score=ConformalScore.LAC, level=0.9, n=40, value=0.45),),
        training={"pictures": {"side": SIDE, "channels": 3, "fit": "crop", "excluded": ["dark"]}},
    )
    save_bundle(place / "bundle", parts)
    return place / "bundle"


@pytest.fixture
def bundle(folder: Path) -> Bundle:
    return load_bundle(folder)


def make_members(count: int = 6) -> dict[str, bytes]:
    return {f"new/{seed:02}.png": save_picture(make_square(seed)) for seed in range(count)}


def test_every_picture_is_a_row_in_the_order_of_names(bundle: Bundle, tmp_path: Path) -> None:
    members = dict(reversed(make_members().items()))
    frame, notes = predict_pictures(bundle, write_zip(tmp_path / "x.zip", members))
    assert list(frame.columns) == [
        "row_id", "file", "prediction", "probability_day", "probability_night",
    ]  # fmt: skip
    assert frame["file"].tolist() == sorted(members)
    assert frame["row_id"].tolist() == list(range(6))
    assert frame["prediction"].tolist() == ["day", "night"] * 3
    assert notes == ()


def test_predictions_are_those_of_the_prepared_pictures(
    bundle: Bundle, result: PreparedResult, tmp_path: Path
) -> None:
    frame, _ = predict_pictures(bundle, write_zip(tmp_path / "x.zip", make_members()))
    views = result.prepared.views.take(np.arange(6))
    mean = np.mean([member.predict(views) for member in bundle.members], axis=0)
    expected = apply_temperature(mean, 1.5)
    np.testing.assert_allclose(frame[["probability_day", "probability_night"]], expected, atol=1e-6)


def test_a_damaged_picture_keeps_its_row_and_every_stray_is_counted(
    bundle: Bundle, tmp_path: Path
) -> None:
    members = make_members() | {
        "new/03b.jpg": b"\xff\xd8\xff\xe0 no more", "new/list.csv": b"a,b\n", "new/.DS_Store": b"x",
        "new/cut.png": save_picture(make_square(1))[:200], "notes.txt": b"x",
    }  # fmt: skip
    frame, notes = predict_pictures(bundle, write_zip(tmp_path / "x.zip", members))
    assert len(frame) == 8
    empty = frame[frame["prediction"].isna()]
    assert empty["file"].tolist() == ["new/03b.jpg", "new/cut.png"]
    assert empty[["probability_day", "probability_night"]].isna().all(axis=None)
    assert frame.loc[5, "file"] == "new/04.png"
    assert frame.loc[5, "prediction"] == "day"
    told = {note.code: note.text for note in notes}
    assert told["damaged_pictures"].startswith("2 of 8 pictures could not be read: 'new/03b.jpg'")
    assert told["stray_files"].startswith("3 files were set aside")


def test_sets_are_given_on_request_and_stay_whole_beside_damaged_pictures(
    bundle: Bundle, tmp_path: Path
) -> None:
    members = make_members() | {"new/cut.png": save_picture(make_square(1))[:200]}
    frame, notes = predict_pictures(bundle, write_zip(tmp_path / "x.zip", members), coverage=0.9)
    assert frame["set_size"].dtype == "Int64"
    assert frame["set_size"].isna().tolist() == frame["prediction"].isna().tolist()
    read = frame[frame["prediction"].notna()]
    for row in read.itertuples():
        likely = [name for name in TASK.classes if getattr(row, f"probability_{name}") >= 0.55]
        assert json.loads(row.prediction_set) == likely
    assert notes[-1].code == "coverage"
    with pytest.raises(BundleError, match=r"coverage of 0\.8"):
        predict_pictures(bundle, tmp_path / "x.zip", coverage=0.8)


def test_zip_folder_and_single_files_agree(bundle: Bundle, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", make_members())
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "folder" / "link.png").symlink_to(tmp_path / "folder" / "new" / "00.png")
    zipped, _ = predict_pictures(bundle, path)
    found, notes = predict_pictures(bundle, tmp_path / "folder")
    pd.testing.assert_frame_equal(zipped, found)
    assert "a link, which is not followed" in notes[0].text
    single, _ = predict_pictures(bundle, tmp_path / "folder" / "new" / "03.png")
    assert single["file"].tolist() == ["03.png"]
    assert single["probability_day"][0] == pytest.approx(zipped["probability_day"][3])
    upload = tmp_path / "upload.part"
    upload.write_bytes(make_members()["new/03.png"])
    named, _ = predict_pictures(bundle, upload, name="my.png")
    assert named["file"].tolist() == ["my.png"]


def test_chunks_do_not_show(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = make_members(7) | {"new/00a.png": b"damaged"}
    path = write_zip(tmp_path / "x.zip", members)
    whole, _ = predict_pictures(bundle, path)
    monkeypatch.setattr(module, "MOST_PICTURES", 2)
    shares: list[float] = []
    parts, notes = predict_pictures(bundle, path, report=lambda share, _: shares.append(share))
    pd.testing.assert_frame_equal(whole, parts)
    assert shares == [0, 0.25, 0.5, 0.75]
    assert notes[0].text.startswith("1 of 8 pictures could not be read")


def test_pictures_of_any_size_and_colours_are_read(bundle: Bundle, tmp_path: Path) -> None:
    from tests.pictures import make_picture

    members = {
        "a.jpg": make_picture(1, (300, 200), image_format="JPEG"),
        "b.png": make_picture(2, (9, 40), mode="L"),
        "c.webp": make_picture(3, (64, 64), mode="RGBA", image_format="WEBP"),
        "d.bmp": make_picture(4, (1, 1), image_format="BMP"),
    }
    frame, notes = predict_pictures(bundle, write_zip(tmp_path / "x.zip", members))
    assert frame["prediction"].notna().all()
    assert notes == ()


@pytest.mark.parametrize(
    ("name", "members", "message"),
    [
        ("x.zip", {"a.txt": b"x"}, "holds no pictures"),
        ("x.zip", {"a.png": b"x", "b.png": b"y"}, "None of the 2 pictures of 'x.zip' can be read"),
        ("x.zip", {"../a.png": b"x"}, "a.png"),
    ],
)
def test_a_source_without_a_readable_picture_is_refused(
    bundle: Bundle, tmp_path: Path, name: str, members: dict[str, bytes], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        predict_pictures(bundle, write_zip(tmp_path / name, members))


def test_a_cut_off_archive_is_called_so(bundle: Bundle, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", make_members())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="cut-off ZIP archive"):
        predict_pictures(bundle, path)


def test_a_table_is_no_picture_and_the_other_way_round(bundle: Bundle, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"No picture can be read: 'rows\.csv'"):
        predict_pictures(bundle, table)
    with pytest.raises(DataError, match="There is no file"):
        predict_pictures(bundle, tmp_path / "absent.zip")
    with pytest.raises(BundleError, match="reads pictures, not rows"):
        bundle.predict(pd.DataFrame({"file": ["a.png"]}))
    with pytest.raises(DataError, match="28 pixels"):
        bundle.predict_images(ImageRows(array=np.zeros((1, 28, 28, 3), dtype=np.uint8)))


def test_a_file_of_predictions(bundle: Bundle, tmp_path: Path) -> None:
    members = {f"=cmd{seed}.png": save_picture(make_square(seed)) for seed in range(3)}
    members["=cmd9.png"] = b"damaged"
    path = write_zip(tmp_path / "x.zip", members)
    done = predict_file(bundle, path, tmp_path / "out.csv", Settings())
    assert done.n_rows == 4
    assert done.to_json()["notes"][0]["code"] == "damaged_pictures"
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[1].startswith("0,'=cmd0.png,day,")
    assert lines[4] == "3,'=cmd9.png,,,"
    predict_file(bundle, path, tmp_path / "out.parquet", Settings())
    read = pd.read_parquet(tmp_path / "out.parquet")
    assert read["prediction"].isna().tolist() == [False, False, False, True]


def test_the_card_says_what_pictures_it_was_trained_on(folder: Path) -> None:
    card = (folder / "README.md").read_text()
    assert 'predict_pictures(bundle, Path("new_pictures.zip"))' in card
    assert "16 × 16 pixels, red, green and blue" in card
    assert "Left out of training on request: `dark`" in card
    assert "new_rows.csv" not in card


def test_a_bundle_holds_json_and_tensors_only(folder: Path, tmp_path: Path) -> None:
    files = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert files == {".json", ".md", ".safetensors"}
    assert json.loads((folder / "encoder" / "encoder.json").read_text())["kind"] == "images"
    with load_bundle(pack_bundle(folder, tmp_path / "bundle.zip")) as packed:
        frame, _ = predict_pictures(packed, write_zip(tmp_path / "x.zip", make_members()))
    assert len(frame) == 6
