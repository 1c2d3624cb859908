"""Stored predictions as the rows of an audit: classes as numbers, columns that are groups."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from automl.reports.predictions import SENSITIVE
from fairness.class_audit import ClassInput
from fairness.errors import AuditError
from fairness.groups import build_grouping


def build_class_rows(classes: Sequence[str], predictions: pd.DataFrame) -> ClassInput:
    """The rows of a task with several classes, from the frame of ``build_predictions``."""
    places = {name: place for place, name in enumerate(classes)}
    names = [name for name in predictions.columns if str(name).startswith(SENSITIVE)]
    probability = predictions[[f"probability_{name}" for name in classes]]
    return ClassInput(
        truth=np.asarray(predictions["truth"].map(places), dtype=np.int64),
        prediction=np.asarray(predictions["prediction"].map(places), dtype=np.int64),
        classes=tuple(classes),
        probability=probability.to_numpy(dtype=np.float64),
        attributes=predictions[names].rename(columns=lambda name: name.removeprefix(SENSITIVE)),
    )


def leave_out_ungrouped(predictions: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Without the sensitive columns that are no groups (more values than groups), and why each is left out.

    A search that took an hour must not end without a result because of one column of names.
    """
    said: list[str] = []
    dropped: list[str] = []
    for column in predictions.columns:
        name = str(column)
        if not name.startswith(SENSITIVE):
            continue
        try:
            build_grouping(name.removeprefix(SENSITIVE), predictions[column])
        except AuditError as error:
            said.append(f"{error} It is left out of the audit.")
            dropped.append(column)
    return predictions.drop(columns=dropped), tuple(said)
