"""Pictures from Python and the shell: a ZIP, a folder or a sample as FILE, classes as the target."""

from dataclasses import replace
from pathlib import Path

import pytest

from automl.api import SearchCall, _build_setup, build_spec, import_file
from automl.data.dataset import Dataset
from automl.errors import DataError, SpecError
from automl.models.image.mirroring import may_mirror
from automl.own_worker import open_own_worker
from automl.search.preparation import list_unmirrored
from automl.search.spec import Budget, SearchSpec
from automl.settings import Settings
from tests.pictures import make_classes, write_zip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", devices="cpu:0", min_free_bytes=0)


def import_(file: str | Path, tmp_path: Path, settings: Settings, **fields: str) -> Dataset:
    with open_own_worker(settings) as session:
        return import_file(session, SearchCall(file=str(file), out=tmp_path / "out", **fields))


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


def build_specs(
    file: str | Path, tmp_path: Path, settings: Settings, mirrors: tuple[str | None, ...]
) -> list[SearchSpec]:
    """One spec for each answer to ``--mirror``; the file is read once."""
    call = SearchCall(file=str(file), out=tmp_path / "out", target="label")
    with open_own_worker(settings) as session:
        dataset = import_file(session, call)
        calls = (replace(call, mirror=mirror) for mirror in mirrors)
        return [build_spec(session, each, dataset, Budget(trials=2)) for each in calls]


def is_mirrored(spec: SearchSpec) -> bool:
    return any(map(may_mirror, spec.spaces.values()))


def test_digits_are_mirrored_only_when_asked_for_and_it_is_said(
    tmp_path: Path, settings: Settings
) -> None:
    specs = build_specs("sample:digits", tmp_path, settings, (None, "yes", "no"))
    assert [is_mirrored(spec) for spec in specs] == [False, True, False]
    said = [[note.text for note in list_unmirrored(spec)] for spec in specs]
    assert [len(texts) for texts in said] == [1, 0, 1]
    assert "no 2" in said[0][0]
    assert "--mirror yes" in said[0][0]


def test_other_pictures_are_mirrored_unless_forbidden(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "set.zip", make_classes(20))
    specs = build_specs(path, tmp_path, settings, (None, "yes", "no"))
    assert [is_mirrored(spec) for spec in specs] == [True, True, False]
    assert not any(map(list_unmirrored, specs))
    with pytest.raises(SpecError, match="'maybe'"):
        build_specs(path, tmp_path, settings, ("maybe",))


def test_a_table_has_nothing_to_mirror(tmp_path: Path, settings: Settings) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,label\n" + "1,0\n2,1\n" * 20)
    (spec,) = build_specs(table, tmp_path, settings, (None,))
    assert list_unmirrored(spec) == ()
    with pytest.raises(SpecError, match="is for pictures"):
        build_specs(table, tmp_path, settings, ("no",))
