"""Settings from the environment, and paths that can only lead into the workspace."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import UnknownIdError
from automl.settings import Settings, Workspace

ROOT = Path("/nowhere/home")


@pytest.mark.parametrize("name", ["..", "../x", "/var/x", "a/../../b", "", "a\\b", "x" * 65, "a\n"])
def test_what_is_no_id_becomes_no_path(name: str) -> None:
    for build in (
        Workspace(ROOT).upload,
        Workspace(ROOT).dataset,
        Workspace(ROOT).setup,
        Workspace(ROOT).job,
        Workspace(ROOT).result,
    ):
        with pytest.raises(UnknownIdError, match="no id"):
            build(name)


@given(st.text(max_size=70))
def test_every_path_stays_inside(name: str) -> None:
    workspace = Workspace(ROOT)
    for build in (
        workspace.dataset,
        workspace.setup,
        workspace.job,
        workspace.result,
        workspace.upload,
    ):
        try:
            path = build(name)
        except UnknownIdError:
            continue
        assert path.is_relative_to(ROOT)
        assert ".." not in path.parts


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLOOM_DEVICES", "cpu:0, cpu:1")
    monkeypatch.setenv("FAIRLOOM_HOME", "~/elsewhere")
    monkeypatch.setenv("FAIRLOOM_IMAGE_FOLDERS", "photos:/srv/x")
    settings = Settings()
    assert settings.image_folders == (Path.cwd() / "photos", Path("/srv/x"))
    assert settings.devices == ("cpu:0", "cpu:1")
    assert settings.workspace.root == Path.home() / "elsewhere"
