"""Pictures from Python and the shell: a ZIP, a folder or a sample as FILE, classes as the target."""

from pathlib import Path

import pytest

from automl.api import SearchCall, _build_setup, _import_file
from automl.data.dataset import Dataset
from automl.errors import DataError, SpecError
from automl.own_worker import open_own_worker
from automl.settings import Settings
from tests.pictures import make_classes, write_zip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", devices="cpu:0", min_free_bytes=0)


def import_(file: str | Path, tmp_path: Path, settings: Settings, **fields: str) -> Dataset:
    with open_own_worker(settings) as session:
        return _import_file(session, SearchCall(file=str(file), out=tmp_path / "out", **fields))


def test_a_zip_and_its_folder_are_the_same(tmp_path: Path, settings: Settings) -> None:
    members = make_classes()
    for name, content in members.items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(content)
    zipped = import_(write_zip(tmp_path / "set.zip", members), tmp_path, settings)
    folder = import_(tmp_path / "set", tmp_path, settings)
    assert folder.id == zipped.id
    assert folder.images is not None


def test_the_sample_comes_with_its_target(tmp_path: Path, settings: Settings) -> None:
    dataset = import_("sample:digits", tmp_path, settings)
    assert dataset.n_rows == 1_797
    call = SearchCall(file="sample:digits", out=tmp_path)
    assert _build_setup(call, dataset).target == "label"


def test_classes_are_the_target_of_pictures(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "set.zip", make_classes())
    dataset = import_(path, tmp_path, settings)
    call = SearchCall(file=str(path), out=tmp_path)
    assert _build_setup(call, dataset).target == "label"
    table = tmp_path / "t.csv"
    table.write_text("a,b\n" + "1,x\n2,y\n" * 10)
    with pytest.raises(SpecError, match="No target was named"):
        _build_setup(call, import_(table, tmp_path, settings))


def test_what_is_not_there_or_not_readable_is_said(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(DataError, match="There is no file"):
        import_(tmp_path / "gone.zip", tmp_path, settings)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        import_(tmp_path / "empty", tmp_path, settings)
    path = write_zip(tmp_path / "set.zip", make_classes())
    with pytest.raises(DataError, match="cannot be its test file"):
        import_(path, tmp_path, settings, test=str(path))
