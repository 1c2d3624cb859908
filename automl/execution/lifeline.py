"""What every child process does first, so that it never outlives the one that started it."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_OOM_SCORE = 500  # the kernel ends a trainer before the worker, the web process or the database
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_KEPT_PREFIXES = ("OMP_", "MKL_", "CUDA_", "NVIDIA_", "PYTHON", "TORCH", "PYTORCH_", "MALLOC_")


def build_environment() -> dict[str, str]:
    """The allow-list of variables a child may see: no settings, no secrets, no proxies."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }


def bind_to_parent() -> None:
    """Have the kernel kill this process when its parent ends (Linux), and be its preferred OOM victim.

    The signal is tied to the *thread* that started us, hence children are started from the main
    thread; under a fork server the parent is the fork server, which ends with the worker.
    """
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended between our start and the call
            os.kill(os.getpid(), signal.SIGKILL)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")


def end_group() -> None:
    """Kill this process and everything it started (it leads its own group)."""
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def watch(wait_for_end: Callable[[], None], name: str = "lifeline") -> threading.Thread:
    """Run ``wait_for_end`` in a thread; when it returns the other side is gone, and so are we.

    The second belt beside the death signal: it also works outside Linux and when the parent is frozen
    and replaced.
    """

    def run() -> None:
        with contextlib.suppress(OSError, EOFError):
            wait_for_end()
        end_group()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
