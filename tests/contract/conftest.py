"""The subjects of the contract suites."""

import pytest

from automl.jobs.store import JobStore
from tests.contract.job_store import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite"])
def store(request, tmp_path, clock):
    store = JobStore(tmp_path / "fairloom.db", clock)
    yield store
    store.close()
