"""Predictions as columns that people read: decoded labels and one probability per class."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.evaluation.outcomes import THRESHOLD, decide


def build_output_frame(
    task: Task, prediction: NDArray[np.floating], threshold: float = THRESHOLD
) -> pd.DataFrame:
    """``prediction`` (label as text, or value) and ``probability_<class>`` in the order of the classes."""
    if task.type is TaskType.REGRESSION:
        return pd.DataFrame({"prediction": np.asarray(prediction, dtype=np.float64)})
    # Rounding in a softmax may leave [0, 1] by its last bit.
    probability = np.clip(np.asarray(prediction, dtype=np.float64), 0, 1)
    labels = decode_labels(task, decide(task, probability, threshold))
    columns = {f"probability_{name}": probability[:, k] for k, name in enumerate(task.classes)}
    return pd.DataFrame({"prediction": labels, **columns})


def decode_labels(task: Task, indices: NDArray[np.int64]) -> pd.Series:
    """Class indices as the labels of the data."""
    return pd.Series(np.asarray(task.classes, dtype=object)[indices], dtype="str")


def read_scores(task: Task, frame: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of kept predictions of a binary task: which rows are positive, and the probability of it. Shape: (n,), (n,)."""
    is_positive = (frame["truth"].astype(str) == task.positive).to_numpy(dtype=bool)
    return is_positive, frame[f"probability_{task.positive}"].to_numpy(dtype=np.float64)


def decide_anew(task: Task, frame: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Kept predictions of a binary task with ``prediction`` decided at another threshold."""
    names = [f"probability_{name}" for name in task.classes]
    labels = decode_labels(task, decide(task, frame[names].to_numpy(np.float64), threshold))
    return frame.assign(prediction=labels.set_axis(frame.index))
