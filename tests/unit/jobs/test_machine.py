import os
import signal
import subprocess
import sys
import time

from automl.jobs.machine import is_alive, kill_group, read_machine, read_start_time


def start(**options) -> subprocess.Popen:
    code = "print(1, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )
    process.stdout.read(1)
    return process


def test_a_process_is_known_by_its_start_time():
    process = start()
    started = read_start_time(process.pid)
    assert is_alive(process.pid, started)
    assert not is_alive(process.pid, started + 1)
    process.kill()
    time.sleep(0.05)
    assert read_start_time(process.pid) is None  # a zombie is dead
    process.communicate()
    assert read_start_time(process.pid) is None


def test_this_process_and_machine():
    assert is_alive(os.getpid(), read_start_time(os.getpid()))
    assert read_machine() == read_machine()
    assert read_machine().host


def test_only_the_very_process_is_killed():
    process = start(start_new_session=True)
    started = read_start_time(process.pid)
    assert not kill_group(process.pid, started + 1)
    assert process.poll() is None
    assert kill_group(process.pid, started)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not kill_group(process.pid, started)


def test_a_process_in_our_own_group_is_killed_alone():
    process = start()
    assert kill_group(process.pid, read_start_time(process.pid))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
