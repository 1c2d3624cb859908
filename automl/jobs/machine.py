"""Which machine this is and whether a process of it is still the one we knew."""

import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Host name and boot identity; process ids are only comparable where both are equal."""

    host: str
    boot_id: str


@cache
def read_machine() -> Machine:
    """Read which machine this is since its last boot, and this pid namespace of it (containers have their own)."""
    boot = "unknown"
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    namespace = ""
    with contextlib.suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return Machine(host=socket.gethostname(), boot_id=f"{boot} {namespace}".strip())


def read_start_time(pid: int) -> float | None:
    """When process ``pid`` started (clock ticks since boot on Linux), None when it is gone or a zombie.

    Ticks do not move when somebody sets the clock; a pair (pid, start time) never comes again.
    """
    if sys.platform != "linux":
        return _read_start_time_portably(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the command may hold spaces and brackets
    return None if fields[0] in "ZX" else float(fields[19])


def _read_start_time_portably(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        started = float(process.create_time())
        return None if process.status() == psutil.STATUS_ZOMBIE else started
    except psutil.Error:
        return None


def is_alive(pid: int, start_time: float) -> bool:
    """Whether exactly this process still runs."""
    return read_start_time(pid) == start_time


def kill_group(pid: int, start_time: float) -> bool:
    """SIGKILL the group led by exactly this process; False when it is gone. Never by name."""
    if not is_alive(pid, start_time):
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if (
            os.getpgid(pid) == pid
        ):  # children lead their own session; else kill the one process only
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    return True
