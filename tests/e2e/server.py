"""The real product for the browser tests: web and worker started as a person starts them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.conftest import ROOT


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A running product: its address, its workspace and the supervising process."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]

    def children(self, *words: str) -> list[psutil.Process]:
        """Processes below the supervisor whose command line holds every one of ``words``."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                line = " ".join(process.cmdline())
                if all(word in line for word in words):
                    found.append(process)
        return found

    def worker(self) -> psutil.Process:
        """The worker process itself (not one of its children)."""
        return min(self.children("automl", "worker"), key=lambda process: process.create_time())

    def web(self) -> psutil.Process:
        """The web process."""
        return min(self.children("app.serve"), key=lambda process: process.create_time())


def find_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(condition: object, *, seconds: float, what: str) -> None:
    """Poll ``condition`` until it is true; fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}")


@contextlib.contextmanager
def run_server(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start ``python -m app`` on a free port and end it with Ctrl-C; nothing may be left behind."""
    port = find_port()
    environment = {**os.environ, "FAIRLOOM_HOME": str(home), **(settings or {})}
    log = home.parent / f"{home.name}-app.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(
            lambda: is_healthy(url) or process.poll() is not None, seconds=60, what="the app"
        )
        assert process.poll() is None, log.read_text()
        yield Server(url=url, home=home, process=process)
    finally:
        family = (
            psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        )
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
        _, alive = psutil.wait_procs(family, timeout=10)
        for orphan in alive:
            orphan.kill()
        print(log.read_text()[-4000:])
    assert not alive, f"left behind: {alive}"
