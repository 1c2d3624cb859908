"""The job store: the tables and their only writer."""

import time
from collections.abc import Callable
from pathlib import Path

from automl.jobs.engine import (
    build_engines,
    migrate,
    open_alone,
    require_local_file_system,
)
from automl.jobs.leases import JobLeases
from automl.jobs.queries import JobQueries
from automl.jobs.requests import JobRequests
from automl.jobs.upkeep import JobUpkeep


class JobStore(JobQueries, JobRequests, JobLeases, JobUpkeep):
    """Durable jobs in one SQLite file; opened by every process for itself, safe from many threads.

    The file and its folder are created and migrated when needed. ``clock`` gives UTC epoch seconds.

    Raises
    ------
    SettingsError
        When the folder lies on a network file system, or a newer release wrote the file.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        require_local_file_system(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().__init__(build_engines(path), clock)
        with open_alone(path):
            migrate(self._engines.write)

    def close(self) -> None:
        """Close every connection."""
        self._engines.dispose()
