"""What an ensemble is picked by: the measure of many mixtures at once, and the error of a gain.

A prediction is reduced to the columns that its measure reads: one for a value, the positive class or the
probability of the true class, all of them otherwise. Means of predictions are means of these columns too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from fairness.definitions import compute_score
from fairness.intervals import compute_auc_influence
from fairness.outcomes import Outcomes
from fairness.reliability import LOG_LOSS_CLIP
from fairness.scores import compute_symmetric_errors

Floats = NDArray[np.float64]
Truth = NDArray[np.generic]
Weight = Floats | None
Lose = Callable[[Truth, Floats], Floats]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """``reduce``: prediction → columns ``(n, D)``. ``score``: truth, columns, weights of rows → higher is better.

    ``compute_parts``: truth, columns → what varies from row to row, ``(m,)``; the error of a difference of two
    scores is that of the mean of the differences of their parts.
    """

    name: str
    reduce: Callable[[Truth, NDArray[np.floating]], Floats]
    score: Callable[[Truth, Floats, Weight], float]
    compute_parts: Callable[[Truth, Floats], Floats]
    is_ranking: bool = False  # sorts the rows, and needs both classes among them

    def compute_error(
        self, truth: Truth, first: Floats, second: Floats, weight: Weight = None
    ) -> float:
        """Standard error of the score of ``first`` minus that of ``second``, on the same rows.

        Rows that weigh nothing are none.
        """
        if weight is not None:
            counted = weight > 0
            truth, first, second = truth[counted], first[counted], second[counted]
            weight = weight[counted]
        parts = self.compute_parts(truth, first) - self.compute_parts(truth, second)
        share = np.full(len(parts), 1 / len(parts)) if weight is None else weight / weight.sum()
        return float(np.sqrt(((share * (parts - share @ parts)) ** 2).sum()))


def build_measure(task: Task) -> Measure:
    """The task's metric where it moves with every prediction, else the log loss or the mean squared error.

    Accuracy and the like are decided by a threshold, which most changes do not cross.
    """
    default = "mse" if task.type is TaskType.REGRESSION else "log_loss"
    return _MEASURES.get(task.metric, _MEASURES[default])(task)


def build_picking_measure(task: Task) -> Measure:
    """What models are picked by: the task's measure, for areas under the ROC curve the log loss.

    Picks by the AUC follow the noise of a few rows that change places. On five tables, each split 8 to 20 times into rows
    that pick and rows that judge, picks by the log loss had the better AUC on four and lost .0002 ± .0003 on one.
    """
    is_area = task.metric in ("roc_auc", "roc_auc_ovr")
    return build_log_loss() if is_area else build_measure(task)


def _build_mean(
    name: str, reduce: Callable[[Truth, NDArray[np.floating]], Floats], lose: Lose
) -> Measure:
    return Measure(
        name=name,
        reduce=reduce,
        score=lambda truth, columns, weight: (
            -float(np.average(lose(truth, columns), weights=weight))
        ),
        compute_parts=lambda truth, columns: -lose(truth, columns),
    )


def _build_value(name: str, lose: Lose) -> Callable[[Task], Measure]:
    return lambda _task: _build_mean(name, _take_value, lose)


def _take_value(_truth: Truth, prediction: NDArray[np.floating]) -> Floats:
    return np.asarray(prediction, dtype=np.float64)[:, None]


def _take_true(truth: Truth, prediction: NDArray[np.floating]) -> Floats:
    rows = np.arange(len(truth))
    return np.asarray(prediction, dtype=np.float64)[rows, truth.astype(np.int64)][:, None]


def _take_all(_truth: Truth, prediction: NDArray[np.floating]) -> Floats:
    return np.asarray(prediction, dtype=np.float64)


def _lose_log(_truth: Truth, columns: Floats) -> Floats:
    losses: Floats = -np.log(np.clip(columns[:, 0], LOG_LOSS_CLIP, None))
    return losses


def _build_brier(task: Task) -> Measure:
    """Of two classes the squared error of one of them, of more the sum over all."""
    factor = 0.5 if task.type is TaskType.BINARY else 1.0

    def lose(truth: Truth, columns: Floats) -> Floats:
        wanted = np.zeros(columns.shape)
        wanted[np.arange(len(truth)), truth.astype(np.int64)] = 1.0
        losses: Floats = factor * ((columns - wanted) ** 2).sum(axis=1)
        return losses

    return _build_mean("brier_score", _take_all, lose)


def _lose_squared(truth: Truth, columns: Floats) -> Floats:
    losses: Floats = (columns[:, 0] - truth.astype(np.float64)) ** 2
    return losses


def _lose_absolute(truth: Truth, columns: Floats) -> Floats:
    losses: Floats = np.abs(columns[:, 0] - truth.astype(np.float64))
    return losses


def _lose_symmetric(truth: Truth, columns: Floats) -> Floats:
    return compute_symmetric_errors(truth.astype(np.float64), columns[:, 0])


def build_log_loss() -> Measure:
    """What any rows of a classification carry, also those of one class only."""
    return _build_mean("log_loss", _take_true, _lose_log)


def _build_ranking(
    name: str, task: Task, score: Callable[[Truth, Floats, Weight], float]
) -> Measure:
    """AUC or average precision of the positive class; their errors are told by the influence on the AUC."""
    positive = task.positive_index

    def find(truth: Truth) -> NDArray[np.int64]:
        labels: NDArray[np.int64] = (truth == positive).astype(np.int64)
        return labels

    return Measure(
        name=name,
        reduce=lambda _truth, p: np.asarray(p, dtype=np.float64)[:, positive : positive + 1],
        score=lambda truth, columns, weight: score(find(truth), columns[:, 0], weight),
        compute_parts=lambda truth, columns: _influence(find(truth), columns[:, 0]),
        is_ranking=True,
    )


def _influence(labels: Truth, score: Floats) -> Floats:
    """Rows whose mean is the AUC: DeLong's influence, scaled so that its standard error is that of a mean."""
    return compute_auc_influence(labels, score)[1] * len(score)


def compute_auc(labels: Truth, score: Floats, weight: Weight = None) -> float:
    """P(s⁺ > s⁻) + ½ P(s⁺ = s⁻) by one sort of the negatives: a third of the time of mid-ranks."""
    is_positive = labels == 1
    below, above = score[~is_positive], score[is_positive]
    order = np.argsort(below)
    below = below[order]
    first, last = np.searchsorted(below, above, "left"), np.searchsorted(below, above, "right")
    if weight is None:
        return float((first + last).mean() / (2 * len(below)))
    mass = np.concatenate([[0.0], np.cumsum(weight[~is_positive][order])])
    beaten = np.average(mass[first] + mass[last], weights=weight[is_positive])
    return float(beaten / (2 * mass[-1]))


def _score_precision(labels: Truth, score: Floats, weight: Weight = None) -> float:
    outcomes = Outcomes("binary", labels, probability=score, weight=weight)
    return compute_score("average_precision", outcomes)


def _build_ovr(_task: Task) -> Measure:
    def score(truth: Truth, columns: Floats, weight: Weight = None) -> float:
        counted = truth if weight is None else truth[weight > 0]  # other classes rank nothing
        each = [compute_auc(truth == k, columns[:, k], weight) for k in np.unique(counted)]
        return float(np.mean(each))

    def compute_parts(truth: Truth, columns: Floats) -> Floats:
        each = [_influence(truth == k, columns[:, k]) for k in np.unique(truth)]
        parts: Floats = np.mean(each, axis=0)
        return parts

    return Measure(
        name="roc_auc_ovr", reduce=_take_all, score=score, compute_parts=compute_parts,
        is_ranking=True,
    )  # fmt: skip


_MEASURES: Mapping[str, Callable[[Task], Measure]] = {
    "log_loss": lambda _task: build_log_loss(),
    "brier_score": _build_brier,
    # mixtures of the same rows are ordered alike by these, and the value that is told is that of the name
    **dict.fromkeys(("mse", "rmse", "r2"), _build_value("mse", _lose_squared)),
    **dict.fromkeys(("mae", "median_absolute_error"), _build_value("mae", _lose_absolute)),
    "smape": _build_value("smape", _lose_symmetric),
    "roc_auc": lambda task: _build_ranking("roc_auc", task, compute_auc),
    "average_precision": lambda task: _build_ranking("average_precision", task, _score_precision),
    "roc_auc_ovr": _build_ovr,
}
