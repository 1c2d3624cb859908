import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import automl
from automl.errors import BundleError, DataError
from automl.execution.child import Child, ChildBug, ChildRequest, Limits, run_child

MODULE = "tests.unit.execution.planted_child"
ROOT = Path(automl.__file__).parents[1]


def start(tmp_path, function, arguments=None, **limits) -> Child:
    request = ChildRequest(
        function=f"{MODULE}:{function}",
        arguments=arguments or {},
        folder=tmp_path / "child",
        limits=Limits(**{"timeout_seconds": 30.0, **limits}),
    )
    return Child.start(request)


def finish(child: Child) -> list:
    frames = []
    while not child.is_done:
        frames += child.poll()
        time.sleep(0.01)
    return frames


def fail(child: Child) -> Exception:
    finish(child)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        _ = child.result
    return caught.value


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while is_running(pid):
        assert time.monotonic() < deadline, f"{pid} still runs"
        time.sleep(0.02)


def test_a_function_runs_elsewhere_and_answers(tmp_path):
    child = start(tmp_path, "add", {"a": 2, "b": 3})
    with pytest.raises(RuntimeError, match="running"):
        _ = child.result
    frames = finish(child)
    assert [(frame.fraction, frame.words) for frame in frames] == [(0.5, "Half way"), (1.0, "Done")]
    assert child.result["sum"] == 5
    assert child.result["cwd"] == str(tmp_path / "child")
    assert child.result["pid"] != os.getpid()
    assert child.poll() == []


def test_the_environment_is_an_allow_list(tmp_path, monkeypatch):
    monkeypatch.setenv("FAIRLOOM_SECRET", "canary")
    monkeypatch.setenv("MY_TOKEN", "canary")
    child = start(tmp_path, "show_environment")
    finish(child)
    assert "canary" not in child.result.values()
    assert child.result["TMPDIR"] == str(tmp_path / "child")


def test_an_error_in_words_arrives_as_itself(tmp_path):
    error = fail(start(tmp_path, "fail_in_words"))
    assert type(error) is BundleError
    assert (error.message, error.hint) == ("The bundle has no member 'x'.", "Make it again.")


def test_a_bug_brings_its_traceback(tmp_path):
    error = fail(start(tmp_path, "fail_by_bug"))
    assert type(error) is ChildBug
    assert "ZeroDivisionError" in str(error)
    assert "planted_child.py" in error.trace


def test_memory_over_the_limit_is_a_data_error(tmp_path):
    error = fail(start(tmp_path, "eat_memory", memory_bytes=800_000_000))
    assert type(error) is DataError
    assert "0.8 GB" in error.message
    assert error.hint


def test_a_file_over_the_limit_is_a_data_error(tmp_path):
    error = fail(start(tmp_path, "write_much", file_bytes=5_000_000))
    assert type(error) is DataError
    assert "larger file" in error.message


def test_processor_time_is_limited(tmp_path):
    error = fail(start(tmp_path, "spin", cpu_seconds=1))
    assert type(error) is DataError
    assert "memory" in error.message or "processor time" in error.message


def test_time_is_limited_and_the_whole_group_ends(tmp_path):
    child = start(tmp_path, "sleep_with_grandchild", timeout_seconds=2.0)
    grandchild = int(finish(child)[0].words)
    with pytest.raises(DataError, match="longer than 2 s"):
        _ = child.result
    wait_until_gone(grandchild)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT"])
def test_a_crash_is_a_data_error_that_names_it(tmp_path, name):
    error = fail(start(tmp_path, "crash", {"signal": name}))
    assert type(error) is DataError
    assert name in error.message


def test_a_kill_from_outside_reads_as_memory(tmp_path):
    error = fail(start(tmp_path, "crash", {"signal": "SIGKILL"}))
    assert "memory" in error.message


def test_an_end_without_a_result_is_a_data_error(tmp_path):
    error = fail(start(tmp_path, "vanish"))
    assert "status 9" in error.message


def test_chatter_does_not_disturb_the_answer(tmp_path):
    child = start(tmp_path, "talk")
    finish(child)
    assert child.result == {"ok": True}


def test_a_generator_that_is_closed_kills_its_child(tmp_path):
    seen = []
    request = ChildRequest(
        function=f"{MODULE}:sleep_with_grandchild",
        arguments={},
        folder=tmp_path / "child",
        limits=Limits(timeout_seconds=60),
    )
    steps = run_child(request, seen.append)
    while not seen:
        next(steps)
    steps.close()
    wait_until_gone(int(seen[0].words))


PARENT = """
import sys, time
from pathlib import Path
from automl.execution.child import Child, ChildRequest, Limits
child = Child.start(ChildRequest(function="tests.unit.execution.planted_child:sleep_with_grandchild",
    arguments={}, folder=Path(sys.argv[1]), limits=Limits(timeout_seconds=60)))
while not child.poll():
    time.sleep(0.01)
print(child.process.pid, flush=True)
time.sleep(60)
"""


def test_a_child_ends_with_its_parent(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    wait_until_gone(pid)
