"""One pack inside a trainer: several trials in one program, each with its own reports, answers and folder."""

import contextlib
import os
import queue
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from automl.errors import TrainingDiverged
from automl.execution.failures import (
    build_failure,
    classify,
    is_device_broken,
    require_finite,
)
from automl.execution.messages import (
    Answer,
    Command,
    EpochDone,
    Exit,
    PackPaused,
    PackShed,
    Report,
    Train,
    TrainPack,
    Verb,
)
from automl.execution.outcome import keep_trained
from automl.execution.saving import Trained
from automl.training.epoch import Epoch

Questions = set[int]


class PackEpoch(Protocol):
    """What a pack yields: epochs by trial number, and what became of members that ended."""

    @property
    def epochs(self) -> Mapping[int, Epoch]: ...
    @property
    def ended(self) -> Mapping[int, Trained | Exception]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PackTools:
    """What a driver needs of its trainer.

    ``build`` turns a command into a request, ``train`` requests by trial number into a training, ``answer``
    verbs and joining requests into what that training is sent; ``measure`` says what a finished member costs.
    """

    commands: "queue.SimpleQueue[Command]"
    send: Callable[[Report], None]
    build: Callable[[Train], Any]
    train: Callable[[Mapping[int, Any]], Generator[PackEpoch, Any, None]]
    answer: Callable[[Mapping[int, Verb], Mapping[int, Any]], Any]
    measure: Callable[[Train, Trained], Mapping[str, float]]


@dataclass(slots=True)
class PackDriver:
    """Trains the members of a pack, and those that join it, to the end of the last."""

    tools: PackTools
    live: dict[int, Train] = field(default_factory=dict)

    def run(self, members: Iterable[Train]) -> Exception | None:
        """Train all; gives back what ended the pack before its members ended, which ``live`` still has."""
        requests = self._receive(members)
        try:
            with contextlib.closing(self.tools.train(requests)) as steps:
                self._drive(steps)
        except Exception as error:  # noqa: BLE001 (what it means is decided by who knows the pack)
            traceback.print_exc()
            error.__traceback__ = None  # it holds the frames that hold the arrays
            return error
        return None

    def shed(self, error: Exception) -> None:
        """Report that the members that are left, if any, were not trained, and why."""
        if not self.live:
            return
        failure = build_failure(min(self.live), error)
        self.tools.send(
            PackShed(
                trials=tuple(sorted(self.live)),
                most=max(1, len(self.live) // 2),
                kind=classify(error),
                reason=failure.message,
            )
        )
        self.live.clear()

    def _receive(self, members: Iterable[Train]) -> dict[int, Any]:
        fresh = {member.trial: member for member in members}
        self.live |= fresh
        return {number: self.tools.build(member) for number, member in fresh.items()}

    def _drive(self, steps: Generator[PackEpoch, Any, None]) -> None:
        answer = None
        early: dict[int, Verb] = {}  # verbs for members that were not in the pack yet
        while True:
            epoch = steps.send(answer)
            verbs = self._report_epochs(epoch)
            for number, outcome in sorted(epoch.ended.items()):
                self._end(number, outcome)
            if not self.live:
                return  # what came to join meanwhile begins a pack of its own
            heard, joins = self._hear(self._find_questions(epoch))
            verbs |= heard | {n: verb for n, verb in early.items() if n in self.live}
            early = {number: verbs.pop(number) for number in joins if number in verbs}
            answer = self.tools.answer(verbs, joins)

    def _report_epochs(self, step: PackEpoch) -> dict[int, Verb]:
        """Tell the epochs; a member whose numbers are none has failed, and is told to stop."""
        verbs = {}
        for number, epoch in sorted(step.epochs.items()):
            if number not in self.live:
                verbs[number] = Verb.STOP
                continue
            try:
                require_finite(epoch)
            except TrainingDiverged as error:
                self._end(number, error)
                verbs[number] = Verb.STOP
                continue
            awaits = self._asks(number, step)
            self.tools.send(EpochDone(trial=number, epoch=epoch, awaits=awaits))
        return {number: verb for number, verb in verbs.items() if number not in step.ended}

    def _asks(self, number: int, step: PackEpoch) -> bool:
        return number not in step.ended and step.epochs[number].number in self.live[number].rungs

    def _find_questions(self, step: PackEpoch) -> Questions:
        return {
            number for number in step.epochs if number in self.live and self._asks(number, step)
        }

    def _end(self, number: int, outcome: Trained | Exception) -> None:
        """Report what became of a member. What fails after its training is its failure, not that of the pack."""
        command = self.live.pop(number, None)
        if command is None:
            return  # it was reported as failed before
        if isinstance(outcome, Exception):
            self.tools.send(build_failure(number, outcome))
            return
        try:
            measured = self.tools.measure(command, outcome)
            self.tools.send(keep_trained(command, outcome, measured))
        except (ConnectionError, EOFError):
            raise  # the worker is gone
        except Exception as error:
            traceback.print_exc()
            self.tools.send(build_failure(number, error))
            if is_device_broken(error):
                raise

    def _hear(self, questions: Questions) -> tuple[dict[int, Verb], dict[int, Any]]:
        """Answers to all questions, stops that came unasked, and requests of members that join."""
        waiting = set(questions)
        verbs: dict[int, Verb] = {}
        joins: dict[int, Any] = {}
        if waiting:
            self.tools.send(PackPaused(trials=tuple(sorted(waiting))))
        while True:
            try:
                command = self.tools.commands.get(block=bool(waiting))
            except queue.Empty:
                return verbs, joins
            match command:
                case Exit():
                    os._exit(0)
                case TrainPack(members=members):
                    joins |= self._receive(members)
                case Answer(trial=trial, verb=verb) if trial in self.live:
                    if trial in waiting or verb is not Verb.CONTINUE:
                        verbs[trial] = verb
                        waiting.discard(trial)
