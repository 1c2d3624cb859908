"""Starting trainer processes: a fork server with torch preloaded on CPU, fresh processes with CUDA.

A fork costs 0.03 to 0.1 s instead of 2 s for the import of torch; the fork server never touches CUDA.
"""

import contextlib
import multiprocessing
import os
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from automl.execution.devices import SlotKind
from automl.execution.trainer import TrainerSetup, run_trainer

_ROOT = str(Path(__file__).resolve().parents[2])  # where the package lies, installed or not
WAITING = "OMP_WAIT_POLICY"
PRELOADED = (
    "torch",
    "sklearn.ensemble",
    "lightgbm",
    "automl.execution.trainer",
    "automl.training.run",
)
# the first optimiser of a process imports the compiler of torch, 1.3 s of a core: once, where nobody waits for it
UNHURRIED = (*PRELOADED, "torch._dynamo")


def warm_up(preload: Sequence[str] = PRELOADED) -> None:
    """Start the fork server, which then imports ``preload`` by itself; returns at once, once is enough.

    Call it before work that takes a while (preparing data), and the first trainers start without delay.
    Trainers on GPUs do not come from it.
    """
    multiprocessing.set_forkserver_preload(list(preload))
    with _as_library():
        forkserver.ensure_running()


def start_trainer(
    setup: TrainerSetup, preload: Sequence[str] = PRELOADED
) -> tuple[BaseProcess, Connection]:
    """Start one trainer and give back the process and our end of its pipe.

    Raises
    ------
    RuntimeError
        Outside the main thread: the death signal of a spawned child is tied to the starting thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("Trainers are started from the main thread.")
    if setup.slot.kind is SlotKind.CUDA:
        context: multiprocessing.context.BaseContext = multiprocessing.get_context("spawn")
    else:
        warm_up(preload)
        context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(  # type: ignore[attr-defined]
        target=run_trainer, args=(theirs, setup), name=f"trainer {setup.slot.name}", daemon=True
    )
    with _as_library():
        process.start()
    theirs.close()
    return process, ours


@contextlib.contextmanager
def _as_library() -> Iterator[None]:
    """Start processes that import our package and never the caller's script.

    ``multiprocessing`` has every child import the parent's ``__main__`` again. For a script without an
    ``if __name__ == "__main__"`` guard that would run the whole script anew.

    Threads of OpenMP are told to sleep while they wait: where somebody else needs a core, two spinning threads
    train at a third to a fiftieth of the speed of one.
    """
    main = sys.modules["__main__"]
    path = os.environ.get("PYTHONPATH")
    changed = {"PYTHONPATH": _ROOT if path is None else f"{_ROOT}{os.pathsep}{path}"}
    changed |= {WAITING: os.environ.get(WAITING, "PASSIVE")}
    before = {name: os.environ.get(name) for name in changed}
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ.update(changed)
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
