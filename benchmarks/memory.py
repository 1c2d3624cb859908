"""Memory of a process and all that it started, together, as the system counts it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

EVERY_SECONDS = 0.2
COUNTED = ("Pss", "Pss_Anon")


@dataclass(slots=True)
class MemoryWatch:
    """Reads a process tree every fifth of a second until ``stop``.

    ``total_bytes`` is the peak of the sum of ``Pss``: a page that several processes share counts once, files that are
    mapped count too. ``anonymous_bytes`` leaves those files out. Both stay 0 where the system does not tell them.
    """

    pid: int
    total_bytes: int = field(default=0, init=False)
    anonymous_bytes: int = field(default=0, init=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> "MemoryWatch":
        """Begin to look, in a thread of its own."""
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        while True:
            total, anonymous = read_tree(self.pid)
            self.total_bytes = max(self.total_bytes, total)
            self.anonymous_bytes = max(self.anonymous_bytes, anonymous)
            if self._ended.wait(EVERY_SECONDS):
                return


def read_tree(pid: int) -> tuple[int, int]:
    """Bytes of a process and its descendants now: all, and anonymous ones."""
    try:
        root = psutil.Process(pid)
        pids = [pid, *(child.pid for child in root.children(recursive=True))]
    except psutil.Error:
        return 0, 0
    rows = [read_process(each) for each in pids]
    return sum(row[0] for row in rows), sum(row[1] for row in rows)


def read_process(pid: int) -> tuple[int, int]:
    """Proportional bytes of one process, all and anonymous; nothing where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    total, anonymous = (int(values.get(name, 0)) * 1024 for name in COUNTED)
    return total, anonymous
