"""A workspace for pictures, and an import in one line."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from automl.data.dataset import Dataset
from automl.data.importing import ImportRequest
from automl.data.intake import import_file
from automl.settings import Settings
from tests.pictures import write_zip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", min_free_bytes=0)


@pytest.fixture
def import_members(tmp_path: Path, settings: Settings) -> Callable[..., Dataset]:
    """Import a ZIP of those members; nothing of the import may stay behind."""

    def run(members: Mapping[str, bytes], name: str = "pictures.zip", **options: object) -> Dataset:
        path = write_zip(tmp_path / "upload.part", members)
        request = ImportRequest(path=str(path), name=name, **options)
        workspace = settings.workspace
        try:
            return import_file(request, workspace, settings)
        finally:
            assert not workspace.tmp.exists() or not any(workspace.tmp.iterdir())

    return run
