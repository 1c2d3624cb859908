"""What the data tests share: a workspace and a way to import text in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from automl.data.dataset import Dataset
from automl.data.importing import ImportRequest, import_table
from automl.settings import Settings, Workspace


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", min_free_bytes=0)


@pytest.fixture
def workspace(settings: Settings) -> Workspace:
    return settings.workspace


@pytest.fixture
def import_text(tmp_path: Path, workspace: Workspace, settings: Settings) -> Callable[..., Dataset]:
    def run(text: str | bytes, name: str = "table.csv", **options: str) -> Dataset:
        path = tmp_path / "upload.part"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return import_table(
            ImportRequest(path=str(path), name=name, **options), workspace, settings
        )

    return run
