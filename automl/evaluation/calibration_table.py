"""What calibration did to the test part: the same metrics before and after."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.errors import SpecError
from automl.evaluation.calibration import Temperature
from automl.evaluation.calibrator_choice import Choice
from automl.evaluation.evaluate import compute_calibration_pair, compute_metrics
from automl.evaluation.outcomes import build_outcomes, list_metrics
from fairness.estimates import Estimate
from fairness.reliability import NullValue, compute_ece_null

SHOWN = ("log_loss", "brier_score", "ece", "roc_auc", "roc_auc_ovr", "accuracy")


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationTable:
    """Metrics of the test part before and after; ``fitted`` on the calibrate part, as was the ``choice`` of the winner.

    ``ece_null``: the ECE that calibrated scores like these would show on so many rows.
    """

    fitted: Temperature
    before: dict[str, Estimate]
    after: dict[str, Estimate]
    ece_null: dict[str, NullValue]
    choice: Choice | None = None

    def to_json(self) -> dict[str, Any]:
        """``temperature``, facts of the fit, ``choice`` of the calibrator, and metric → estimate ``before`` and ``after``."""
        return {
            "temperature": self.fitted.value,
            **({} if self.choice is None else {"choice": self.choice.to_json()}),
            "n_calibrate": self.fitted.n,
            "is_at_bound": self.fitted.is_at_bound,
            "before": {name: estimate.to_json() for name, estimate in self.before.items()},
            "after": {name: estimate.to_json() for name, estimate in self.after.items()},
            "ece_null": {
                name: {"mean": null.mean, "high": null.high} for name, null in self.ece_null.items()
            },
        }


def compute_calibration_table(
    task: Task,
    truth: NDArray[np.generic],
    uncalibrated: NDArray[np.floating],
    fitted: Temperature,
    *,
    choice: Choice | None = None,
    seed: int = 0,
    weight: NDArray[np.floating] | None = None,
) -> CalibrationTable:
    """Log loss, Brier score, ECE, AUC and accuracy of ``uncalibrated`` test probabilities, then mended.

    By the calibrator of ``choice``, without one by the temperature ``fitted``.
    """
    if task.type is TaskType.REGRESSION:
        raise SpecError("A regression has no probabilities to calibrate.")
    names = tuple(name for name in SHOWN if name in list_metrics(task))
    final = fitted.apply(uncalibrated) if choice is None else choice.calibrator.apply(uncalibrated)
    versions = {
        "before": build_outcomes(task, truth, uncalibrated, weight=weight),
        "after": build_outcomes(task, truth, final, weight=weight),
    }
    metrics = {
        name: compute_metrics(task, outcomes, names, seed=seed)
        for name, outcomes in versions.items()
    }
    null = {
        name: compute_ece_null(compute_calibration_pair(outcomes)[1], seed=seed)
        for name, outcomes in versions.items()
    }
    return CalibrationTable(
        fitted=fitted,
        before=metrics["before"],
        after=metrics["after"],
        ece_null=null,
        choice=choice,
    )
