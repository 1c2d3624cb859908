"""The inside of a trainer process: one slot, one trial or one pack at a time, data kept between trials.

Imports no torch before the slot's device is chosen. A thread reads the commands, so that the end of the
worker ends the trainer in mid-epoch too; a stop is heard when the epoch is over.
"""

import contextlib
import faulthandler
import gc
import os
import queue
import sys
import time
import traceback
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from automl.data.task import Task
from automl.execution.allocator import give_back_memory, keep_memory
from automl.execution.devices import Slot, SlotKind
from automl.execution.failures import (
    build_failure,
    is_device_broken,
    is_out_of_memory,
    require_finite,
)
from automl.execution.lifeline import bind_to_parent, build_environment, end_group, watch
from automl.execution.messages import (
    Answer,
    Command,
    EpochDone,
    Exit,
    Measure,
    Measured,
    Prepare,
    Ready,
    Screened,
    Train,
    TrainPack,
    TrialDiscarded,
    TrialDone,
    Verb,
    decode_command,
    encode_report,
)
from automl.execution.outcome import keep_trained
from automl.execution.pack_driver import PackDriver, PackTools
from automl.execution.resolve import resolve
from automl.execution.saving import Trained
from automl.training.epoch import Epoch, Screen

PREPARE_TRIAL = -1  # the trial number of a failure while preparing
BROKEN_DEVICE_EXIT = 3
NICENESS = 5  # pages stay quick while every core trains


@dataclass(frozen=True, kw_only=True, slots=True)
class Functions:
    """What a trainer calls, by name; other names than these are for tests.

    ``request`` builds what ``train(prepared, task, request)`` and ``screen`` take; ``pack_request`` and
    ``pack_answer`` what ``train_pack`` takes and is sent; ``measure_gains`` takes what ``train`` does.
    """

    train: str = "automl.training.run:train"
    screen: str = "automl.training.screening:screen"
    measure: str = "automl.training.timing:measure"
    load: str = "automl.data.preparing:load_prepared"
    request: str = "automl.training.request:TrainRequest"
    measure_gains: str = "automl.training.packs.measuring:measure_gains"
    train_pack: str = "automl.training.packs.run:train_pack"
    pack_request: str = "automl.training.packs.records:PackRequest"
    pack_answer: str = "automl.training.packs.records:PackAnswer"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainerSetup:
    """How one trainer process starts. ``use_cpu`` gives up the slot's device after repeated deaths."""

    slot: Slot
    functions: Functions
    use_cpu: bool = False
    log_file: Path | None = None


def run_trainer(connection: Connection, setup: TrainerSetup) -> None:
    """Entry of the process."""
    os.setsid()
    bind_to_parent()
    os.nice(NICENESS)
    keep_memory()
    gc.freeze()  # what the fork server imported stays: later collections are short and copy no page
    _clean_environment(setup)
    _redirect_output(setup.log_file)
    trainer = _Trainer(connection, setup)
    try:
        trainer.serve()
    except (BrokenPipeError, ConnectionError, EOFError):
        end_group()


def _clean_environment(setup: TrainerSetup) -> None:
    kept = build_environment()
    for name in set(os.environ) - set(kept):
        del os.environ[name]
    is_gpu = setup.slot.kind is SlotKind.CUDA and not setup.use_cpu
    os.environ["CUDA_VISIBLE_DEVICES"] = setup.slot.uuid if is_gpu else ""


def _redirect_output(log_file: Path | None) -> None:
    """What libraries print goes to the trainer's log, never to a terminal or a full pipe."""
    target = os.devnull if log_file is None else str(log_file)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout = open(1, "w", closefd=False, buffering=1, encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1, encoding="utf-8")  # noqa: SIM115
    faulthandler.enable(sys.stderr)


class _Trainer:
    """State between two commands."""

    def __init__(self, connection: Connection, setup: TrainerSetup) -> None:
        self._connection = connection
        self._setup = setup
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._prepared: Any = None
        self._task: Task | None = None
        self._threads = 1
        self._device = "cpu"
        watch(self._read_commands, name="commands")

    def _read_commands(self) -> None:
        while True:
            self._commands.put(decode_command(self._connection.recv_bytes()))

    def _send(self, report: Any) -> None:
        self._connection.send_bytes(encode_report(report))

    def serve(self) -> None:
        """Obey until told to exit."""
        while True:
            command = self._commands.get()
            match command:
                case Exit():
                    return
                case Prepare():
                    self._prepare(command)
                case Measure():
                    self._measure_gains(command)
                case Train():
                    self._train(command)
                case TrainPack():
                    self._train_pack(command)
                case Answer():
                    pass  # to a trial that has ended meanwhile

    def _prepare(self, command: Prepare) -> None:
        try:
            device, warning = choose_device(self._setup)
            self._prepared = None  # the old arrays go before the new ones come
            self._prepared = resolve(self._setup.functions.load)(Path(command.folder))
            self._task = TypeAdapter(Task).validate_json(command.task_json)
            self._threads, self._device = command.threads, device
        except Exception as error:  # noqa: BLE001 (reported; the executor decides)
            traceback.print_exc()
            self._send(build_failure(PREPARE_TRIAL, error))
            return
        fell_back = bool(warning)
        self._send(Ready(device="cpu" if fell_back else self._setup.slot.name, warning=warning))

    def _measure_gains(self, command: Measure) -> None:
        started, gains, problem = time.monotonic(), {}, ""
        try:
            request = resolve(self._setup.functions.request)(
                family="", config={}, seed=0, batch_size=command.batch_size, max_epochs=1,
                is_refit=False, deadline=None, device=self._device, threads=self._threads,
            )  # fmt: skip
            gains = resolve(self._setup.functions.measure_gains)(
                self._prepared, self._task, request
            )
        except Exception as error:  # noqa: BLE001 (then packs go by what is known of other machines)
            traceback.print_exc()
            problem = build_failure(PREPARE_TRIAL, error).message
        _free_memory()
        seconds = time.monotonic() - started
        self._send(Measured(gains=gains, seconds=seconds, problem=problem))

    def _train(self, command: Train) -> None:
        try:
            done = self._screen_and_train(command)
        except Exception as error:  # noqa: BLE001 (a result about a configuration)
            traceback.print_exc()
            self._send(build_failure(command.trial, error))
            if is_device_broken(error):
                os._exit(BROKEN_DEVICE_EXIT)  # its CUDA context is spoiled; a fresh trainer comes
            error.__traceback__ = None
        else:
            self._send(done)
        _free_memory()

    def _train_pack(self, command: TrainPack) -> None:
        """Train a pack; what is left of one that fails goes back, for smaller ones and at last alone."""
        driver = PackDriver(self._build_pack_tools())
        error = driver.run(command.members)
        if error is not None and is_device_broken(error):
            os._exit(BROKEN_DEVICE_EXIT)  # all its members are shed by the executor
        _free_memory()
        if error is not None:
            driver.shed(error)

    def _build_pack_tools(self) -> PackTools:
        functions = self._setup.functions

        def train(requests: Mapping[int, Any]) -> Any:
            request = resolve(functions.pack_request)(members=requests)
            return resolve(functions.train_pack)(self._prepared, self._task, request)

        def answer(verbs: Mapping[int, Verb], joins: Mapping[int, Any]) -> Any:
            return resolve(functions.pack_answer)(verbs=verbs, joins=joins)

        return PackTools(
            commands=self._commands,
            send=self._send,
            build=lambda member: self._build_request(_Run(member), member.batch_size),
            train=train,
            answer=answer,
            measure=self._measure,
        )

    def _screen_and_train(self, command: Train) -> TrialDone | TrialDiscarded:
        run = _Run(command)
        if command.screen:
            request = self._build_request(run, command.batch_size)
            found: Screen = resolve(self._setup.functions.screen)(
                self._prepared, self._task, request
            )
            self._send(Screened(trial=command.trial, screen=found))
            answer = self._hear_answer(command.trial, awaits=True)
            if answer is not None and answer.verb is not Verb.CONTINUE:
                return TrialDiscarded(trial=command.trial)
            if answer is not None and answer.max_epochs is not None:
                run.command = shorten(command, answer.max_epochs)
        return self._train_with_retry(run)

    def _train_with_retry(self, run: "_Run") -> TrialDone:
        """Train; memory that runs out before the first epoch is over halves the batch, once."""
        command = run.command
        try:
            trained = self._drive(run, command.batch_size)
            warnings: tuple[str, ...] = ()
        except Exception as error:
            if not is_out_of_memory(error) or run.n_epochs > 0 or command.batch_size < 4:
                raise
            error.__traceback__ = None  # it holds the frames that hold the arrays
            half = command.batch_size // 2
            warnings = (f"Memory ran out with batch {command.batch_size}; batch {half} was used.",)
            _free_memory()
            trained = self._drive(run, half)
        return keep_trained(command, trained, self._measure(command, trained), warnings)

    def _measure(self, command: Train, trained: Trained) -> Mapping[str, float]:
        """What a finished model costs, where somebody asked."""
        if not command.measure:
            return {}
        measured: Mapping[str, float] = resolve(self._setup.functions.measure)(
            self._prepared, trained
        )
        return measured

    def _drive(self, run: "_Run", batch_size: int) -> Trained:
        command = run.command
        request = self._build_request(run, batch_size)
        steps: Generator[Epoch, Verb | None, Trained]
        steps = resolve(self._setup.functions.train)(self._prepared, self._task, request)
        verb: Verb | None = None
        with contextlib.closing(steps):
            while True:
                try:
                    epoch = steps.send(verb)
                except StopIteration as end:
                    trained: Trained = end.value
                    return trained
                require_finite(epoch)
                run.n_epochs += 1
                awaits = epoch.rung in command.rungs
                self._send(EpochDone(trial=command.trial, epoch=epoch, awaits=awaits))
                verb = self._hear(command.trial, awaits=awaits)

    def _build_request(self, run: "_Run", batch_size: int) -> Any:
        command = run.command
        return resolve(self._setup.functions.request)(
            family=command.family,
            config=dict(command.config),
            seed=command.seed,
            batch_size=batch_size,
            max_epochs=command.max_epochs,
            is_refit=command.is_refit,
            deadline=run.deadline,
            device=self._device,
            threads=self._threads,
        )

    def _hear(self, trial: int, *, awaits: bool) -> Verb | None:
        answer = self._hear_answer(trial, awaits=awaits)
        return None if answer is None else answer.verb

    def _hear_answer(self, trial: int, *, awaits: bool) -> Answer | None:
        """The answer at a rung, or a stop that came unasked; None when there is nothing to say."""
        while True:
            try:
                command = self._commands.get(block=awaits)
            except queue.Empty:
                return None
            if isinstance(command, Exit):
                os._exit(0)
            if not isinstance(command, Answer) or command.trial != trial:
                continue
            if awaits or command.verb is not Verb.CONTINUE:
                return command


@dataclass(slots=True)
class _Run:
    """One trial on its way; the deadline counts from the receipt of the command."""

    command: Train
    n_epochs: int = 0
    deadline: float | None = None

    def __post_init__(self) -> None:
        if self.command.deadline_seconds is not None:
            self.deadline = time.monotonic() + self.command.deadline_seconds


def shorten(command: Train, max_epochs: int) -> Train:
    """The same command with a nearer end, which its schedule is drawn for; nobody asks at the end itself."""
    epochs = max(1, min(command.max_epochs, max_epochs))
    rungs = tuple(rung for rung in command.rungs if rung < epochs)
    config = {**command.config, "epochs": epochs}
    return replace(command, config=config, max_epochs=epochs, rungs=rungs)


def choose_device(setup: TrainerSetup) -> tuple[str, str]:
    """The torch device of a slot and a warning when it does not work and the CPU is used instead."""
    slot = setup.slot
    try:
        if slot.kind is SlotKind.FAKE_BROKEN:
            raise RuntimeError("this fake device always fails")  # noqa: TRY301 (as a driver would)
        if slot.kind is not SlotKind.CUDA:
            return "cpu", ""
        if setup.use_cpu:
            raise RuntimeError("its trainer died twice while starting")  # noqa: TRY301
        _try_gpu()
    except Exception as error:  # noqa: BLE001 (drivers fail in every way there is)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        return "cpu", f"{slot.title} ({slot.name}) failed: {reason}. Its trials run on the CPU."
    return "cuda:0", ""


def _try_gpu() -> None:
    import torch

    square = torch.ones((64, 64), device="cuda:0")
    if float((square @ square).sum()) != 64.0**3:
        raise RuntimeError("a product of matrices came out wrong")


def _free_memory() -> None:
    gc.collect()
    give_back_memory()
    torch = sys.modules.get("torch")
    if torch is not None and os.environ.get("CUDA_VISIBLE_DEVICES") and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
