"""The trials of a search as the coordinator knows them: rows in memory, mirrored to the job store."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.files import append_jsonl
from automl.jobs.records import Trial, TrialState
from automl.models.catalog import FAMILIES
from automl.search.goals import ModelLimits
from automl.training.epoch import Epoch

BASELINE = "baseline"
SEARCH = "search"
REFIT = "refit"
SUPERNET = "supernet"  # proposes architectures; its own scores are never results
FLOOR = "constant"  # the family that every limit allows: there is always a model to end with
ACTIVE = (TrialState.WAITING, TrialState.RUNNING)

WriteTrials = Callable[[list[Trial]], None]


class Ledger:
    """Trial rows by number. ``write`` is the store's fenced writer; every change goes through it.

    What is over one of the ``limits`` (a baseline may be) is never the best.
    """

    def __init__(
        self,
        trials: Iterable[Trial],
        write: WriteTrials,
        epochs_path: Path,
        limits: ModelLimits | None = None,
    ) -> None:
        self._limits = limits or ModelLimits()
        self._rows = {trial.number: trial for trial in trials}
        self._write = write
        self._epochs_path = epochs_path

    def __getitem__(self, number: int) -> Trial:
        return self._rows[number]

    def list_trials(self, *stages: str) -> list[Trial]:
        """Rows of the stages (all without one), by number."""
        rows = sorted(self._rows.values(), key=lambda trial: trial.number)
        return [row for row in rows if not stages or row.stage in stages]

    def next_number(self) -> int:
        """The number of the next new trial."""
        return max(self._rows, default=-1) + 1

    def put(self, *trials: Trial) -> None:
        """Add or replace rows, in one transaction."""
        self._write(list(trials))
        for trial in trials:
            self._rows[trial.number] = trial

    def update(self, number: int, **changes: Any) -> Trial:
        """Replace fields of one row."""
        changed: Trial = replace(self._rows[number], **changes)
        self.put(changed)
        return changed

    def revive(self) -> list[Trial]:
        """After a crash: trials that were running wait again, one attempt later. Returns those changed."""
        lost = [
            replace(row, state=TrialState.WAITING, attempt=row.attempt + 1, started_at=None)
            for row in self.list_trials()
            if row.state is TrialState.RUNNING
        ]
        if lost:
            self.put(*lost)
        return lost

    def record_epoch(self, number: int, epoch: Epoch) -> None:
        """Append one epoch to ``epochs.jsonl`` for the live page and the learning curves."""
        append_jsonl(
            self._epochs_path,
            {
                "trial": number,
                "attempt": self._rows[number].attempt,
                "epoch": epoch.number,
                "train_loss": finite(epoch.train_loss),
                "select_loss": finite(epoch.select_loss),
                "score": finite(epoch.score),
                "learning_rate": finite(epoch.learning_rate),
                "seconds": epoch.seconds,
                "clipped": finite(epoch.clipped),
                "gradient_norm": finite(epoch.gradient_norm),
                "gradient_norm_max": finite(epoch.gradient_norm_max),
                "update_ratio": finite(epoch.update_ratio),
                "at": time.time(),
            },
        )

    def list_scored(self) -> list[Trial]:
        """Baselines and search trials with a score, best first; ties go to the earlier trial."""
        scored = [
            row
            for row in self.list_trials(BASELINE, SEARCH)
            if row.state is TrialState.COMPLETE and row.score is not None
        ]
        return sorted(scored, key=lambda row: (-(row.score or 0.0), row.number))

    def is_within_limits(self, trial: Trial) -> bool:
        """Whether a trial keeps every limit, as far as its costs are known."""
        known = {} if trial.n_parameters is None else {"parameters": float(trial.n_parameters)}
        excess = self._limits.compute_excess({**known, **trial.facts})
        return trial.family == FLOOR or all(value <= 0 for value in excess.values())

    def find_best(self) -> Trial | None:
        """The best scored trial so far, within the limits."""
        return next((row for row in self.list_scored() if self.is_within_limits(row)), None)

    def find_best_network(self) -> Trial | None:
        """The best network so far; one that was ended early only where no other finished."""
        networks = [
            row
            for row in self.list_scored()
            if FAMILIES[row.family].is_network and self.is_within_limits(row)
        ]
        if networks:
            return networks[0]
        pruned = [
            row
            for row in self.list_trials(SEARCH)
            if row.state is TrialState.PRUNED
            and row.score is not None
            and FAMILIES[row.family].is_network
            and self.is_within_limits(row)
        ]
        return max(pruned, key=lambda row: (row.score or 0.0, -row.number), default=None)


def finite(value: float | None) -> float | None:
    """The number, or None where it is none (JSON has no NaN)."""
    return value if value is not None and abs(value) < float("inf") else None
