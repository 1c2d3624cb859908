"""What is read off a search from outside: memory of all its processes, best score over time, its failure."""

import subprocess
import sys
import time

import pytest

from automl.jobs.records import Trial, TrialState
from automl.search.ledger import BASELINE, REFIT, SEARCH
from benchmarks.memory import MemoryWatch
from benchmarks.watched_search import build_curve, find_reached, is_budget_kept, watch_search

CHILD = "held = bytearray(b'x' * 60_000_000); print('ready', flush=True); input()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell proportional memory")
def test_the_memory_of_a_child_of_a_child_is_counted():
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    memory = MemoryWatch(process.pid)
    assert process.stdout.readline() == "ready\n"
    memory.start()
    while not memory.total_bytes:
        time.sleep(0.01)
    process.communicate("\n")
    memory.stop()
    assert 60_000_000 < memory.anonymous_bytes <= memory.total_bytes < 300_000_000


def _build_trial(number, family, score, at, stage=SEARCH, state=TrialState.COMPLETE):
    return Trial(
        number=number, family=family, config={}, state=state, stage=stage, seed=0, score=score,
        finished_at=at,
    )  # fmt: skip


def test_a_curve_has_the_finished_models_that_were_the_best_so_far():
    trials = [
        _build_trial(3, "mlp", 0.9, 130.0),
        _build_trial(0, "lightgbm", 0.8, 101.5, BASELINE),
        _build_trial(1, "mlp", 0.7, 110.0),
        _build_trial(2, "mlp", 0.99, 112.0, state=TrialState.PRUNED),
        _build_trial(4, "mlp", 0.95, 140.0, REFIT),
    ]
    curve = build_curve(100.0, trials)
    assert [(p["seconds"], p["score"], p["is_network"]) for p in curve] == [
        (1.5, 0.8, False), (30.0, 0.9, True),
    ]  # fmt: skip
    assert find_reached(curve, 0.8) == 1.5
    assert find_reached(curve, 0.81) == 30.0
    assert find_reached(curve, 0.91) is None
    assert build_curve(0.0, []) == ()


def test_a_budget_may_be_overrun_by_five_percent_and_ten_seconds():
    assert is_budget_kept(325, 300)
    assert not is_budget_kept(325.1, 300)


def test_a_search_that_fails_says_why(tmp_path):
    arguments = [str(tmp_path / "nothing.csv"), "--target", "y"]
    watched = watch_search(arguments, tmp_path / "home", tmp_path / "out")
    assert "nothing.csv" in watched.failure
    assert watched.result == {}
    assert watched.curve == ()
    assert watched.cpu_seconds > 0
