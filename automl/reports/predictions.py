"""``predictions.parquet``: the rows that every number of a report can be computed from again.

``calibrate_predictions.parquet`` has the same columns for the calibrate part: what is chosen after the search (a
threshold, the width of an interval) is chosen there, so that the test part stays unseen by every choice.
``uncalibrated.parquet`` has the probabilities of the test rows before calibration.
"""

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.evaluation.outcomes import THRESHOLD
from automl.evaluation.outputs import build_output_frame, decode_labels
from automl.files import write_atomic

PREDICTIONS = "predictions.parquet"
UNCALIBRATED = "uncalibrated.parquet"
CALIBRATE_PREDICTIONS = "calibrate_predictions.parquet"
SENSITIVE = "sensitive_"


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictedRows:
    """The rows of the test or calibrate part with their truth and the final prediction of one model.

    ``row_id``: row numbers in the data set. ``truth``: class indices or values. ``prediction``: ``(n, K)`` or
    ``(n,)``. ``sensitive``: the sensitive columns under their own names, in the same order of rows.
    """

    row_id: NDArray[np.int64]
    truth: NDArray[np.generic]
    prediction: NDArray[np.floating]
    sensitive: pd.DataFrame
    threshold: float = THRESHOLD


def build_predictions(task: Task, rows: PredictedRows) -> pd.DataFrame:
    """``row_id, truth, prediction, probability_<class>…, sensitive_<column>…``, labels as text."""
    if task.type is TaskType.REGRESSION:
        truth = pd.Series(np.asarray(rows.truth, dtype=np.float64))
    else:
        truth = decode_labels(task, np.asarray(rows.truth, dtype=np.int64))
    frame = build_output_frame(task, rows.prediction, rows.threshold)
    frame.insert(0, "truth", truth)
    frame.insert(0, "row_id", rows.row_id)
    return add_sensitive(frame, rows.sensitive)


def add_sensitive(frame: pd.DataFrame, sensitive: pd.DataFrame) -> pd.DataFrame:
    """The frame with ``sensitive_<column>`` for every sensitive column, by position."""
    if len(sensitive) != len(frame):
        raise ValueError(f"{len(sensitive)} rows of sensitive values for {len(frame)} predictions")
    more = sensitive.rename(columns=lambda name: f"{SENSITIVE}{name}").set_axis(frame.index)
    return pd.concat([frame, more], axis=1)


def write_predictions(folder: Path, frame: pd.DataFrame, name: str = PREDICTIONS) -> str:
    """Write a file of predictions whole; its SHA-256, 64 hex digits."""
    buffer = BytesIO()
    frame.to_parquet(buffer, index=False)
    content = buffer.getvalue()
    write_atomic(folder / name, content)
    return sha256(content).hexdigest()
