"""What a crew is given and what it keeps of a trial that trains."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean

from automl.execution.messages import EpochDone, Screened
from automl.jobs.records import Trial
from automl.training.epoch import Epoch


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long a run may take: epochs (``rungs`` among them), seconds; whether it is a refit, or screened first."""

    max_epochs: int
    rungs: tuple[int, ...] = ()
    deadline_seconds: float | None = None
    is_refit: bool = False
    screen: bool = False
    measure: bool = False


Question = EpochDone | Screened


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """Trials that train as one program: each with its limits; ``facts`` go into the row of each."""

    number: int
    members: tuple[Trial, ...]
    limits: tuple[Limits, ...]
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Run:
    """A trial in a trainer. ``question`` is the screen or the rung it waits at, None while it trains.

    ``pack`` is the number of its pack, None where it trains alone; ``fewest`` the least members it had in an epoch;
    ``fold_scores`` those of the folds that are over.
    """

    slot: str
    asks: bool
    started: float
    pack: int | None = None
    epoch: int = 0
    fewest: int = 10**6
    question: Question | None = None
    stopping: bool = False
    fold_scores: dict[int, float] = field(default_factory=dict)

    def compute_fold_mean(self) -> float | None:
        """The mean score of the folds so far."""
        return fmean(self.fold_scores.values()) if self.fold_scores else None

    def note_fold(self, epoch: Epoch) -> None:
        """A fold is over; where its rows allow no score it has none."""
        if epoch.fold is not None and epoch.fold_score is not None:
            self.fold_scores[epoch.fold] = epoch.fold_score
