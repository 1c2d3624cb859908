"""Pictures through the real limited child: limits that suit them, memory that stays flat, words on the way."""

from pathlib import Path

import pytest

from automl.data.importing import ImportRequest
from automl.data.store import load_dataset
from automl.errors import DataError
from automl.settings import Settings
from automl.worker.import_handler import build_limits
from tests.picture_imports import watch_import, write_many
from tests.pictures import make_classes, make_picture, write_zip

MB = 1_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", min_free_bytes=0)


def test_five_thousand_pictures_need_little_memory(tmp_path: Path, settings: Settings) -> None:
    small = write_many(tmp_path / "small.zip", 50, 32)
    path = write_many(tmp_path / "x.zip", 5_000, 32)
    base = watch_import(
        ImportRequest(path=str(small), name="small.zip"), settings, tmp_path / "first"
    )
    found = watch_import(ImportRequest(path=str(path), name="x.zip"), settings, tmp_path / "second")
    assert not isinstance(found.result, Exception), found.result
    dataset = load_dataset(settings.workspace, str(found.result["dataset"]))
    assert (dataset.n_rows, dataset.n_test_rows) == (5_000, 500)
    assert base.peak_bytes < 160 * MB  # Python, numpy, Arrow and Pillow
    assert found.peak_bytes - base.peak_bytes < 60 * MB  # the array alone has 15 MB, the ZIP 12
    assert any(words.startswith("Reading pictures: ") for words in found.words)


def test_a_large_picture_needs_little_memory_too(tmp_path: Path, settings: Settings) -> None:
    members = make_classes() | {
        "cat/big.png": make_picture(0, (7_000, 7_000)),
        "dog/big.jpg": make_picture(0, (7_000, 7_000), image_format="JPEG"),
    }
    path = write_zip(tmp_path / "x.zip", members)
    found = watch_import(ImportRequest(path=str(path), name="x.zip"), settings, tmp_path / "child")
    assert not isinstance(found.result, Exception), found.result
    assert found.result["n_rows"] == 8
    assert found.peak_bytes < 700 * MB


def test_a_sample_of_pictures_comes_without_a_path(tmp_path: Path, settings: Settings) -> None:
    request = ImportRequest(path="", name="Handwritten digits", source="sample:digits")
    found = watch_import(request, settings, tmp_path / "child")
    assert not isinstance(found.result, Exception), found.result
    assert load_dataset(settings.workspace, str(found.result["dataset"])).n_rows == 1_797


def test_a_dangerous_archive_fails_in_words(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", make_classes() | {"../../canary.png": b"x"})
    found = watch_import(ImportRequest(path=str(path), name="x.zip"), settings, tmp_path / "child")
    assert isinstance(found.result, DataError)
    assert "leaves its folder" in found.result.message
    assert not list(tmp_path.rglob("canary.png"))
    assert not any(settings.workspace.tmp.glob("*"))


def test_limits_follow_the_file(tmp_path: Path, settings: Settings) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    path = write_zip(tmp_path / "x.zip", make_classes())
    plain, pictures = (build_limits(settings, str(file)) for file in (table, path))
    assert plain.timeout_seconds == settings.import_seconds
    assert pictures.timeout_seconds == settings.image_import_seconds
    assert (plain.file_bytes or 0) < 5_000 * MB < 40_000 * MB < (pictures.file_bytes or 0)
    assert build_limits(settings, str(tmp_path)) == pictures
    assert build_limits(settings, "") == plain
