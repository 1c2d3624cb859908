"""One search by the shell's own command, watched from outside: result, score over time, peak memory."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.jobs.records import JobKind, Trial, TrialState
from automl.jobs.store import JobStore
from automl.models.catalog import FAMILIES
from automl.search.ledger import BASELINE, SEARCH
from automl.settings import Settings
from benchmarks.memory import MemoryWatch
from tests.conftest import ROOT

BUDGET_SHARE, BUDGET_SECONDS = 0.05, 10.0  # by how much a time budget may be overrun


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What came of a search; ``result`` is ``result.json``, empty where it failed, which ``failure`` tells.

    ``seconds`` are those of the whole command, start of Python and reading of the file included, ``cpu_seconds`` those of
    all its processes together. ``curve`` has a point
    for every model that was the best so far: seconds since the claim, select score (higher is better), and whether it is
    a network; ``networks`` the same of networks only.
    """

    result: dict[str, Any]
    failure: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    peak_anonymous_bytes: int
    curve: tuple[dict[str, Any], ...] = ()
    networks: tuple[dict[str, Any], ...] = ()


def watch_search(arguments: Sequence[str], home: Path, out: Path) -> Watched:
    """Run ``python -m automl search`` in a workspace of its own and look at it."""
    command = [sys.executable, "-m", "automl", "search", *arguments, "--out", str(out)]
    started, cpu = time.perf_counter(), read_cpu_seconds()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "FAIRLOOM_HOME": str(home)},
            stdout=subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip
        memory = MemoryWatch(process.pid).start()
        try:
            process.wait()
        finally:
            process.kill()
            memory.stop()
        seconds, cpu = time.perf_counter() - started, read_cpu_seconds() - cpu
        errors.seek(0)
        failure = errors.read().strip()[-300:] if process.returncode else ""
    started_at, trials = read_search(home)
    return Watched(
        result={} if failure else json.loads((out / "result.json").read_text()),
        failure=failure,
        seconds=seconds,
        cpu_seconds=cpu,
        peak_bytes=memory.total_bytes,
        peak_anonymous_bytes=memory.anonymous_bytes,
        curve=build_curve(started_at, trials),
        networks=build_curve(
            started_at, [each for each in trials if FAMILIES[each.family].is_network]
        ),
    )


def read_cpu_seconds() -> float:
    """CPU seconds of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read_search(home: Path) -> tuple[float, list[Trial]]:
    """When the only search of a workspace was claimed, and its trials; none where it never began."""
    store = JobStore(Settings(home=home).workspace.database)
    try:
        jobs = store.list_jobs(kinds=[JobKind.SEARCH])
        if not jobs or jobs[0].started_at is None:
            return 0.0, []
        return jobs[0].started_at, store.list_trials(jobs[0].id)
    finally:
        store.close()


def build_curve(started_at: float, trials: Sequence[Trial]) -> tuple[dict[str, Any], ...]:
    """Every finished model that was better than all before it; what was ended early is none."""
    points, best = [], float("-inf")
    for trial in sorted(trials, key=lambda each: each.finished_at or 0.0):
        is_model = trial.stage in (BASELINE, SEARCH) and trial.state is TrialState.COMPLETE
        if not is_model or trial.score is None or trial.finished_at is None or trial.score <= best:
            continue
        best = trial.score
        points.append(
            {
                "seconds": round(trial.finished_at - started_at, 2),
                "score": best,
                "family": trial.family,
                "is_network": FAMILIES[trial.family].is_network,
            }
        )
    return tuple(points)


def is_budget_kept(seconds: float, budget: float) -> bool:
    """5 % and 10 s may be overrun."""
    return seconds <= (1 + BUDGET_SHARE) * budget + BUDGET_SECONDS


def find_reached(curve: Sequence[dict[str, Any]], score: float) -> float | None:
    """Seconds until a curve first reaches a score; None where it never does."""
    return next((point["seconds"] for point in curve if point["score"] >= score), None)
