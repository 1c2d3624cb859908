"""Trials in processes of this machine, one per slot, replaced when they die."""

import contextlib
import os
import signal
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

import psutil

from automl.errors import AutoMLError, DataError, DiskFull
from automl.execution.devices import Slot, SlotKind
from automl.execution.executor import Report, TrainerLost
from automl.execution.launching import PRELOADED, start_trainer
from automl.execution.messages import (
    Answer,
    Command,
    EpochDone,
    Exit,
    FailureKind,
    Measure,
    Measured,
    PackShed,
    Prepare,
    Ready,
    Screened,
    Train,
    TrainPack,
    TrialDiscarded,
    TrialDone,
    TrialFailed,
    Verb,
    decode_report,
    encode_command,
)
from automl.execution.trainer import PREPARE_TRIAL, Functions, TrainerSetup

MAX_TRIALS_PER_PROCESS = 200
MAX_GROWTH_BYTES = 1_000_000_000
MAX_START_DEATHS = 4
CLOSE_SECONDS = 2.0


class ProcessBook(Protocol):
    """Where running children are noted, so that the next worker can end what a dead one left."""

    def add(self, pid: int, what: str) -> None:
        """Note a child."""
        ...

    def remove(self, pid: int) -> None:
        """Forget a child that ended."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Seconds without a message after which a trainer counts as hung.

    ``first`` bounds loading and the first epoch; later epochs may take ``factor`` × their median, at least
    ``floor``; a trial may overrun its own deadline by ``grace``.
    """

    first: float = 600.0
    floor: float = 120.0
    factor: float = 10.0
    grace: float = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalOptions:
    """Everything about a local executor that has a default; ``functions`` and ``preload`` are for tests."""

    functions: Functions = field(default_factory=Functions)
    patience: Patience = field(default_factory=Patience)
    processes: ProcessBook | None = None
    log_folder: Path | None = None
    preload: tuple[str, ...] = PRELOADED


@dataclass(slots=True)
class _Seat:
    """One slot with the process that serves it now."""

    slot: Slot
    process: BaseProcess
    connection: Connection
    is_ready: bool = False
    trials: dict[int, Train] = field(default_factory=dict)
    has_pack: bool = False
    is_measuring: bool = False
    awaiting: set[int] = field(default_factory=set)
    due: float = float("inf")
    heard_at: float = field(default_factory=time.monotonic)
    epoch_seconds: list[float] = field(default_factory=list)
    n_trials: int = 0
    base_rss: int = 0
    start_deaths: int = 0

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    @property
    def is_idle(self) -> bool:
        return self.is_ready and not self.trials and not self.is_measuring

    def drop(self, *trials: int) -> None:
        """Trials that are over."""
        for trial in trials:
            self.trials.pop(trial, None)
            self.awaiting.discard(trial)


class LocalExecutor:
    """The executor of one machine. Use it from the main thread and close it in ``finally``."""

    def __init__(
        self,
        slots: Sequence[Slot],
        log: Callable[[str, str], None],
        options: LocalOptions | None = None,
    ) -> None:
        self._slots = tuple(slots)
        self._log = log
        self._options = options or LocalOptions()
        self._seats: dict[str, _Seat] = {}
        self._prepare: Prepare | None = None
        self._unread: list[tuple[str, Report]] = []

    def start(self) -> None:
        """Start one trainer per slot; the first call waits for torch, unless ``warm_up`` ran before."""
        for slot in self._slots:
            if slot.name not in self._seats:
                self._seats[slot.name] = self._launch(slot, start_deaths=0)

    def _launch(self, slot: Slot, start_deaths: int) -> _Seat:
        folder = self._options.log_folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        name = slot.name.replace(":", "-")
        setup = TrainerSetup(
            slot=slot,
            functions=self._options.functions,
            use_cpu=start_deaths >= 2 and slot.kind is SlotKind.CUDA,
            log_file=None if folder is None else folder / f"trainer-{name}.log",
        )
        process, connection = start_trainer(setup, self._options.preload)
        seat = _Seat(slot=slot, process=process, connection=connection, start_deaths=start_deaths)
        if self._options.processes is not None:
            self._options.processes.add(seat.pid, f"trainer {slot.name}")
        if self._prepare is not None:
            _send(seat, self._prepare)
        return seat

    def prepare(self, folder: Path, task_json: str, threads: int) -> None:
        """Have every trainer load a prepared folder; none may be training."""
        self._prepare = Prepare(folder=str(folder), task_json=task_json, threads=threads)
        for seat in self._seats.values():
            if seat.trials:
                raise RuntimeError(f"{seat.slot.name} still trains trial {min(seat.trials)}.")
            seat.is_ready = False
            seat.heard_at = time.monotonic()
            _send(seat, self._prepare)

    def idle_slots(self) -> tuple[str, ...]:
        """Names of slots that are ready and have no trial."""
        return tuple(n for n, seat in self._seats.items() if seat.is_idle)

    def measure(self, slot: str, batch_size: int) -> None:
        """Find out on an idle slot what packs gain there; answered by ``Measured``."""
        seat = self._seats[slot]
        if not seat.is_idle:
            raise RuntimeError(f"{slot} is not idle.")
        seat.is_measuring, seat.heard_at, seat.epoch_seconds = True, time.monotonic(), []
        _send(seat, Measure(batch_size=batch_size))

    def submit(self, slot: str, command: Train | TrainPack) -> None:
        """Train on an idle slot; a pack also joins the one that a slot runs."""
        seat = self._seats[slot]
        is_pack = isinstance(command, TrainPack)
        if not seat.is_idle and not (seat.trials and is_pack and seat.has_pack):
            raise RuntimeError(f"{slot} is not idle.")
        members = command.members if isinstance(command, TrainPack) else (command,)
        if not seat.trials:
            seat.epoch_seconds, seat.due = [], float("inf")
            seat.heard_at = time.monotonic()
        seat.has_pack = is_pack
        seat.trials |= {member.trial: member for member in members}
        due = (each.deadline_seconds for each in members if each.deadline_seconds is not None)
        seat.due = min([seat.due, *(time.monotonic() + seconds for seconds in due)])
        seat.n_trials += len(members)
        _send(seat, command)

    def answer(self, trial: int, verb: Verb, max_epochs: int | None = None) -> None:
        """Answer at a rung or after a screen, or stop at any time; without effect when the trial is over."""
        for seat in self._seats.values():
            if trial in seat.trials:
                seat.awaiting.discard(trial)
                seat.heard_at = time.monotonic()
                _send(seat, Answer(trial=trial, verb=verb, max_epochs=max_epochs))

    def end(self, trial: int) -> None:
        """End a trial that did not stop when told; its trainer is replaced. Others of its pack are shed."""
        for seat in list(self._seats.values()):
            if trial in seat.trials:
                seat.drop(trial)
                reason = f"Trial {trial} did not stop in time."
                if seat.trials:
                    shed = _build_shed(seat, FailureKind.TIMEOUT, reason, most=len(seat.trials))
                    self._unread.append((seat.slot.name, shed))
                self._replace(seat, reason)

    def poll(self, timeout: float) -> list[tuple[str, Report]]:
        """Reports with the names of their slots; dead and hung trainers are replaced here."""
        seats = list(self._seats.values())
        reports, self._unread = self._unread, []
        patience = 0.0 if reports else timeout
        wait([s.connection for s in seats] + [s.process.sentinel for s in seats], patience)
        for seat in seats:
            is_dead = not seat.process.is_alive()  # asked first: what it sent before is still read
            reports += [(seat.slot.name, report) for report in self._read(seat)]
            reports += [(seat.slot.name, report) for report in self._look_after(seat, is_dead)]
        return reports

    def _read(self, seat: _Seat) -> list[Report]:
        reports: list[Report] = []
        with contextlib.suppress(EOFError, OSError):
            while seat.connection.poll():
                report = decode_report(seat.connection.recv_bytes())
                self._note(seat, report)
                reports.append(report)
        return reports

    def _note(self, seat: _Seat, report: Report) -> None:
        seat.heard_at = time.monotonic()
        match report:
            case Ready():
                seat.is_ready, seat.start_deaths = True, 0
                seat.base_rss = seat.base_rss or _read_rss(seat.pid)
                if report.warning:
                    self._log("warning", report.warning)
            case Measured():
                seat.is_measuring = False
            case Screened():
                seat.awaiting.add(report.trial)
            case EpochDone():
                if report.awaits:
                    seat.awaiting.add(report.trial)
                # a member's seconds are its share of those of the pack
                seat.epoch_seconds.append(report.epoch.seconds * len(seat.trials))
            case TrialFailed(trial=trial) if trial == PREPARE_TRIAL:
                raise _rebuild(report)
            case TrialDone() | TrialDiscarded() | TrialFailed():
                seat.drop(report.trial)
            case PackShed():
                seat.drop(*report.trials)
                self._log("warning", f"A pack on {seat.slot.name} ended: {report.reason}")

    def _look_after(self, seat: _Seat, is_dead: bool) -> list[Report]:  # noqa: FBT001
        if is_dead:
            failure = _describe_death(seat)
            self._replace(seat, failure.message)
        elif reason := self._find_hang(seat):
            failure = TrialFailed(
                trial=min(seat.trials, default=PREPARE_TRIAL),
                kind=FailureKind.TIMEOUT,
                message=reason,
                hint="The trainer was replaced and the search goes on.",
            )
            self._replace(seat, reason)
        elif seat.is_idle and _is_worn_out(seat):
            self._log("info", f"The trainer of {seat.slot.name} is replaced by a fresh one.")
            self._end(seat)
            self._seats[seat.slot.name] = self._launch(seat.slot, start_deaths=0)
            return []
        else:
            return []
        if len(seat.trials) > 1:
            return [_build_shed(seat, failure.kind, failure.message, most=len(seat.trials) // 2)]
        return [failure] if seat.trials else []

    def _find_hang(self, seat: _Seat) -> str:
        """Why a trainer counts as hung, empty when it does not."""
        patience, now = self._options.patience, time.monotonic()
        if seat.is_idle or (not seat.is_ready and self._prepare is None):
            return ""
        over = now - seat.due if seat.trials else 0.0
        if over > patience.grace:
            return f"It ran {over:.0f} s over its deadline and was ended."
        if seat.awaiting:
            return ""
        limit = patience.first
        if seat.epoch_seconds:
            median = statistics.median(seat.epoch_seconds)
            limit = max(patience.floor, patience.factor * median)
        silent = now - seat.heard_at
        return (
            f"It gave no sign of life for {silent:.0f} s and was ended." if silent > limit else ""
        )

    def _replace(self, seat: _Seat, reason: str) -> None:
        self._end(seat)
        deaths = seat.start_deaths + (0 if seat.is_ready else 1)
        if deaths >= MAX_START_DEATHS:
            raise TrainerLost(
                f"The trainer of {seat.slot.name} died {deaths} times while it was starting: {reason}",
                hint="Look at the trainer's log; free memory or choose fewer devices.",
            )
        self._log("warning", f"The trainer of {seat.slot.name} was replaced: {reason}")
        self._seats[seat.slot.name] = self._launch(seat.slot, start_deaths=deaths)

    def _end(self, seat: _Seat) -> None:
        _kill(seat)
        seat.process.join(5.0)
        seat.connection.close()
        if self._options.processes is not None:
            self._options.processes.remove(seat.pid)

    def close(self) -> None:
        """Ask every trainer to end, then make it; about two seconds at most."""
        seats, self._seats = list(self._seats.values()), {}
        for seat in seats:
            if not seat.trials:
                _send(seat, Exit())
        deadline = time.monotonic() + CLOSE_SECONDS
        for seat in seats:
            if not seat.trials:
                seat.process.join(max(0.0, deadline - time.monotonic()))
        for seat in seats:
            self._end(seat)


def _build_shed(seat: _Seat, kind: FailureKind, reason: str, most: int) -> PackShed:
    return PackShed(trials=tuple(sorted(seat.trials)), most=most, kind=kind, reason=reason)


def _send(seat: _Seat, command: Command) -> None:
    with contextlib.suppress(OSError):  # it just died: poll notices and says so
        seat.connection.send_bytes(encode_command(command))


def _kill(seat: _Seat) -> None:
    """SIGKILL the trainer's group: loaders and threads of its libraries go with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(seat.pid, signal.SIGKILL)
    if seat.process.is_alive():
        seat.process.kill()  # it had not yet made its own group


def _read_rss(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _is_worn_out(seat: _Seat) -> bool:
    if seat.n_trials == 0:
        return False
    if seat.n_trials >= MAX_TRIALS_PER_PROCESS:
        return True
    return _read_rss(seat.pid) - seat.base_rss > MAX_GROWTH_BYTES


def _describe_death(seat: _Seat) -> TrialFailed:
    seat.process.join(1.0)
    code = seat.process.exitcode
    if code == -signal.SIGKILL:
        kind = FailureKind.OUT_OF_MEMORY
        how = "The system ended the trainer (SIGKILL), most likely because memory ran out."
    elif code == 0:
        kind, how = FailureKind.BUG, "The trainer ended without a result (status 0)."
    else:
        kind = FailureKind.CRASHED
        name = signal.Signals(-code).name if code is not None and code < 0 else f"status {code}"
        how = f"The trainer crashed ({name})."
    return TrialFailed(
        trial=min(seat.trials, default=PREPARE_TRIAL),
        kind=kind,
        message=how,
        hint="The trainer was replaced and the search goes on.",
    )


def _rebuild(failure: TrialFailed) -> AutoMLError:
    """The error of a folder that no trainer can load: it ends the search, not a trial."""
    kind = DiskFull if failure.kind is FailureKind.DISK_FULL else DataError
    return kind(f"The prepared data cannot be loaded: {failure.message}", hint=failure.hint)
