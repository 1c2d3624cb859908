"""Image trainers without training: screens, epochs that take logical time, a supernet that proposes."""

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from search_simulation import Bench, SimulatedTrainers, build_spec

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.task import Task, TaskType
from automl.execution.messages import Screened, TrialDiscarded, TrialDone
from automl.execution.trainer import shorten
from automl.search.spec import Budget, Resources, SearchSpec
from automl.space.dimensions import Float, Int
from automl.training.epoch import Epoch, Screen, Verb

N_TRAIN = 600  # as the bench says
CNN_SPACE = {
    "width": Int(low=16, high=256, step=16),
    "depth": Int(low=1, high=4),
    "lr": Float(low=1e-3, high=1.0, log=True),
    "epochs": Int(low=4, high=40),
}
FAMILIES = ("constant", "linear", "small_cnn", "cnn")


def build_image_spec(**changes) -> SearchSpec:
    columns = (
        ColumnUse(name="file", kind=Kind.IMAGE, role=Role.FEATURE),
        ColumnUse(name="label", kind=Kind.CATEGORICAL, role=Role.TARGET),
    )
    task = Task(
        target="label", type=TaskType.MULTICLASS, metric="accuracy", classes=("a", "b", "c")
    )
    spaces = {"constant": {}, "linear": {"C": Float(low=1e-3, high=1.0)}, "small_cnn": {}}
    spec = replace(
        build_spec(),
        columns=columns,
        task=task,
        budget=Budget(trials=16),
        resources=Resources(devices=("cpu:0", "cpu:1"), threads=1, batch_size=64),
        families=FAMILIES,
        spaces={**spaces, "cnn": CNN_SPACE},
    )
    return replace(spec, **changes)


def measure(config) -> Screen:
    """Costs that follow from width and depth alone."""
    width = int(config.get("width", config.get("stage1.width", 32)))
    weights = width**2 * 9 * int(config.get("depth", config.get("stage1.blocks", 1)))
    return Screen(
        parameters=weights,
        macs=weights * 64,
        latency_ms=0.5 + weights / 1e6,
        proxy=math.sqrt(weights),
        picture_seconds=weights / 1e8,
    )


def score(config, epoch: int) -> float:
    """Wider and deeper is better, with a little that only the learning rate decides."""
    size = math.log2(int(config.get("width", 16)) * int(config.get("depth", 1)))
    taste = 0.05 * math.sin(40 * float(config.get("lr", 0.1)))
    return 0.4 + 0.04 * size + taste - 0.3 * math.exp(-epoch / 5)


@dataclass
class ImageTrainers(SimulatedTrainers):
    """Two answers per network: its screen, then its epochs. ``slowness`` is real time over the forecast's bare steps."""

    slowness: float = 1.3
    candidates: list | str | None = None
    screened: list[int] = field(default_factory=list)
    done_at: dict[int, float] = field(default_factory=dict)

    def answer(self, trial: int, verb: Verb, max_epochs: int | None = None) -> None:
        for job in self.jobs.values():
            if job[0].trial == trial and max_epochs is not None:
                job[0] = shorten(job[0], max_epochs)
        super().answer(trial, verb, max_epochs)

    def _advance(self, slot: str):
        command, epoch, waits, verb = self.jobs[slot]
        if waits or command.family in (*self.deaf, *self.fails):
            return super()._advance(slot)
        if command.family == "supernet":
            return self._propose(slot)
        if command.screen and command.trial not in self.screened:
            self.screened.append(command.trial)
            self.jobs[slot][2] = True
            return Screened(trial=command.trial, screen=measure(command.config))
        if epoch == 0 and verb is not Verb.CONTINUE and command.screen:
            self.jobs.pop(slot)
            return TrialDiscarded(trial=command.trial)
        if self.seconds_per_poll and not self._is_time(command):
            return None
        report = super()._advance(slot)
        return self._rescore(report, command)

    def _is_time(self, command) -> bool:
        seconds = self.compute_epoch_seconds(command)
        due = self.done_at.setdefault(command.trial, self.now + seconds)
        if self.now < due:
            return False
        self.done_at[command.trial] = due + seconds
        return True

    def compute_epoch_seconds(self, command) -> float:
        growth = 1.25 if command.is_refit else 1.0
        return measure(command.config).picture_seconds * N_TRAIN * self.slowness * growth

    def _rescore(self, report, command):
        if isinstance(report, TrialDone):
            value = None if command.is_refit else score(command.config, report.n_epochs)
            seconds = self.compute_epoch_seconds(command) * report.n_epochs
            n_parameters = measure(command.config).parameters
            return replace(report, score=value, fit_seconds=seconds, n_parameters=n_parameters)
        if report is not None and isinstance(getattr(report, "epoch", None), Epoch):
            value = score(command.config, report.epoch.number)
            return replace(report, epoch=replace(report.epoch, score=value))
        return report

    def _propose(self, slot: str):
        command, *_ = self.jobs.pop(slot)
        folder = Path(command.out)
        folder.mkdir(parents=True)
        if self.candidates is not None:
            text = (
                self.candidates if isinstance(self.candidates, str) else json.dumps(self.candidates)
            )
            (folder / "candidates.json").write_text(text)
        return TrialDone(
            trial=command.trial,
            score=None,
            n_epochs=5,
            best_epoch=5,
            n_parameters=10,
            fit_seconds=10.0,
            predict_seconds=0.0,
            peak_memory_bytes=1,
            was_pruned=False,
        )


def build_bench(folder, spec=None, **changes) -> Bench:
    trainers = changes.pop("trainers", None) or ImageTrainers(**changes)
    return Bench(folder, spec=spec or build_image_spec(), trainers=trainers)
