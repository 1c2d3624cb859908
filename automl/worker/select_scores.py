"""Select scores with intervals, from the predictions that trainers leave on disk."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.preparing import load_prepared
from automl.data.task import Task
from automl.evaluation.live_value import describe_value
from automl.execution.saving import SELECT_PREDICTION
from automl.jobs.records import Trial
from automl.search.crew import find_trial_folder
from automl.training.rows import get_weight


class SelectScores:
    """The primary metric of trials on the select part, computed once per trial."""

    def __init__(self, task: Task, job_folder: Path) -> None:
        self._task = task
        self._folder = job_folder
        self._truth: NDArray[np.generic] | None = None
        self._weight: NDArray[np.float64] | None = None
        self._known: dict[int, dict[str, Any]] = {}

    def describe(self, trial: Trial) -> dict[str, Any]:
        """``value, low, high`` of the metric (its own direction); None where there is no prediction."""
        if trial.number not in self._known:
            self._known[trial.number] = self._describe(trial)
        return self._known[trial.number]

    def _describe(self, trial: Trial) -> dict[str, Any]:
        prediction = self.load_prediction(trial)
        if prediction is None:
            return {"value": None, "low": None, "high": None}
        return describe_value(self._task, self.load_truth(), prediction, self._weight)

    def load_truth(self) -> NDArray[np.generic]:
        """The encoded target of the select rows."""
        if self._truth is None:
            prepared = load_prepared(self._folder / "prepared" / "search")
            self._truth = np.asarray(prepared.target[prepared.judged])
            self._weight = get_weight(prepared, prepared.judged)
        return self._truth

    def load_prediction(self, trial: Trial) -> NDArray[np.floating] | None:
        """What a trial predicted for the select rows."""
        path = find_trial_folder(self._folder, trial) / SELECT_PREDICTION
        if not path.is_file():
            return None
        prediction: NDArray[np.floating] = np.load(path, allow_pickle=False)
        return prediction if len(prediction) == len(self.load_truth()) else None
