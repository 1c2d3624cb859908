"""Keeps the disk small: only models that may be needed at the end keep their weights."""

from pathlib import Path

from automl.jobs.records import Trial
from automl.search.crew import find_trial_folder
from automl.search.ensembling import may_ensemble, pick_candidates
from automl.search.ledger import SEARCH, Ledger
from automl.search.spec import SearchSpec

WEIGHTS = ("model.safetensors", "model.json")


class Shed:
    """Removes the weights of trials that lost; their select predictions stay for the ranking.

    Kept are the best trial, the best network, the baselines and, where there may be an ensemble, its candidates: they
    stand in where a refit fails. The best only get better, so what is removed is never wanted again.
    """

    def __init__(self, spec: SearchSpec, folder: Path, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger
        self._has_candidates = may_ensemble(spec)
        self._kept: dict[int, Trial] = {}

    def look(self, ended: Trial) -> None:
        """Consider a trial that has ended, and those kept so far."""
        if ended.stage != SEARCH:
            return
        self._kept[ended.number] = ended
        leaders = (self._ledger.find_best(), self._ledger.find_best_network())
        wanted = {trial.number for trial in leaders if trial is not None}
        if self._has_candidates:
            wanted |= {trial.number for trial in pick_candidates(self._ledger)}
        for number in set(self._kept) - wanted:
            folder = find_trial_folder(self._folder, self._kept.pop(number))
            for name in WEIGHTS:
                (folder / name).unlink(missing_ok=True)
