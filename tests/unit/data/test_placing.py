from pathlib import Path

import pytest

from automl.data.placing import make_folder
from automl.settings import Workspace


def test_a_folder_goes_when_it_was_not_put_in_place(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path / "home")
    with make_folder(workspace) as folder:
        assert folder.parent == workspace.tmp
        (folder / "images.npy").write_bytes(b"half")
    assert not folder.exists()


def test_a_child_makes_it_in_its_own_folder_which_goes_with_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(root=tmp_path / "home")
    child = workspace.tmp / "job-token"
    child.mkdir(parents=True)
    monkeypatch.chdir(child)
    with make_folder(workspace) as folder:
        assert folder.parent == child


def test_any_other_working_folder_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(root=tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    with make_folder(workspace) as folder:
        assert folder.parent == workspace.tmp
