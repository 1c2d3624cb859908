"""The rows of train and select in folds: each is predicted by a model that has neither learned nor stopped by it.

Of the rows outside a fold a part learns and the rest tells when to stop. Were a training stopped by the rows that it
predicts, the best of all its epochs on these very rows would be reported, and no model is as good as that.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.data.splits import SplitRequest, divide
from automl.data.task import TaskType

LEAST_FOLDS, MOST_FOLDS = 3, 10
STOP_SHARE = 0.15  # of the rows outside a fold

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """Disjoint sorted row indices: who learns, who stops the learning, and who is predicted (``held``)."""

    train: Ints
    stop: Ints
    held: Ints


def build_folds(request: SplitRequest, rows: Ints, n_folds: int) -> tuple[Fold, ...]:
    """Divide rows into folds, and those outside each fold into learning and stopping ones; seeded by the plan.

    Strata, groups and copies are treated as in the split itself. Every row is held in exactly one fold.
    """
    generator = np.random.default_rng((request.plan.seed, n_folds))
    assigned = divide(request, rows, np.full(n_folds, 1 / n_folds), generator)
    shares = np.array([1 - STOP_SHARE, STOP_SHARE])
    folds = []
    for number in range(n_folds):
        outside = rows[assigned != number]
        stops = divide(request, outside, shares, generator) == 1
        folds.append(
            Fold(train=outside[~stops], stop=outside[stops], held=rows[assigned == number])
        )
    return tuple(folds)


def find_problem(request: SplitRequest, folds: tuple[Fold, ...]) -> str:
    """Why these folds cannot be trained or scored; empty where they can."""
    for number, fold in enumerate(folds, start=1):
        for rows, use in ((fold.train, "learn"), (fold.stop, "stop"), (fold.held, "are predicted")):
            n_values = len(np.unique(request.target[rows]))
            what = "values" if request.task_type is TaskType.REGRESSION else "classes"
            if n_values < 2:
                return f"of the rows that {use} in fold {number}, {len(rows)} in all, fewer than two {what} are left"
    return ""
