"""Tiny trainings with planted faults, resolved by name inside trainer processes."""

import ctypes
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from automl.data.task import Task, TaskType
from automl.errors import DataError, TrainingDiverged
from automl.execution.messages import Train, TrainPack
from automl.execution.trainer import Functions
from automl.training.epoch import Epoch, Screen, Verb

HERE = "tests.unit.execution.planted"
FUNCTIONS = Functions(
    train=f"{HERE}:train",
    load=f"{HERE}:load",
    request=f"{HERE}:Request",
    screen=f"{HERE}:screen",
    measure=f"{HERE}:measure",
    train_pack=f"{HERE}:train_pack",
    pack_request=f"{HERE}:PackRequest",
    pack_answer=f"{HERE}:PackAnswer",
    measure_gains=f"{HERE}:measure_gains",
)
PRELOAD = ("automl.execution.trainer",)  # nothing here needs torch, and its import takes seconds
TASK_JSON = (
    '{"target": "y", "type": "binary", "metric": "roc_auc", "classes": ["a", "b"], "positive": "b"}'
)
TASK = Task(target="y", type=TaskType.BINARY, metric="roc_auc", classes=("a", "b"), positive="b")


@dataclass(frozen=True, kw_only=True)
class Request:
    family: str
    config: dict
    seed: int
    batch_size: int
    max_epochs: int
    is_refit: bool
    deadline: float | None
    device: str
    threads: int


@dataclass(frozen=True)
class FakeTrained:
    score: float | None
    n_epochs: int
    best_epoch: int
    was_pruned: bool
    metrics: dict = field(default_factory=dict)
    n_parameters: int = 7
    fit_seconds: float = 0.01
    predict_seconds: float = 0.001
    peak_memory_bytes: int = 1000
    warnings: tuple = ()
    select_prediction: np.ndarray = field(default_factory=lambda: np.zeros((3, 2)))
    late_fault: str = ""

    def save(self, folder: Path) -> None:
        (folder / "model.json").write_text("{}")


@dataclass(frozen=True, kw_only=True)
class PackRequest:
    members: dict[int, Request]


@dataclass(frozen=True, kw_only=True)
class PackAnswer:
    verbs: dict[int, Verb]
    joins: dict[int, Request]


@dataclass(frozen=True, kw_only=True)
class PackEpoch:
    epochs: dict[int, Epoch]
    ended: dict[int, FakeTrained | Exception]


def load(folder: Path) -> str:
    marker = folder / "kill-loading"
    if marker.exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if not (folder / "data").exists():
        raise DataError(f"There is no prepared data in {folder.name!r}.", hint="Prepare it again.")
    return (folder / "data").read_text()


def measure(prepared: str, trained: "FakeTrained") -> dict[str, float]:
    assert prepared == "rows"
    FAULTS.get(trained.late_fault, lambda: None)()
    return {"parameters": float(trained.n_parameters), "latency_ms": 1.5}


def train(prepared: str, task: Task, request: Request):
    assert prepared == "rows"
    assert task == TASK
    fault = request.config.get("fault", "")
    plant(fault, request)
    verb = None
    seconds = float(request.config.get("seconds", 0.0))
    n_epochs = 0
    for number in range(1, request.max_epochs + 1):
        time.sleep(seconds)
        if request.deadline is not None and time.monotonic() > request.deadline:
            break
        if fault == "late" and number == 2:
            os._exit(7)
        loss = float("nan") if fault == "nan" else 1 / number
        n_epochs = number
        verb = yield Epoch(
            number=number,
            train_loss=loss,
            select_loss=loss,
            score=number / 100,
            learning_rate=0.1,
            seconds=seconds,
            is_best=True,
        )
        if verb in (Verb.PRUNE, Verb.STOP):
            break
    return FakeTrained(
        score=request.config.get("score", n_epochs / 100),
        n_epochs=n_epochs,
        best_epoch=n_epochs,
        was_pruned=verb is Verb.PRUNE,
        metrics={"pid": os.getpid(), "batch": request.batch_size, "threads": request.threads},
    )


def train_pack(prepared: str, task: Task, request: PackRequest):
    """As many of ``train`` side by side, by hand; too many for the smallest ``room`` run out of memory."""
    assert prepared == "rows"
    assert task == TASK
    live: dict[int, list] = {}
    joins, verbs = dict(request.members), {}
    while live or joins:
        live |= {number: [member, 0] for number, member in joins.items()}
        if len(live) > min(member.config.get("room", 99) for member, _ in live.values()):
            run_out_of_device_memory()
        epochs, ended = {}, {}
        time.sleep(max(float(member.config.get("seconds", 0.0)) for member, _ in live.values()))
        for number, place in live.items():
            member = place[0]
            fault = member.config.get("fault", "")
            is_late = member.deadline is not None and time.monotonic() > member.deadline
            if fault == "diverged":
                ended[number] = TrainingDiverged("The loss became inf.", hint="Slower.")
                continue
            if number in verbs or is_late:
                ended[number] = end_member(place, verbs.get(number), len(live))
                continue
            plant(fault, member)
            place[1] += 1
            loss = float("nan") if fault == "nan" else 1 / place[1]
            epochs[number] = Epoch(
                number=place[1],
                train_loss=loss,
                select_loss=loss,
                score=place[1] / 100,
                learning_rate=0.1,
                seconds=0.001,
                is_best=True,
            )
            if place[1] == member.max_epochs:
                ended[number] = end_member(place, None, len(live))
        live = {number: place for number, place in live.items() if number not in ended}
        answer = yield PackEpoch(epochs=epochs, ended=ended)
        verbs = {n: v for n, v in answer.verbs.items() if v is not Verb.CONTINUE}
        joins = answer.joins


def end_member(place: list, verb: Verb | None, n_members: int) -> FakeTrained:
    member, n_epochs = place
    return FakeTrained(
        score=member.config.get("score", n_epochs / 100),
        n_epochs=n_epochs,
        best_epoch=n_epochs,
        was_pruned=verb is Verb.PRUNE,
        metrics={"pid": os.getpid(), "batch": member.batch_size, "members": n_members},
        late_fault=str(member.config.get("fault", "")).removeprefix("measured-"),
    )


def screen(prepared: str, task: Task, request: Request) -> Screen:
    assert prepared == "rows"
    assert task == TASK
    plant(str(request.config.get("screen_fault", "")), request)
    return Screen(
        parameters=10, macs=20, latency_ms=1.5, proxy=0.5, picture_seconds=request.batch_size / 1e6
    )


def measure_gains(prepared: str, task: Task, request: Request) -> dict[str, float]:
    assert prepared == "rows"
    assert task == TASK
    plant({13: "hang", 14: "killed", 15: "bug"}.get(request.batch_size, ""), request)
    return {"64": request.batch_size / 100}


def plant(fault: str, request: Request) -> None:
    if fault == "memory-once" and request.batch_size <= 32:
        return
    FAULTS.get(fault, lambda: None)()


def run_out_of_device_memory() -> None:
    raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")


def diverge() -> None:
    raise TrainingDiverged("The loss became inf.", hint="Lower the learning rate.")


def find_bad_data() -> None:
    raise DataError("Column 'x' is empty.")


def raise_bug() -> None:
    raise KeyError("no such key")


def fill_disk() -> None:
    raise OSError(28, "No space left on device")


def break_device() -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def make_noise() -> None:
    for _ in range(200):
        print("x" * 10_000)


FAULTS = {
    "memory": lambda: np.ones(10**15),
    "memory-once": run_out_of_device_memory,
    "diverged": diverge,
    "data": find_bad_data,
    "bug": raise_bug,
    "hang": lambda: time.sleep(3600),
    "deaf": lambda: ctypes.PyDLL(None).sleep(3600),  # holds the GIL, as a stuck kernel does
    "exit-0": lambda: os._exit(0),
    "exit-5": lambda: os._exit(5),
    "segfault": lambda: ctypes.string_at(0),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "full": fill_disk,
    "noise": make_noise,
    "device": break_device,
}


def build_train(trial: int, out: Path, **changes) -> Train:
    config = {
        k: changes.pop(k)
        for k in ("fault", "screen_fault", "seconds", "score", "room")
        if k in changes
    }
    values = {
        "trial": trial,
        "attempt": 1,
        "family": "fake",
        "config": config,
        "seed": 0,
        "batch_size": 64,
        "max_epochs": 3,
        "out": str(out / f"trial-{trial}"),
    }
    return Train(**{**values, **changes})


def build_pack(trials, out: Path, changes=None, **shared) -> TrainPack:
    """A pack; ``changes`` by trial number come on top of what is ``shared``."""
    own = changes or {}
    members = (build_train(trial, out, **{**shared, **own.get(trial, {})}) for trial in trials)
    return TrainPack(members=tuple(members))
