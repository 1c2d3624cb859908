"""A disk that is full in its two forms: no space left, and a file that may not grow."""

import subprocess
import sys

import pytest
import sqlalchemy as sa

from automl.errors import DiskFull
from automl.jobs.records import JobKind, NewJob
from automl.jobs.store import JobStore
from automl.worker.task import is_disk_full
from tests.chaos.conftest import ROOT

pytestmark = pytest.mark.chaos

SCRIPT = """
import resource, signal, sys
from pathlib import Path
import sqlalchemy as sa
from automl.jobs.records import JobKind, NewJob
from automl.jobs.store import JobStore
from automl.worker.task import is_disk_full
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = JobStore(Path(sys.argv[1]))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
n = 0
try:
    while n < 2000:
        store.submit_job(NewJob(kind=JobKind.CHECK, title="x" * 5000))
        n += 1
except sa.exc.OperationalError as error:
    print("full", is_disk_full(error), n)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert len(store.list_jobs(limit=5000)) == n
store.submit_job(NewJob(kind=JobKind.CHECK, title="after"))
print("after", len(store.list_jobs(limit=5000)) - n)
store.close()
"""


def test_a_database_that_cannot_grow_loses_nothing_and_goes_on(tmp_path):
    path = tmp_path / "jobs.db"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("full True")
    assert second == "after 1"
    store = JobStore(path)
    with store._engines.read.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    store.close()


def test_a_database_on_a_full_file_system_loses_nothing(tmp_path):
    store = JobStore(tmp_path / "jobs.db")
    with store._engines.write.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    store._engines.write.dispose()

    @sa.event.listens_for(store._engines.write, "connect")
    def _cap(connection, _record):  # the same SQLITE_FULL as a file system without space
        connection.execute(f"PRAGMA max_page_count={pages + 5}").close()

    titles = iter(range(10_000))

    def fill():
        for title in titles:
            store.submit_job(NewJob(kind=JobKind.CHECK, title=f"{title}" + "x" * 3_000))

    with pytest.raises(sa.exc.OperationalError) as caught:
        fill()
    assert is_disk_full(caught.value)
    assert len(store.list_jobs()) == next(titles) - 1  # all but the one that failed
    store.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DiskFull("Full."), True),
        (OSError(28, "No space left on device"), True),
        (OSError(2, "No such file"), False),
        (ValueError("disk is full"), False),
    ],
)
def test_forms_of_a_full_disk(error, expected):
    assert is_disk_full(error) is expected
