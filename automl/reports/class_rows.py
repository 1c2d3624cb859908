"""Stored predictions of several classes as the rows of an audit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from automl.reports.predictions import SENSITIVE
from fairness.class_audit import ClassInput


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
