"""The inside of a limited child process; started by ``child.Child``, never by hand.

Reads one JSON line from standard input (what to run, under which limits), writes JSON lines to the
descriptor it is told, and ends itself when its parent closes standard input.
"""

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from automl.execution.lifeline import bind_to_parent, watch
from automl.execution.resolve import resolve


def main() -> None:
    """Run one function and report how it ended."""
    bind_to_parent()
    request = json.loads(sys.stdin.readline())
    report = os.fdopen(int(request["report_fd"]), "w", buffering=1, encoding="utf-8")
    watch(lambda: _wait_for_eof(0))

    def send(**frame: Any) -> None:
        report.write(json.dumps(frame, allow_nan=False) + "\n")

    try:
        _set_limits(request["limits"])
        function: Callable[..., Mapping[str, Any]] = resolve(request["function"])
        result = function(
            request["arguments"],
            lambda fraction, words: send(frame="progress", fraction=fraction, words=words),
        )
        send(frame="result", result=dict(result))
    except BaseException as error:  # noqa: BLE001 (everything is carried over to the parent)
        send(**_describe(error))
    finally:
        report.flush()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # no thread or atexit hook of a library may hold us back


def _wait_for_eof(descriptor: int) -> None:
    while os.read(descriptor, 4096):
        pass


def _set_limits(limits: Mapping[str, int | None]) -> None:
    kinds = {
        "memory_bytes": resource.RLIMIT_AS,
        "cpu_seconds": resource.RLIMIT_CPU,
        "file_bytes": resource.RLIMIT_FSIZE,
        "open_files": resource.RLIMIT_NOFILE,
    }
    for name, kind in kinds.items():
        value = limits.get(name)
        if value is not None:
            _, hard = resource.getrlimit(kind)
            allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _describe(error: BaseException) -> dict[str, Any]:
    from fairness.errors import FairloomError

    if isinstance(error, FairloomError):
        name = f"{type(error).__module__}:{type(error).__qualname__}"
        return {"frame": "error", "class": name, "message": error.message, "hint": error.hint}
    if isinstance(error, MemoryError) or "std::bad_alloc" in str(error):
        return {"frame": "out_of_memory"}
    if type(error).__name__ == "ArrowMemoryError":
        return {"frame": "out_of_memory"}
    if isinstance(error, OSError) and error.errno is not None:
        name = os.strerror(error.errno)
        return {"frame": "os_error", "errno": error.errno, "message": name}
    lines = traceback.format_exception(error)
    return {"frame": "bug", "message": f"{type(error).__name__}: {error}", "trace": "".join(lines)}


if __name__ == "__main__":
    main()
