"""The ensemble of what a search has trained so far, from the predictions that its trials left on disk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.dataset import DataKind
from automl.data.preparing import load_prepared
from automl.evaluation.live_value import describe_value
from automl.evaluation.mixing import mix
from automl.execution.saving import SELECT_PREDICTION
from automl.jobs.records import Trial
from automl.search.crew import find_trial_folder
from automl.search.ensemble import Ensemble, EnsembleInput, build_ensemble
from automl.search.ledger import Ledger
from automl.search.preparation import SEARCH_ROWS
from automl.search.seeding import derive_seed
from automl.search.spec import SearchSpec
from automl.training.rows import get_weight

FAMILY = "ensemble"  # in no catalog: nothing of this family is trained
MOST_CANDIDATES = 40
CONSTANT = "constant"

Predictions = Mapping[int, NDArray[np.floating]]


def may_ensemble(spec: SearchSpec) -> bool:
    """Whether several models may predict together: of tables, where neither size nor time counts.

    A network on pictures costs more to run than all models of a table; there its three seeds are enough.
    """
    is_table = spec.data_kind is DataKind.TABLE
    return is_table and not spec.limits.is_set and not spec.has_front


def pick_candidates(ledger: Ledger) -> tuple[Trial, ...]:
    """The best trials, and of every family the best one, best first; what is over a limit is none.

    Who is no candidate never becomes one: others only get better.
    """
    rows = [row for row in ledger.list_scored() if ledger.is_within_limits(row)]
    rows = [row for row in rows if row.family != CONSTANT]  # the temperature can soften as well
    leaders = {row.family: row.number for row in reversed(rows)}
    wanted = {row.number for row in rows[:MOST_CANDIDATES]} | set(leaders.values())
    return tuple(row for row in rows if row.number in wanted)


@dataclass(slots=True)
class Ensembler:
    """Builds ensembles of one search; predictions are read once."""

    spec: SearchSpec
    folder: Path
    ledger: Ledger
    _truth: NDArray[np.generic] | None = field(default=None, init=False)
    _weight: NDArray[np.float64] | None = field(default=None, init=False)
    _known: dict[int, NDArray[np.floating] | None] = field(default_factory=dict, init=False)

    def build(self) -> Ensemble | None:
        """The ensemble of the candidates; None where there are not two of them, or none is allowed."""
        single = self.ledger.find_best()
        if single is None or not may_ensemble(self.spec):
            return None
        predictions = self._load(pick_candidates(self.ledger))
        if len(predictions) < 2 or single.number not in predictions:
            return None
        return build_ensemble(
            EnsembleInput(
                task=self.spec.task,
                truth=self._load_truth(),
                weight=self._weight,
                predictions=predictions,
                single=single.number,
                seed=derive_seed(self.spec.seed, FAMILY),
            )
        )

    def describe(self, ensemble: Ensemble) -> dict[str, Any]:
        """``value, low, high`` on the select part, the rows it was picked by among them."""
        known = (self._known[number] for number in ensemble.weights)
        members = [each for each in known if each is not None]
        prediction = mix(members, list(ensemble.weights.values()))
        return describe_value(self.spec.task, self._load_truth(), prediction, self._weight)

    def _load(self, trials: Iterable[Trial]) -> Predictions:
        for trial in trials:
            if trial.number not in self._known:
                path = find_trial_folder(self.folder, trial) / SELECT_PREDICTION
                self._known[trial.number] = load_prediction(path)
        numbers = {trial.number for trial in trials}
        self._known = {number: self._known[number] for number in sorted(numbers)}
        return {number: each for number, each in self._known.items() if each is not None}

    def _load_truth(self) -> NDArray[np.generic]:
        if self._truth is None:
            prepared = load_prepared(self.folder / "prepared" / SEARCH_ROWS)
            rows = prepared.judged
            self._truth = np.asarray(prepared.target[rows])
            self._weight = get_weight(prepared, rows)
        return self._truth


def load_prediction(path: Path) -> NDArray[np.floating] | None:
    """A trial's select predictions; None where there are none."""
    if not path.is_file() or not path.stat().st_size:
        return None
    prediction: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
    return prediction if len(prediction) else None


def build_ensemble_name(n_members: int) -> str:
    """How an ensemble is called."""
    return f"Ensemble of {n_members} models"


def build_ensemble_record(ensemble: Ensemble) -> dict[str, Any]:
    """What ``result.json`` says of the picking; JSON has no numbers as keys, so the members are a list."""
    return {
        "is_winner": ensemble.is_delivered,
        "members": [
            {"trial": number, "weight": weight} for number, weight in ensemble.weights.items()
        ],
        "picked_by": ensemble.picked_by,
        "measure": ensemble.measure,
        "n_candidates": ensemble.n_candidates,
        "n_rows": ensemble.n_rows,
        "n_guard": ensemble.n_guard,
        "guard_score": ensemble.guard_score,
        "guard_single": ensemble.guard_single,
        "guard_error": ensemble.guard_error,
    }
