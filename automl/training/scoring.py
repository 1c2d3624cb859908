"""The primary metric, further metrics and the loss of predictions, on plain arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.errors import DataError, TrainingDiverged
from fairness.definitions import METRICS, Outcomes, compute_score

FURTHER_METRICS = {
    TaskType.BINARY: ("roc_auc", "accuracy", "log_loss", "brier_score"),
    TaskType.MULTICLASS: ("accuracy", "f1_macro", "log_loss", "roc_auc_ovr"),
    TaskType.REGRESSION: ("rmse", "mae", "r2"),
}
TINY = 1e-15  # as in scikit-learn's log_loss


@dataclass(frozen=True, kw_only=True, slots=True)
class Scorer:
    """The task, the true values of the rows that decide (the select part), and their weights if they differ."""

    task: Task
    truth: NDArray[Any]
    target_scale: float = 1.0
    weight: NDArray[np.float64] | None = None

    def compute_score(self, prediction: NDArray[np.float64]) -> float:
        """The primary metric, higher is better; non-finite predictions are ``TrainingDiverged``."""
        return compute_score(self.task.metric, self._build_outcomes(prediction))

    def compute_metrics(self, prediction: NDArray[np.float64]) -> dict[str, float]:
        """Further metrics in their own direction; one that these rows do not allow is left out."""
        outcomes = self._build_outcomes(prediction)
        names = dict.fromkeys((self.task.metric, *FURTHER_METRICS[self.task.type]))
        values = {}
        for name in names:
            value = compute_score(name, outcomes)
            values[name] = -value if METRICS[name].direction == "lower" else value
        return {name: float(value) for name, value in values.items() if np.isfinite(value)}

    def compute_loss(self, prediction: NDArray[np.float64]) -> float:
        """Mean cross-entropy, or mean squared error in standardised units."""
        if self.task.type is TaskType.REGRESSION:
            error = (prediction - self.truth) / self.target_scale
            return float(np.average(error**2, weights=self.weight))
        chosen = prediction[np.arange(len(self.truth)), self.truth]
        return float(-np.average(np.log(np.clip(chosen, TINY, 1)), weights=self.weight))

    def _build_outcomes(self, prediction: NDArray[np.float64]) -> Outcomes:
        if not np.isfinite(prediction).all():
            raise TrainingDiverged(
                "The predictions are not finite.", hint="A lower learning rate may help."
            )
        if self.task.type is TaskType.REGRESSION:
            return Outcomes("regression", self.truth, prediction=prediction, weight=self.weight)
        if self.task.type is TaskType.MULTICLASS:
            return Outcomes("multiclass", self.truth, probability=prediction, weight=self.weight)
        positive = self.task.positive_index
        truth = (self.truth == positive).astype(np.int64)
        return Outcomes("binary", truth, probability=prediction[:, positive], weight=self.weight)


def check_score(scorer: Scorer) -> None:
    """Raise ``DataError`` where the select part cannot carry the metric, before any work is done."""
    counted = slice(None) if scorer.weight is None else scorer.weight > 0
    n_distinct = len(np.unique(scorer.truth[counted]))
    if not len(scorer.truth) or (n_distinct < 2 and scorer.task.metric in ("roc_auc", "r2")):
        raise DataError(
            f"{scorer.task.metric} cannot be computed on the select part: it has "
            f"{len(scorer.truth)} rows with {n_distinct} distinct values of {scorer.task.target!r}.",
            hint="Choose another metric or use more rows.",
        )
