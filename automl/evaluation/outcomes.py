"""From a task and a model's prediction to what the metric registry reads."""

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.errors import DataError
from fairness.definitions import METRICS
from fairness.outcomes import Outcomes

THRESHOLD = 0.5  # of the positive probability, reached means positive
ROUNDING = 1e-5
PAIRED, MOST_PAIRED = "roc_auc_ovo", 50  # classes; more have over a thousand pairs


def build_outcomes(
    task: Task,
    truth: NDArray[np.generic],
    prediction: NDArray[np.floating],
    *,
    mape_floor: float | None = None,
    weight: NDArray[np.floating] | None = None,
) -> Outcomes:
    """``Outcomes`` of the registry for a task.

    ``truth``: class indices into ``task.classes`` or values, ``(n,)``. ``prediction``: probabilities
    ``(n, K)`` in that order, or values ``(n,)``. For a binary task the result speaks of the positive class.
    ``mape_floor``: the 1st percentile of the absolute training target (regression; default: of ``truth``).
    ``weight``: how many rows each row stands for, ``(n,)``.
    """
    _check(task, truth, prediction)
    if task.type is TaskType.REGRESSION:
        return Outcomes(
            task_type="regression",
            truth=np.asarray(truth, dtype=np.float64),
            prediction=np.asarray(prediction, dtype=np.float64),
            floor=mape_floor,
            weight=weight,
        )
    labels = np.asarray(truth, dtype=np.int64)
    # The last bit of a float32 softmax may lie outside; more than that was refused above.
    probability = np.clip(np.asarray(prediction, dtype=np.float64), 0, 1)
    decision = decide(task, probability)
    if task.type is TaskType.MULTICLASS:
        return Outcomes(
            task_type="multiclass",
            truth=labels,
            prediction=decision,
            probability=probability,
            weight=weight,
        )
    positive = task.positive_index
    return Outcomes(
        task_type="binary",
        truth=(labels == positive).astype(np.int64),
        prediction=(decision == positive).astype(np.int64),
        probability=probability[:, positive],
        weight=weight,
    )


def decide(
    task: Task, probability: NDArray[np.floating], threshold: float = THRESHOLD
) -> NDArray[np.int64]:
    """The decided class index of every row.

    Binary: positive from ``threshold`` on. Otherwise the most likely class, the first of equals.
    Shape: ``(n, K) → (n,)``
    """
    if task.type is TaskType.BINARY:
        positive = task.positive_index
        return np.where(probability[:, positive] >= threshold, positive, 1 - positive).astype(
            np.int64
        )
    best: NDArray[np.int64] = probability.argmax(axis=1).astype(np.int64)
    return best


def list_metrics(task: Task) -> tuple[str, ...]:
    """Names of all metrics that fit the task, the primary one first.

    Above 50 classes the one of pairs of classes is left out, unless it is the primary one: it would take too long.
    """
    names = [name for name, metric in METRICS.items() if task.type.value in metric.tasks]
    if len(task.classes) > MOST_PAIRED and task.metric != PAIRED:
        names.remove(PAIRED)
    return tuple(sorted(names, key=lambda name: name != task.metric))


def _check(task: Task, truth: NDArray[np.generic], prediction: NDArray[np.floating]) -> None:
    """Refuse shapes that do not fit the task, and values that are no numbers."""
    n_classes = len(task.classes)
    wanted = (len(truth),) if task.type is TaskType.REGRESSION else (len(truth), n_classes)
    if prediction.shape != wanted or len(truth) == 0:
        raise DataError(
            f"Predictions of {task.target!r} have shape {prediction.shape}, "
            f"{len(truth)} rows of truth need {wanted}."
        )
    if not np.isfinite(prediction).all():
        n_bad = int((~np.isfinite(prediction)).sum())
        raise DataError(
            f"{n_bad} predicted values of {task.target!r} are not finite.",
            hint="Search again, or choose another model.",
        )
    if n_classes and (prediction.min() < -ROUNDING or prediction.max() > 1 + ROUNDING):
        raise DataError(
            f"Probabilities of {task.target!r} lie between {prediction.min():g} and "
            f"{prediction.max():g}, not between 0 and 1."
        )
