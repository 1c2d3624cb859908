"""The primary metric of a prediction with its interval, quick enough to be shown while a search runs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task
from automl.evaluation.outcomes import build_outcomes
from fairness.definitions import METRICS, compute_metric, compute_score

MOST_BOOTSTRAP_ROWS = 30_000  # a bootstrap over more would hold up the worker's heartbeats
MOST_WEIGHTED_ROWS = 10_000  # weights leave no formula to any metric


def describe_value(
    task: Task,
    truth: NDArray[np.generic],
    prediction: NDArray[np.floating],
    weight: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """``value, low, high`` in the metric's own direction; no interval where it would take too long."""
    outcomes = build_outcomes(task, truth, prediction, weight=weight)
    name = task.metric
    if _is_long(name, len(truth), is_weighted=weight is not None):
        score = compute_score(name, outcomes)
        value = -score if METRICS[name].direction == "lower" else score
        return {"value": value, "low": None, "high": None}
    estimate = compute_metric(name, outcomes)
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _is_long(metric: str, n: int, *, is_weighted: bool) -> bool:
    if is_weighted:
        return n > MOST_WEIGHTED_ROWS
    return n > MOST_BOOTSTRAP_ROWS and metric != "roc_auc"
