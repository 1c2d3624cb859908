"""Curves and tables of a classification as tidy frames."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.evaluation.outcomes import decide
from automl.evaluation.thinning import thin_curve

N_SCORE_BINS = 20
MAX_CLASSES = 12  # one curve per class up to here; beyond, the most frequent ones

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compute_confusion(task: Task, truth: Ints, probability: Floats) -> pd.DataFrame:
    """Counts of every pair of classes: columns ``truth, predicted, n``, in the order of the classes."""
    k = len(task.classes)
    table = np.bincount(truth * k + decide(task, probability), minlength=k * k)
    return pd.DataFrame(
        {
            "truth": np.repeat(task.classes, k),
            "predicted": np.tile(task.classes, k),
            "n": table,
        }
    )


def compute_roc(is_positive: NDArray[np.bool_], score: Floats, series: str) -> pd.DataFrame:
    """ROC curve: ``series, false_positive_rate, true_positive_rate, threshold``; empty with one class only.

    The first row flags nobody and has no threshold (missing).
    """
    threshold, found, flagged = count_from_top(is_positive, score)
    n_positive = int(is_positive.sum())
    n_negative = len(score) - n_positive
    if n_positive == 0 or n_negative == 0:
        return _empty("series", "false_positive_rate", "true_positive_rate", "threshold")
    frame = pd.DataFrame(
        {
            "series": series,
            "false_positive_rate": np.append(0, (flagged - found) / n_negative),
            "true_positive_rate": np.append(0, found / n_positive),
            "threshold": np.append(np.nan, threshold),
        }
    )
    return thin_curve(frame, "false_positive_rate", "true_positive_rate")


def compute_precision_recall(
    is_positive: NDArray[np.bool_], score: Floats, series: str
) -> pd.DataFrame:
    """Precision-recall curve: ``series, recall, precision, threshold``; empty without positives."""
    threshold, found, flagged = count_from_top(is_positive, score)
    n_positive = int(is_positive.sum())
    if n_positive == 0:
        return _empty("series", "recall", "precision", "threshold")
    frame = pd.DataFrame(
        {
            "series": series,
            "recall": found / n_positive,
            "precision": found / flagged,
            "threshold": threshold,
        }
    )
    return thin_curve(frame, "recall", "precision")


def compute_score_histogram(labels: NDArray[np.generic], score: Floats) -> pd.DataFrame:
    """How scores in 0..1 lie, by label: ``series, low, high, n``; 20 bins, the last one closed."""
    edges = np.linspace(0, 1, N_SCORE_BINS + 1)
    frames = [
        pd.DataFrame(
            {
                "series": str(label),
                "low": edges[:-1],
                "high": edges[1:],
                "n": np.histogram(score[labels == label], bins=edges)[0],
            }
        )
        for label in dict.fromkeys(labels.tolist())
    ]
    return pd.concat(frames, ignore_index=True)


def pick_classes(task: Task, truth: Ints) -> tuple[int, ...]:
    """Indices of the classes that get a curve: the positive one, or the 12 most frequent."""
    if task.type is TaskType.BINARY:
        return (task.positive_index,)
    counts = np.bincount(truth, minlength=len(task.classes))
    return tuple(sorted(np.argsort(-counts, kind="stable")[:MAX_CLASSES].tolist()))


def count_from_top(
    is_positive: NDArray[np.bool_], score: Floats
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Distinct scores from the highest, and positives and rows at or above each; of no rows nothing."""
    if len(score) == 0:
        return np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    found = np.cumsum(is_positive[order])[ends]
    return ordered[ends], found, ends + 1


def _empty(*columns: str) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=np.float64) for name in columns})
