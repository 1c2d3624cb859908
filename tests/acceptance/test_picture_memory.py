"""A ZIP of 2 GB with 100,000 pictures is imported within 1 GB of anonymous memory."""

import shutil
from pathlib import Path

import pytest

from automl.data.importing import ImportRequest
from automl.data.store import load_dataset
from automl.settings import Settings
from tests.picture_imports import watch_import, write_many

pytestmark = pytest.mark.acceptance


@pytest.mark.timeout(1800)
def test_two_gigabytes_in_a_hundred_thousand_files(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", min_free_bytes=0)
    path = write_many(tmp_path / "x.zip", 100_000, 180)
    assert path.stat().st_size >= 2_000_000_000
    found = watch_import(ImportRequest(path=str(path), name="x.zip"), settings, tmp_path / "child")
    path.unlink()
    assert not isinstance(found.result, Exception), found.result
    dataset = load_dataset(settings.workspace, str(found.result["dataset"]))
    assert (dataset.n_rows, dataset.n_test_rows) == (100_000, 10_000)
    print(f"RssAnon {found.peak_bytes / 1e6:,.0f} MB at most, {found.seconds:,.0f} s")
    shutil.rmtree(tmp_path / "home")  # eight gigabytes that nobody looks at
    assert found.peak_bytes < 1_000_000_000
