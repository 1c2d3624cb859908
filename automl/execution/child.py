"""One function in a limited child process: untrusted files are parsed here, never in a server.

The child has its own session, folder, environment and limits. It is asked in JSON and answers in JSON
lines over a pipe of its own; what libraries print goes to ``child.log`` in its folder. Errors that a
person can mend arrive as themselves; a crash or a kill becomes a readable ``DataError``.
"""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from automl.errors import DataError, DiskFull
from automl.execution.lifeline import build_environment
from automl.execution.resolve import resolve
from fairness.errors import FairloomError

_ROOT = str(Path(__file__).resolve().parents[2])  # where the package lies, installed or not


class ChildBug(Exception):
    """The function raised something that is not a ``FairloomError``; ``trace`` is its traceback."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a child may use; None is no limit. ``memory_bytes`` is address space."""

    timeout_seconds: float
    memory_bytes: int | None = None
    cpu_seconds: int | None = None
    file_bytes: int | None = None
    open_files: int | None = 1_024


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildRequest:
    """``function`` is ``module:name`` of ``f(arguments, report) -> Mapping``; all of it JSON.

    ``report(fraction, words)`` sends progress. ``folder`` is created; it is the child's working and
    temporary folder and stays the caller's to remove.
    """

    function: str
    arguments: Mapping[str, Any]
    folder: Path
    limits: Limits


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a child is: ``fraction`` 0..1 and a few words."""

    fraction: float
    words: str


@dataclass(slots=True)
class Child:
    """A running child; ``poll`` never blocks. Start it from the main thread."""

    request: ChildRequest
    process: subprocess.Popen[bytes]
    _pipe: int
    _deadline: float
    _rest: bytes = b""
    _end: dict[str, Any] | None = None
    _was_killed: str = ""
    is_done: bool = field(default=False, init=False)

    @classmethod
    def start(cls, request: ChildRequest) -> "Child":
        """Start the process; it runs on its own from here."""
        request.folder.mkdir(parents=True, exist_ok=True)
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        environment = build_environment() | {"TMPDIR": str(request.folder), "PYTHONPATH": _ROOT}
        environment |= {"MALLOC_ARENA_MAX": "2", "PYTHONIOENCODING": "utf-8"}
        environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve each other
        with (request.folder / "child.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "automl.execution.child_main"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=request.folder,
                env=environment,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        os.close(theirs)
        first = {
            "function": request.function,
            "arguments": dict(request.arguments),
            "limits": asdict(request.limits),
            "report_fd": theirs,
        }
        assert process.stdin is not None  # noqa: S101 (a pipe was asked for)
        with contextlib.suppress(BrokenPipeError):  # it died already: poll says how
            process.stdin.write(json.dumps(first).encode() + b"\n")
            process.stdin.flush()
        deadline = time.monotonic() + request.limits.timeout_seconds
        return cls(request=request, process=process, _pipe=ours, _deadline=deadline)

    def poll(self) -> list[Progress]:
        """Progress since the last call; ends the child when its time is over."""
        if self.is_done:
            return []
        has_ended = self.process.poll() is not None
        progress = self._read()
        if has_ended or self._end is not None:
            self._close()
        elif time.monotonic() > self._deadline:
            self.kill("timeout")
        return progress

    def _read(self) -> list[Progress]:
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._pipe, 65_536):
                self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        progress = []
        for line in lines:
            frame = json.loads(line)
            if frame["frame"] == "progress":
                progress.append(Progress(fraction=frame["fraction"], words=frame["words"]))
            else:
                self._end = frame
        return progress

    def kill(self, reason: str = "killed") -> None:
        """End the whole group now; ``result`` then raises."""
        if not self.is_done:
            self._was_killed = reason
            self._close()

    def _close(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # whatever the function started goes too
        self.process.wait()
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        os.close(self._pipe)
        self.is_done = True

    @property
    def result(self) -> dict[str, Any]:
        """What the function returned, or its error.

        Raises
        ------
        FairloomError
            As raised in the child; ``DataError`` for a crash, a kill or a limit; ``DiskFull``.
        ChildBug
            For any other exception.
        RuntimeError
            While the child still runs.
        """
        if not self.is_done:
            raise RuntimeError("The child is still running.")
        frame = self._end
        if frame is not None and frame["frame"] == "result" and not self._was_killed:
            return dict(frame["result"])
        raise self._build_error(frame)

    def _build_error(self, frame: dict[str, Any] | None) -> Exception:
        limits = self.request.limits
        if self._was_killed == "timeout":
            return DataError(
                f"It took longer than {limits.timeout_seconds:g} s and was ended.",
                hint="Use a smaller file, or raise the limit in the settings.",
            )
        if self._was_killed:
            return DataError("It was ended before it was done.", hint="Start it again.")
        if frame is None:
            return self._describe_exit()
        match frame["frame"]:
            case "error":
                return _rebuild(frame)
            case "out_of_memory":
                return self._describe_memory()
            case "os_error":
                return self._describe_os_error(frame)
            case _:
                return ChildBug(frame.get("message", ""), frame.get("trace", ""))

    def _describe_exit(self) -> Exception:
        code = self.process.returncode
        if code == -signal.SIGKILL:
            return self._describe_memory()
        if code == -signal.SIGXCPU:
            return DataError(
                f"It used more than {self.request.limits.cpu_seconds} s of processor time.",
                hint="Use a smaller file.",
            )
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
        return DataError(
            f"The process that was reading it ended without a result ({how}).",
            hint="The file may be damaged. Save it again in another format and try once more.",
        )

    def _describe_memory(self) -> DataError:
        limit = self.request.limits.memory_bytes
        allowed = "this machine has" if limit is None else f"{limit / 1e9:.1f} GB, the limit"
        return DataError(
            f"It needed more memory than {allowed}.",
            hint="Use a smaller file or fewer columns, or raise the limit in the settings.",
        )

    def _describe_os_error(self, frame: Mapping[str, Any]) -> Exception:
        if frame["errno"] == errno.ENOSPC:
            return DiskFull(
                "The disk is full.", hint="Delete searches or data sets you no longer need."
            )
        if frame["errno"] == errno.ENOMEM:
            return self._describe_memory()
        if frame["errno"] == errno.EFBIG:
            return DataError(
                "It would write a larger file than is allowed.", hint="Use a smaller file."
            )
        return DataError(f"A file could not be used: {frame['message']}.", hint="Try it again.")


def _rebuild(frame: Mapping[str, Any]) -> FairloomError:
    """The child's own error class; one that this process does not know becomes a ``DataError``."""
    kind: Any = DataError
    with contextlib.suppress(ValueError, ImportError, AttributeError):
        found = resolve(frame["class"])
        if isinstance(found, type) and issubclass(found, FairloomError):
            kind = found
    error: FairloomError = kind(frame["message"], hint=frame["hint"])
    return error


def run_child(
    request: ChildRequest, on_progress: Callable[[Progress], None] | None = None
) -> Generator[None, None, dict[str, Any]]:
    """Run a child from a cooperative handler: ``result = yield from run_child(request)``.

    Closing the generator kills the child.
    """
    child = Child.start(request)
    try:
        while not child.is_done:
            for progress in child.poll():
                if on_progress is not None:
                    on_progress(progress)
            if not child.is_done:
                yield
    finally:
        child.kill()
    return child.result
