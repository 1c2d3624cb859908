"""What the suites of the job store share."""

import subprocess
import sys

from automl.jobs.machine import read_machine
from automl.jobs.records import JobKind, NewJob, Trial, TrialState, WorkerRow
from automl.jobs.store import JobStore

ALL = list(JobKind)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def build_new(**changes) -> NewJob:
    return NewJob(**{"kind": JobKind.SEARCH, "title": "Search of adult", **changes})


def build_trial(number: int, **changes) -> Trial:
    values = {
        "number": number,
        "family": "mlp",
        "config": {"depth": 3, "dropout": 0.1, "norm": "none", "residual": True},
        "state": TrialState.COMPLETE,
        "stage": "search",
        "seed": 4,
        "score": 0.9,
        "optuna": {"params": {"mlp.depth": 3}, "intermediate": {"1": 0.5}},
    }
    return Trial(**{**values, **changes})


def dead_worker(store: JobStore, worker_id: str) -> None:
    """Register a worker whose process has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    row = WorkerRow(
        id=worker_id,
        host=read_machine().host,
        pid=process.pid,
        version="0",
        slots=(),
        heartbeat_at=store._clock(),
    )
    store.register_worker(row)
    process.kill()
    process.communicate()
