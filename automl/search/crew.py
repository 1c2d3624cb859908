"""Hands trials to trainers and turns what they report into trial rows."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.execution.messages import (
    EpochDone,
    FailureKind,
    Measured,
    PackPaused,
    PackShed,
    Ready,
    Screened,
    Train,
    TrainPack,
    TrialDiscarded,
    TrialDone,
    TrialFailed,
)
from automl.jobs.records import StopMode, Trial, TrialState
from automl.models.catalog import FAMILIES
from automl.search.context import CoordinatorContext
from automl.search.ledger import REFIT, SEARCH, Ledger
from automl.search.runs import Limits, Pack, Question, Run
from automl.training.epoch import Verb

POLL_SECONDS = 0.1
_OVER: Mapping[str, Any] = {
    "state": TrialState.PRUNED,
    "failure_kind": "stopped",
    "failure_message": "The search was over before it began.",
}
MOST_CPU_GAIN = 3  # times quicker in a pack than alone: 2.7 were measured at two layers of 32


class Crew:
    """The trainers of one search and what each is doing."""

    def __init__(self, context: CoordinatorContext, ledger: Ledger) -> None:
        self._context = context
        self._ledger = ledger
        self.running: dict[int, Run] = {}
        self.devices: dict[str, str] = {}  # slot → where its trainer really runs
        self.gains: dict[int, float] | None = (
            None  # of a pack, by width; None until it was asked for
        )
        self._paused: set[str] = set()  # slots whose packs wait for us

    def idle_slots(self) -> list[str]:
        """Idle slots in the order of the spec."""
        idle = set(self._context.trainers.idle_slots())
        return [name for name in self._context.spec.resources.devices if name in idle]

    def start(self, slot: str, trial: Trial, limits: Limits) -> None:
        """Give a trial to an idle slot; its row becomes ``running``."""
        device = self._note_start(slot, (trial,))
        self._context.trainers.submit(slot, self._build_command(trial, limits))
        self._note_run(slot, trial, limits)
        self._context.log("info", f"trial {trial.number} ({trial.family}) starts on {device}")

    def start_pack(self, slot: str, pack: Pack) -> None:
        """Give trials to an idle slot as one program, or to the pack that it runs."""
        size = len(pack.members) + len(self.list_pack(slot))
        marks = {"pack": float(pack.number), "pack_size": float(size)}
        members = tuple(
            replace(trial, facts={**trial.facts, **marks, **pack.facts}) for trial in pack.members
        )
        device = self._note_start(slot, members)
        commands = (
            self._build_command(trial, limits)
            for trial, limits in zip(members, pack.limits, strict=True)
        )
        self._context.trainers.submit(slot, TrainPack(members=tuple(commands)))
        for trial, limits in zip(members, pack.limits, strict=True):
            self._note_run(slot, trial, limits, pack.number)
        numbers = ", ".join(str(trial.number) for trial in members)
        self._context.log(
            "info", f"trials {numbers} train on {device} in pack {pack.number}, {size} at once"
        )

    def measure(self, slot: str) -> None:
        """Have an idle slot find out what packs gain; ``gains`` stays empty until it has, or where it cannot."""
        self.gains = {}
        self._context.trainers.measure(slot, self._context.spec.resources.batch_size)

    def list_pack(self, slot: str) -> list[int]:
        """The trials of the pack that a slot runs, empty where it runs none."""
        return sorted(
            number
            for number, run in self.running.items()
            if run.slot == slot and run.pack is not None
        )

    def _note_start(self, slot: str, trials: Sequence[Trial]) -> str:
        device, now = self.devices.get(slot, slot), time.time()
        rows = (
            replace(trial, state=TrialState.RUNNING, device=device, started_at=now)
            for trial in trials
        )
        self._ledger.put(*rows)
        return device

    def _note_run(self, slot: str, trial: Trial, limits: Limits, pack: int | None = None) -> None:
        self.running[trial.number] = Run(
            slot=slot,
            asks=bool(limits.rungs) or limits.screen,
            started=time.monotonic(),
            pack=pack,
        )

    def _build_command(self, trial: Trial, limits: Limits) -> Train:
        return Train(
            trial=trial.number,
            attempt=trial.attempt,
            family=trial.family,
            config=trial.config,
            seed=trial.seed,
            batch_size=self._context.spec.resources.batch_size,
            max_epochs=limits.max_epochs,
            out=str(find_trial_folder(self._context.folder, trial)),
            rungs=limits.rungs,
            is_refit=limits.is_refit,
            deadline_seconds=limits.deadline_seconds,
            screen=limits.screen,
            measure=limits.measure,
        )

    def poll(self) -> list[Trial]:
        """Take in what was reported; the rows of the trials that ended. ``questions`` has what waits."""
        ended = []
        for slot, report in self._context.trainers.poll(POLL_SECONDS):
            if isinstance(report, Ready):
                self._take_ready(slot, report)
            elif isinstance(report, Measured):
                self._take_gains(slot, report)
            elif isinstance(report, PackPaused):
                self._take_pause(slot, report)
            elif isinstance(report, PackShed):
                self._take_shed(report)
            elif report.trial not in self.running:
                continue  # a trial given up before
            elif isinstance(report, Screened):
                self._take_question(report)
            elif isinstance(report, EpochDone):
                self._take_epoch(report)
            else:
                ended.append(self._take_end(report))
        return [trial for trial in ended if trial.state is not TrialState.WAITING]

    def questions(self) -> list[Question]:
        """Screens and rungs that wait for an answer, in trial order."""
        waiting = [run.question for run in self.running.values() if run.question is not None]
        return sorted(waiting, key=lambda question: question.trial)

    def is_lockstep(self) -> bool:
        """True when every slot on which a trial asks anything waits for answers."""
        slots = {run.slot for run in self.running.values() if run.asks}
        return all(self._is_waiting(slot) for slot in slots)

    def _is_waiting(self, slot: str) -> bool:
        """Whether a slot stands still until it is answered; a pack, when all its members have reported."""
        runs = [run for run in self.running.values() if run.slot == slot]
        if any(run.pack is not None for run in runs):
            return slot in self._paused
        return all(run.question is not None for run in runs)

    def answer(self, number: int, verb: Verb, max_epochs: int | None = None) -> None:
        """Answer a screen or a rung."""
        run = self.running[number]
        run.question = None
        self._paused.discard(run.slot)
        self._context.trainers.answer(number, verb, max_epochs)

    def stop_all(self) -> None:
        """Ask every run to keep its best and finish; asked once each."""
        for number, run in self.running.items():
            if not run.stopping:
                run.stopping = True
                self.answer(number, Verb.STOP)

    def give_up(self, reason: str) -> None:
        """End all that still run and close their rows, as timeouts."""
        for number in list(self.running):
            self._context.trainers.end(number)
            self._take_end(
                TrialFailed(trial=number, kind=FailureKind.TIMEOUT, message=reason, hint="")
            )

    def put_back(self, number: int) -> None:
        """End a run whose half is worth nothing; it waits again, for a search that is resumed."""
        self._context.trainers.end(number)
        self.running.pop(number)
        attempt = self._ledger[number].attempt + 1
        self._wait_again(number, attempt=attempt)

    def close_waiting(self) -> None:
        """What was proposed and never began waits for nothing any more."""
        for trial in self._ledger.list_trials(SEARCH):
            if trial.state is TrialState.WAITING:
                self._ledger.update(trial.number, **_OVER)

    def _wait_again(self, number: int, **changes: Any) -> Trial:
        self._context.log("info", f"trial {number} had not really begun and waits again")
        return self._ledger.update(number, state=TrialState.WAITING, started_at=None, **changes)

    def _take_ready(self, slot: str, report: Ready) -> None:
        if report.warning:
            self.devices[slot] = report.device
            self._context.warnings.add(report.warning)
            self._context.log("warning", report.warning)

    def _take_gains(self, slot: str, report: Measured) -> None:
        self.gains = {int(width): gain for width, gain in report.gains.items()}
        found = ", ".join(f"width {width} × {gain:.2f}" for width, gain in self.gains.items())
        found = found or "nothing known in time"
        said = report.problem or f"a network trains in a pack, compared with alone: {found}"
        self._context.log("info", f"measured on {slot} in {report.seconds:.1f} s: {said}")

    def _take_epoch(self, report: EpochDone) -> None:
        run = self.running[report.trial]
        run.epoch = report.epoch.number
        if run.pack is not None:
            run.fewest = min(run.fewest, len(self.list_pack(run.slot)))
        if report.epoch.closes_fold:
            run.note_fold(report.epoch)
        elif report.epoch.fold in (None, 1):  # curves are those of the first fold
            self._ledger.record_epoch(report.trial, report.epoch)
        if report.awaits:
            self._take_question(report)

    def _take_question(self, report: Question) -> None:
        run = self.running[report.trial]
        if run.stopping:
            self._context.trainers.answer(report.trial, Verb.STOP)
        else:
            run.question = report

    def _take_pause(self, slot: str, report: PackPaused) -> None:
        """A pack waits, unless all that asked have heard already."""
        runs = (self.running.get(number) for number in report.trials)
        if any(run is not None and run.question is not None for run in runs):
            self._paused.add(slot)

    def _take_shed(self, report: PackShed) -> None:
        """Members of a pack that was lost wait again, for a smaller one; the attempt stays: none is to blame yet."""
        lost = [number for number in report.trials if number in self.running]
        if not lost:
            return
        name = "memory_most" if report.kind is FailureKind.OUT_OF_MEMORY else "pack_most"
        for number in lost:
            self._paused.discard(self.running.pop(number).slot)
            facts = {**self._ledger[number].facts, name: float(report.most)}
            self._ledger.update(number, state=TrialState.WAITING, started_at=None, facts=facts)
        text = f"{_describe_lost(len(report.trials), report.most)}: {report.reason}"
        self._context.log("warning", text)
        self._context.warnings.add(text)

    def _take_end(self, report: TrialDone | TrialDiscarded | TrialFailed) -> Trial:
        run = self.running.pop(report.trial)
        now = time.time()
        if isinstance(report, TrialDiscarded):
            return self._take_discarded(report, now)
        if isinstance(report, TrialFailed):
            self._context.log("warning", f"trial {report.trial} failed: {report.message}")
            return self._ledger.update(
                report.trial,
                state=TrialState.FAILED,
                finished_at=now,
                failure_kind=str(report.kind),
                failure_message=report.message,
                failure_hint=report.hint,
            )
        self._take_warnings(self._ledger[report.trial], report.warnings)
        if self._context.milestones.first_model_seconds is None:
            elapsed = self._context.clock.compute_elapsed()
            self._context.milestones.first_model_seconds = round(elapsed, 2)
        return self._ledger.update(
            report.trial,
            facts={
                **self._ledger[report.trial].facts,
                **self._describe_share(run),
                **{f"fold_{fold}": score for fold, score in run.fold_scores.items()},
                **report.facts,
            },
            state=TrialState.PRUNED if report.was_pruned else TrialState.COMPLETE,
            finished_at=now,
            score=report.score,
            n_epochs=report.n_epochs,
            best_epoch=report.best_epoch,
            n_parameters=report.n_parameters,
            fit_seconds=report.fit_seconds,
            predict_seconds=report.predict_seconds,
            peak_memory_bytes=report.peak_memory_bytes,
        )

    def _describe_share(self, run: Run) -> dict[str, float]:
        """How many times its share of the pack's time a member would have taken alone, at most.

        The whole pack's time at its smallest is a bound; on a CPU a pack is never so many times quicker.
        """
        if run.pack is None or run.epoch == 0:
            return {}
        is_gpu = self.devices.get(run.slot, run.slot).startswith("cuda")
        return {"alone_factor": float(run.fewest if is_gpu else min(run.fewest, MOST_CPU_GAIN))}

    def _take_discarded(self, report: TrialDiscarded, now: float) -> Trial:
        """A trial that ended before its first epoch; why stands in its row, or the search was over."""
        trial = self._ledger[report.trial]
        if not trial.failure_kind and self._context.stop_mode() is StopMode.KEEP_BEST:
            return self._wait_again(trial.number)  # a search that is resumed trains it
        reason = trial.failure_message or _OVER["failure_message"]
        self._context.log("info", f"trial {trial.number} is not trained: {reason}")
        return self._ledger.update(
            trial.number,
            state=TrialState.PRUNED,
            finished_at=now,
            failure_kind=trial.failure_kind or _OVER["failure_kind"],
            failure_message=reason,
        )

    def _take_warnings(self, trial: Trial, warnings: tuple[str, ...]) -> None:
        """All go to the log; into the result go lost memory and final models that were cut short."""
        for warning in warnings:
            title = find_title(trial.family)
            text = f"{title} (trial {trial.number}): {warning}"
            self._context.log("warning", text)
            if "Memory ran out" in warning:
                self._context.warnings.add(f"{title}: {warning}")
            elif trial.stage == REFIT and "Time ran out" in warning:
                self._context.warnings.add(text, is_lasting=False)


def _describe_lost(n_lost: int, most: int) -> str:
    if n_lost == 1:
        return "A network, the last of several that trained at once, was begun again alone"
    return f"{n_lost} networks that trained at once were begun again, at most {most} at once"


def find_title(family: str) -> str:
    """How a family is called; the supernet is in no catalog, because it is never a result."""
    return FAMILIES[family].title if family in FAMILIES else family.capitalize()


def find_trial_name(trial: Trial) -> str:
    """The name of a trial's folder; every attempt has one of its own."""
    return f"{trial.number:05d}-{trial.attempt}"


def find_trial_folder(job_folder: Path, trial: Trial) -> Path:
    """Where a trial's weights and predictions lie."""
    return job_folder / "trials" / find_trial_name(trial)
