"""Calibration of every class against the rest, and how sure the model is of its decisions on the whole."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task
from automl.evaluation.curves import pick_classes
from fairness.estimates import Estimate
from fairness.intervals import compute_wilson, compute_z
from fairness.reliability import (
    compute_ece,
    compute_ece_null,
    compute_reliability,
    compute_slope,
)
from fairness.smooth_calibration import compute_smooth_ece

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compute_confidence_gap(hit: Ints, score: Floats) -> Estimate:
    """Mean probability of the decided class minus the share that was right; above 0 the model is too sure."""
    gaps = score - hit
    value, n = float(gaps.mean()), len(gaps)
    half = compute_z() * float(gaps.std()) / np.sqrt(n)
    return Estimate(value, value - half, value + half, n, "normal")


def compute_class_calibration(task: Task, truth: Ints, probability: Floats, seed: int = 0) -> pd.DataFrame:  # fmt: skip
    """One row per class: ``class, n, observed, low, high, mean_score, gap, ece, ece_expected, smooth_ece, slope,
    slope_low, slope_high``.

    ``observed``: share of the class with its Wilson interval; ``gap``: mean probability minus that share; the ECE has
    15 bins of equal mass. A class that is absent or everywhere has no slope.
    """
    rows = []
    for k, name in enumerate(task.classes):
        label, score = (truth == k).astype(np.int64), np.clip(probability[:, k], 0, 1)
        rate = compute_wilson(int(label.sum()), len(label))
        line = compute_slope(label, score)
        rows.append(
            {
                "class": name,
                "n": int(label.sum()),
                "observed": rate.value,
                "low": rate.low,
                "high": rate.high,
                "mean_score": float(score.mean()),
                "gap": float(score.mean() - label.mean()),
                "ece": compute_ece(label, score),
                "ece_expected": compute_ece_null(score, seed=seed).mean,
                "smooth_ece": compute_smooth_ece(label, score),
                "slope": None if line is None else line.slope,
                "slope_low": None if line is None else line.slope_low,
                "slope_high": None if line is None else line.slope_high,
            }
        )
    return pd.DataFrame(rows)


def compute_class_curves(task: Task, truth: Ints, probability: Floats) -> pd.DataFrame:
    """CORP curves of up to 12 classes, the most frequent ones: ``series`` and the columns of ``compute_reliability``."""
    frames = [
        compute_reliability(truth == k, np.clip(probability[:, k], 0, 1)).assign(
            series=task.classes[k]
        )
        for k in pick_classes(task, truth)
    ]
    return pd.concat(frames, ignore_index=True)
