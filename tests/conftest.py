"""What every test may use; the only module that knows where the real data lie."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # how long an example takes says nothing of it
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent


def find_data() -> Path | None:
    """The folder with the real files: ``FAIRLOOM_TEST_DATA``, else ``../shared/data``, else None."""
    named = os.environ.get("FAIRLOOM_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real files; absent they are a failure in CI and a counted skip elsewhere."""
    folder = find_data()
    if folder is not None:
        return folder
    reason = "the real data files are absent: set FAIRLOOM_TEST_DATA"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the person's own workspace or inherits her settings."""
    for name in [name for name in os.environ if name.startswith("FAIRLOOM_")]:
        if name != "FAIRLOOM_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("FAIRLOOM_HOME", str(tmp_path_factory.mktemp("home")))
