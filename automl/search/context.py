"""What a coordinator is given, and how it ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from automl.errors import AutoMLError
from automl.execution.messages import Report, Train, TrainPack
from automl.files import load_json, write_json
from automl.jobs.records import StopMode, Trial
from automl.search.budget import BudgetClock
from automl.search.spec import SearchSpec
from automl.training.epoch import Verb


class SearchDiscarded(AutoMLError):
    """The person asked to end the search and to keep nothing."""


class Trainers(Protocol):
    """The part of an executor a coordinator needs; trainers are named by their slot."""

    def idle_slots(self) -> Sequence[str]:
        """Slots whose trainer is ready and has nothing to do."""

    def measure(self, slot: str, batch_size: int) -> None:
        """Find out on an idle slot what packs gain there."""

    def submit(self, slot: str, command: Train | TrainPack) -> None:
        """Begin a run on an idle slot; a pack also joins the one that a slot runs."""

    def answer(self, trial: int, verb: Verb, max_epochs: int | None = None) -> None:
        """Tell a run to go on (after a screen: for so many epochs), to end here, or to stop."""

    def end(self, trial: int) -> None:
        """End a run that did not stop when told; its slot becomes idle again, its pack is shed."""

    def poll(self, timeout: float) -> list[tuple[str, Report]]:
        """What the trainers reported since the last call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """Rows in the parts a coordinator plans with."""

    train: int
    select: int
    refit: int
    test: int


@dataclass(kw_only=True, slots=True)
class Warnings:
    """Things said aloud in the result, each once, in order; those of earlier attempts are in ``path``."""

    path: Path
    texts: list[str] = field(default_factory=list)
    _lasting: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.path.is_file():
            self._lasting = load_json(self.path)
            self.texts += self._lasting

    def add(self, text: str, *, is_lasting: bool = True) -> None:
        """Say it, unless it was said. What is true of this attempt only is not lasting."""
        if not text or text in self.texts:
            return
        self.texts.append(text)
        if is_lasting:
            self._lasting.append(text)
            write_json(self.path, self._lasting)


@dataclass(kw_only=True, slots=True)
class Milestones:
    """What is remembered of a search as it runs: moments in seconds since its start, and the ensemble as it is shown.

    ``ensemble_seconds`` is the time that picking and weighing ensembles took in this attempt, all of them together.
    """

    first_model_seconds: float | None = None
    ensemble: Mapping[str, Any] | None = None
    ensemble_seconds: float = 0.0

    def show_ensemble(self, described: Mapping[str, Any] | None) -> None:
        """Take over the latest ensemble, or that there is none."""
        self.ensemble = described

    def add_ensemble_seconds(self, seconds: float) -> None:
        """Count what building one ensemble took."""
        self.ensemble_seconds += seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class CoordinatorContext:
    """Everything around one run of one search.

    ``folder`` is the job's; ``stop_mode`` says whether somebody asked to end; ``report`` takes the live
    progress; ``describe_score`` gives a metric value with its interval for a trial's select predictions.
    ``start_seconds``: what the child that prepared the rows took until it read its data, None where it had nothing to do.
    """

    spec: SearchSpec
    job_id: str
    folder: Path
    trainers: Trainers
    clock: BudgetClock
    sizes: Sizes
    warnings: Warnings
    milestones: Milestones
    stop_mode: Callable[[], StopMode | None]
    report: Callable[[Mapping[str, Any]], None]
    log: Callable[[str, str], None]
    describe_score: Callable[[Trial], Mapping[str, Any]]
    start_seconds: float | None = None

    def require_kept(self) -> None:
        """Raise ``SearchDiscarded`` once the person asked to discard."""
        if self.stop_mode() is StopMode.DISCARD:
            raise SearchDiscarded("The search was ended and its results were discarded.")
