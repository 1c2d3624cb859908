"""What each calibrator did to the test part: the same numbers for every version of the same probabilities."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.evaluation.evaluate import compute_calibration_pair, compute_metrics
from automl.evaluation.outcomes import build_outcomes, decide
from fairness.intervals import compute_wilson, compute_z
from fairness.outcomes import Outcomes
from fairness.reliability import compute_brier_losses, compute_log_losses, compute_slope
from fairness.resampling import iterate_row_times
from fairness.scores import compute_multiclass_brier_losses, compute_multiclass_log_losses
from fairness.smooth_calibration import compute_smooth_ece, compute_smooth_ece_null

RAW = "raw"  # the version as the model gave it
MOST_DRAWN_ROWS = 50_000  # beyond, a mean of losses is normal to every digit that is shown
METRICS = ("log_loss", "brier_score", "smooth_ece", "slope", "auc", "accuracy", "changed")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compute_calibrator_table(
    task: Task, truth: Ints, versions: Mapping[str, Floats], seed: int = 0
) -> pd.DataFrame:
    """``version, metric, value, low, high, expected, n, method``; one row per version and metric of ``METRICS``.

    ``versions``: name → probabilities ``(n, K)`` of the same rows; ``RAW`` is what the model gave. Losses of all
    versions are drawn with the same rows. ``expected``: of the smooth ECE, what a calibrated model would show;
    ``changed``: the share of rows that are decided otherwise than from ``RAW``.
    """
    outcomes = {name: build_outcomes(task, truth, given) for name, given in versions.items()}
    rows = _compute_losses(truth, versions, outcomes, seed)
    before = decide(task, versions[RAW])
    for name, each in outcomes.items():
        rows += _compute_rest(task, name, each, seed)
        changed = int((decide(task, versions[name]) != before).sum())
        share = compute_wilson(changed, len(truth))
        rows.append((name, "changed", share.value, share.low, share.high, None, "Wilson"))
    columns = ["version", "metric", "value", "low", "high", "expected", "method"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.insert(6, "n", len(truth))
    return frame


_Row = tuple[str, str, float | None, float | None, float | None, float | None, str]


def _compute_losses(
    truth: Ints, versions: Mapping[str, Floats], outcomes: Mapping[str, Outcomes], seed: int
) -> list[_Row]:
    names = [(version, metric) for version in versions for metric in ("log_loss", "brier_score")]
    losses = np.column_stack(
        [_list_losses(metric, truth, versions[version], outcomes[version]) for version, metric in names]
    )  # fmt: skip
    low, high, method = _find_ends(losses, seed)
    return [
        (*name, float(losses[:, k].mean()), float(low[k]), float(high[k]), None, method)
        for k, name in enumerate(names)
    ]


def _list_losses(metric: str, truth: Ints, probability: Floats, outcomes: Outcomes) -> Floats:
    if outcomes.task_type == "binary":
        score, label = np.asarray(outcomes.probability), outcomes.truth.astype(np.float64)
        compute = compute_log_losses if metric == "log_loss" else compute_brier_losses
        return compute(label, score)
    if metric == "log_loss":
        return compute_multiclass_log_losses(truth, probability)
    return compute_multiclass_brier_losses(truth, probability)


def _find_ends(losses: Floats, seed: int) -> tuple[Floats, Floats, str]:
    """95 % interval of the mean of every column. Shape: (n, m) → (m,), (m,)."""
    n = len(losses)
    if n > MOST_DRAWN_ROWS:
        mean, half = losses.mean(axis=0), compute_z() * losses.std(axis=0) / np.sqrt(n)
        return mean - half, mean + half, "normal"
    draws = np.concatenate([times @ losses / n for times in iterate_row_times(n, seed)])
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    return low, high, f"row bootstrap, {len(draws):,} draws"


def _compute_rest(task: Task, version: str, outcomes: Outcomes, seed: int) -> list[_Row]:
    hit, score = compute_calibration_pair(outcomes)
    line, null = compute_slope(hit, score), compute_smooth_ece_null(score, seed)
    auc = "roc_auc" if task.type is TaskType.BINARY else "roc_auc_ovr"
    found = compute_metrics(task, outcomes, (auc, "accuracy"), seed=seed)
    ranked, right = found[auc], found["accuracy"]
    slope = (None, None, None) if line is None else (line.slope, line.slope_low, line.slope_high)
    return [
        (version, "smooth_ece", compute_smooth_ece(hit, score), None, None, null.mean, ""),
        (version, "slope", *slope, None, "Wald"),
        (version, "auc", ranked.value, ranked.low, ranked.high, None, ranked.method),
        (version, "accuracy", right.value, right.low, right.high, None, right.method),
    ]
