"""Two children, each on its own: what ends is started again, and a stop stops all."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from app.__main__ import main, require_free_port
from app.errors import StartError
from app.supervisor import FIRST_DELAY, LAST_DELAY, Service, Supervisor

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


def end(service: Service) -> None:
    if service.process is not None:
        service.process.kill()
        service.process.wait()


def wait_for_end(service: Service) -> None:
    assert service.process is not None
    service.process.wait(10)


def test_a_child_that_ends_is_due_again_after_a_growing_pause() -> None:
    service = Service(name="x", command=(sys.executable, "-c", "raise SystemExit(3)"))
    now, delays = 100.0, []
    for _ in range(6):
        service.tend(now)
        wait_for_end(service)
        service.tend(now)
        assert service.process is None
        delays.append(service.due_at - now)
        service.tend(service.due_at - 0.01)
        assert service.process is None
        now = service.due_at
    assert delays[0] == FIRST_DELAY
    assert delays == sorted(delays)
    assert max(delays) <= LAST_DELAY <= 5.0


def test_a_child_that_ran_long_is_trusted_anew() -> None:
    service = Service(name="x", command=(sys.executable, "-c", ""), delay=LAST_DELAY)
    service.tend(0.0)
    wait_for_end(service)
    service.tend(1000.0)
    assert service.due_at == 1000.0 + FIRST_DELAY


def test_one_child_ending_leaves_the_other_alone() -> None:
    web, worker = Service(name="web", command=SLEEP), Service(name="worker", command=SLEEP)
    try:
        for service in (web, worker):
            service.tend(0.0)
        assert web.process is not None
        assert worker.process is not None
        other = worker.process.pid
        web.process.kill()
        wait_for_end(web)
        for now in (1.0, 1.0 + FIRST_DELAY):
            for service in (web, worker):
                service.tend(now)
        assert worker.process.pid == other
        assert web.process is not None
        assert web.process.poll() is None
    finally:
        end(web)
        end(worker)


def test_a_stop_ends_both_children(monkeypatch: pytest.MonkeyPatch) -> None:
    services = [Service(name=name, command=SLEEP) for name in ("web", "worker")]
    pids: list[int] = []

    def stop_soon() -> None:
        while not all(service.process for service in services):
            time.sleep(0.02)
        pids.extend(service.process.pid for service in services if service.process)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=stop_soon)
    try:
        thread.start()
        Supervisor(services).run()
    finally:
        thread.join()
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_port_in_use_is_named_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=str(port)):
            require_free_port(port)
        assert main(["--port", str(port)]) == 2
    assert f"--port {port + 1}" in capsys.readouterr().err


PAGES = ("data", "search", "results", "audit", "models", "system")
SCRIPT = """
import sys, time
sys.path.insert(0, "app")  # as Streamlit does
from streamlit.testing.v1 import AppTest
from app import services
services.prepare_workspace()
started = time.perf_counter()
at = AppTest.from_file("app/main.py", default_timeout=30).run()
print("seconds", time.perf_counter() - started)
for page in PAGES:
    at.switch_page(f"../pages/{page}.py").run()
    assert not at.exception, (page, at.exception)
bad = {"torch", "optuna", "sklearn", "main", "session", "services", "wording"} & set(sys.modules)
print("bad", sorted(bad))
"""


def test_no_page_imports_torch_optuna_or_scikit_learn_and_no_file_has_two_names() -> None:
    script = SCRIPT.replace("PAGES", repr(PAGES))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "bad []" in done.stdout, done.stdout
