"""Keeps two children alive, the web process and the worker, each on its own.

A child that ends is started again within 5 s; one that keeps ending waits longer each time, up to the
limit, and a child that has run for a minute is trusted anew.
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

logger = logging.getLogger("fairloom.supervisor")

FIRST_DELAY = 0.5
LAST_DELAY = 5.0
TRUST_SECONDS = 60.0
STOP_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Service:
    """One child process: its command and what became of it."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    delay: float = FIRST_DELAY
    due_at: float = field(default=0.0)

    def tend(self, now: float) -> None:
        """Start the child when it is due, and note when it has ended."""
        if self.process is None:
            if now >= self.due_at:
                self._start(now)
            return
        code = self.process.poll()
        if code is None:
            return
        if now - self.started_at > TRUST_SECONDS:
            self.delay = FIRST_DELAY
        logger.warning(
            "%s ended with status %s; starting again in %.1f s", self.name, code, self.delay
        )
        self.process = None
        self.due_at = now + self.delay
        self.delay = min(self.delay * 2, LAST_DELAY)

    def _start(self, now: float) -> None:
        # an own session, so that Ctrl-C in the terminal reaches us alone and we end the children in order
        self.process = subprocess.Popen(
            list(self.command),
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 (we have no threads)
        )
        self.started_at = now

    def ask_to_end(self) -> None:
        """Send SIGTERM; the worker gives its job back, the web process closes its connections."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait until the deadline, then kill the child and what it started."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("%s did not end in time and is killed", self.name)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _end_with_parent() -> None:
    """In the child: be asked to end when the supervisor is gone, however it went (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Runs services until SIGINT or SIGTERM, then stops them all.

    ``announce`` is asked in every round until it says True: it tells the person that all is up.
    """

    def __init__(
        self, services: Sequence[Service], announce: Callable[[], bool] = lambda: True
    ) -> None:
        self._services = tuple(services)
        self._announce = announce
        self._is_stopping = False

    def run(self) -> None:
        """Block until asked to stop; children are gone when this returns."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        is_announced = False
        try:
            while not self._is_stopping:
                now = time.monotonic()
                for service in self._services:
                    service.tend(now)
                is_announced = is_announced or self._announce()
                time.sleep(0.2)
        finally:
            self._stop()

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _stop(self) -> None:
        for service in self._services:
            service.ask_to_end()
        deadline = time.monotonic() + STOP_SECONDS
        for service in self._services:
            service.end(deadline)
