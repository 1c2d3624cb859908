"""Who learns and who decides."""

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.training.scoring import Scorer


def training_rows(prepared: Prepared, *, is_refit: bool) -> NDArray[np.int64]:
    """Rows to learn from: the train part, for a refit the select part too."""
    train = np.asarray(prepared.parts[Part.TRAIN])
    if not is_refit:
        return train
    return np.sort(np.concatenate([train, prepared.parts[Part.SELECT]]))


def build_scorer(prepared: Prepared, task: Task, rows: NDArray[np.int64]) -> Scorer:
    """A scorer for some rows."""
    return Scorer(
        task=task,
        truth=np.asarray(prepared.target[rows]),
        target_scale=prepared.target_scale,
    )
