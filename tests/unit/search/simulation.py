"""Trainers without training: a known function of configuration and epoch, in logical time."""

import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.split_plan import build_split_plan
from automl.data.task import Task, TaskType
from automl.execution.messages import (
    EpochDone,
    FailureKind,
    Measured,
    PackPaused,
    PackShed,
    Ready,
    Train,
    TrainPack,
    TrialDone,
    TrialFailed,
    Verb,
)
from automl.jobs.records import StopMode, Trial
from automl.models.catalog import get_space
from automl.search.budget import BudgetClock
from automl.search.context import CoordinatorContext, Milestones, Sizes, Warnings
from automl.search.coordinator import Coordinator
from automl.search.crew import Crew
from automl.search.ledger import Ledger
from automl.search.rungs import build_rung_plan
from automl.search.spec import Budget, Resources, SearchSpec
from automl.training.epoch import Epoch

FAMILIES = ("constant", "linear", "boosting", "mlp", "resnet")


def build_spec(**changes) -> SearchSpec:
    columns = (
        ColumnUse(name="age", kind=Kind.NUMERIC, role=Role.FEATURE),
        ColumnUse(name="income", kind=Kind.CATEGORICAL, role=Role.TARGET),
    )
    task = Task(
        target="income",
        type=TaskType.BINARY,
        metric="roc_auc",
        classes=("no", "yes"),
        positive="yes",
    )
    spec = SearchSpec(
        data="0" * 64,
        data_name="people.csv",
        columns=columns,
        task=task,
        split=build_split_plan(test_given=False, group=None),
        budget=Budget(trials=12),
        resources=Resources(devices=("cpu:0", "cpu:1"), threads=1, batch_size=128),
        families=FAMILIES,
        spaces={name: get_space(name) for name in FAMILIES},
    )
    return replace(spec, **changes)


def simulate_score(command: Train, epoch: int) -> float:
    """Rises with the epochs to a ceiling that depends on the configuration alone."""
    ceilings = {"constant": 0.5, "linear": 0.8, "boosting": 0.85}
    ceiling = ceilings.get(command.family, 0.8)
    depth = command.config.get("depth", command.config.get("blocks", 1))
    ceiling += 0.03 * int(depth) + 0.0001 * float(command.config.get("width", 0))
    return ceiling - 0.3 * math.exp(-epoch / 5)


@dataclass
class SimulatedTrainers:
    """``poll`` moves every running trial by one epoch. Families in ``fails`` crash, in ``deaf`` hear nothing.

    A pack of more than ``room`` members runs out of memory. ``packs`` keeps the trial numbers of every command.
    """

    slots: tuple[str, ...] = ("cpu:0", "cpu:1")
    fails: frozenset[str] = frozenset()
    deaf: frozenset[str] = frozenset()
    seconds_per_poll: float = 0.0
    now: float = 0.0
    jobs: dict[str, list] = field(default_factory=dict)  # slot → [command, epoch, is waiting, verb]
    trained: list[Train] = field(default_factory=list)
    most_at_once: int = 0
    room: int = 999
    members: dict[str, list] = field(default_factory=dict)  # slot → jobs of its pack
    gains: dict[str, float] = field(default_factory=lambda: {"64": 2.0, "128": 1.2, "256": 1.0})
    measuring: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)
    packs: list[tuple[int, ...]] = field(default_factory=list)

    def idle_slots(self):
        busy = {*self.measuring, *self.jobs, *(slot for slot, pack in self.members.items() if pack)}
        return [slot for slot in self.slots if slot not in busy]

    def measure(self, slot: str, batch_size: int) -> None:
        assert slot in self.idle_slots()
        assert batch_size > 1
        self.measuring.append(slot)
        self.measured.append(slot)

    def submit(self, slot: str, command: Train | TrainPack) -> None:
        assert slot not in self.jobs
        if isinstance(command, TrainPack):
            fresh = [[member, 0, False, Verb.CONTINUE] for member in command.members]
            self.members.setdefault(slot, []).extend(fresh)
            self.trained.extend(command.members)
            self.packs.append(tuple(member.trial for member in command.members))
            return
        assert not self.members.get(slot)
        self.jobs[slot] = [command, 0, False, Verb.CONTINUE]
        self.trained.append(command)
        self.most_at_once = max(self.most_at_once, len(self.jobs))

    def answer(self, trial: int, verb: Verb, max_epochs: int | None = None) -> None:
        del max_epochs  # only networks on pictures are told
        for job in (*self.jobs.values(), *(job for pack in self.members.values() for job in pack)):
            if job[0].trial == trial:
                job[2], job[3] = False, verb

    def end(self, trial: int) -> None:
        for slot, pack in list(self.members.items()):
            if any(job[0].trial == trial for job in pack):
                self.members.pop(slot)
        self.jobs = {slot: job for slot, job in self.jobs.items() if job[0].trial != trial}

    def poll(self, timeout: float) -> list[tuple[str, Ready | EpochDone | TrialDone | TrialFailed]]:
        del timeout  # time is logical here
        self.now += self.seconds_per_poll
        reports = [(slot, Measured(gains=self.gains, seconds=1.0)) for slot in self.measuring]
        self.measuring.clear()
        for slot in list(self.jobs):
            report = self._advance(slot)
            if report is not None:
                reports.append((slot, report))
        for slot in list(self.members):
            reports += [(slot, report) for report in self._advance_pack(slot)]
        return reports

    def _advance_pack(self, slot: str) -> list:
        pack = self.members[slot]
        if any(job[2] for job in pack):
            return []
        if len(pack) > self.room:
            return [self.lose(slot, FailureKind.OUT_OF_MEMORY, "Memory ran out.")]
        reports = []
        for job in list(pack):
            report = self._step(job)
            if not isinstance(report, EpochDone):
                pack.remove(job)
            reports.append(report)
        asking = tuple(job[0].trial for job in pack if job[2])
        return [*reports, PackPaused(trials=asking)] if asking else reports

    def lose(self, slot: str, kind: FailureKind, reason: str) -> PackShed:
        """The pack of a slot is gone, as after the death of its trainer."""
        trials = tuple(job[0].trial for job in self.members.pop(slot))
        return PackShed(trials=trials, most=max(1, len(trials) // 2), kind=kind, reason=reason)

    def _advance(self, slot: str):
        job = self.jobs[slot]
        if job[2]:
            return None
        if job[0].family in self.deaf:
            return None
        report = self._step(job)
        if not isinstance(report, EpochDone):
            self.jobs.pop(slot)
        return report

    def _step(self, job: list):
        command, epoch, _, verb = job
        if command.family in self.fails:
            return TrialFailed(trial=command.trial, kind=FailureKind.CRASHED, message="It died.")
        horizon = min(command.max_epochs, int(command.config.get("epochs", 1)))
        horizon = command.max_epochs if command.is_refit else horizon
        if verb is not Verb.CONTINUE or epoch >= horizon:
            return self._finish(command, epoch, verb)
        job[1] = epoch = epoch + 1
        job[2] = awaits = epoch in command.rungs
        score = simulate_score(command, epoch)
        return EpochDone(
            trial=command.trial,
            awaits=awaits,
            epoch=Epoch(
                number=epoch,
                train_loss=1 - score,
                select_loss=1 - score,
                score=score,
                learning_rate=1e-3,
                seconds=0.1,
                is_best=True,
            ),
        )

    def _finish(self, command: Train, epoch: int, verb: Verb) -> TrialDone:
        size = 50.0 * float(command.config.get("width", 1.0))
        return TrialDone(
            facts={"parameters": size, "latency_ms": size / 1000} if command.measure else {},
            trial=command.trial,
            score=None if command.is_refit else simulate_score(command, epoch),
            n_epochs=epoch,
            best_epoch=max(1, epoch),
            n_parameters=100,
            fit_seconds=0.1 * epoch,
            predict_seconds=0.01,
            peak_memory_bytes=1,
            was_pruned=verb is Verb.PRUNE,
        )


@dataclass
class Bench:
    """A coordinator with simulated trainers over rows in memory."""

    folder: Path
    spec: SearchSpec = field(default_factory=build_spec)
    trainers: SimulatedTrainers = field(default_factory=SimulatedTrainers)
    rows: dict[int, Trial] = field(default_factory=dict)
    writes: list[Trial] = field(default_factory=list)
    stop: StopMode | None = None
    progress: list[dict] = field(default_factory=list)

    def __post_init__(self) -> None:
        is_logical = self.trainers.seconds_per_poll > 0
        clock = BudgetClock(
            total=self.spec.budget.seconds,
            base=0.0,
            started=0.0 if is_logical else time.monotonic(),
            now=(lambda: self.trainers.now) if is_logical else time.monotonic,
        )
        self.context = CoordinatorContext(
            spec=self.spec,
            job_id="job",
            folder=self.folder,
            trainers=self.trainers,
            clock=clock,
            sizes=Sizes(train=600, select=150, refit=750, test=150),
            warnings=Warnings(path=self.folder / "warnings.json"),
            milestones=Milestones(),
            stop_mode=lambda: self.stop,
            report=self.progress.append,
            log=lambda _level, _message: None,
            describe_score=lambda trial: {"value": trial.score, "low": None, "high": None},
        )
        self.ledger = Ledger(
            self.rows.values(), self.write, self.folder / "epochs.jsonl", self.spec.limits
        )
        self.crew = Crew(self.context, self.ledger)

    @property
    def warnings(self) -> Warnings:
        return self.context.warnings

    def write(self, trials: list[Trial]) -> None:
        self.writes.extend(trials)
        self.rows.update({trial.number: trial for trial in trials})

    def build(self) -> Coordinator:
        plan = build_rung_plan(self.context.sizes.train, self.spec.resources.batch_size)
        return Coordinator(self.context, self.ledger, self.crew, plan)

    def run(self) -> list[Trial]:
        for _ in self.build().run():
            pass
        return self.ledger.list_trials()
