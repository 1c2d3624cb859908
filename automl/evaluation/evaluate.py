"""How well one prediction fits the truth: every metric with its interval, every curve as a frame.

Frames by task, columns as given there:

- binary and multiclass: ``confusion`` (``truth, predicted, n``), ``roc`` (``series, false_positive_rate,
  true_positive_rate, threshold``), ``precision_recall`` (``series, recall, precision, threshold``); series
  is the positive label, or one per class
- ``gain``, ``gain_table`` and ``separation`` (see ``gains``), series as for ``roc``
- ``classes``: every class against the rest, and averages (see ``classes``)
- ``reliability`` and ``reliability_bins`` (``series`` and the columns of ``fairness.reliability``): series is
  ``before`` and ``after`` temperature scaling, or ``as predicted``; multiclass: the most likely label
- ``score_histogram`` (``series, low, high, n``): by true label; multiclass: by right and wrong
- regression: ``predicted_vs_actual`` (``truth, prediction, residual``), ``residual_histogram``
  (``low, high, n``), ``error_by_decile`` (see ``residuals``)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.evaluation.classes import compute_class_table
from automl.evaluation.curves import (
    MAX_CLASSES,
    compute_confusion,
    compute_precision_recall,
    compute_roc,
    compute_score_histogram,
    pick_classes,
)
from automl.evaluation.evaluation import Evaluation
from automl.evaluation.gains import compute_gain, compute_gain_table, compute_separation
from automl.evaluation.outcomes import MOST_PAIRED, PAIRED, build_outcomes, list_metrics
from automl.evaluation.residuals import (
    compute_error_by_decile,
    compute_line,
    compute_predicted_vs_actual,
    compute_residual_histogram,
)
from automl.evaluation.thinning import MAX_POINTS
from fairness import definitions
from fairness.estimates import Estimate
from fairness.outcomes import Outcomes
from fairness.reliability import (
    compute_bins,
    compute_decomposition,
    compute_ece_null,
    compute_reliability,
    compute_slope,
)

Floats = NDArray[np.float64]

WEIGHTED = "Metrics follow the weights of the rows; the curves and the confusion table count every row once."


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationInput:
    """One model's prediction of some rows.

    ``truth``: class indices into ``task.classes`` or values, ``(n,)``. ``prediction``: final probabilities
    ``(n, K)``, or values ``(n,)``. ``uncalibrated``: the probabilities before temperature scaling, where
    there was any. ``mape_floor``: 1st percentile of the absolute training target (regression). ``weight``: how
    many rows each row stands for; metrics follow it, curves count every row once and a note says so.
    """

    task: Task
    truth: NDArray[np.generic]
    prediction: NDArray[np.floating]
    uncalibrated: NDArray[np.floating] | None = None
    mape_floor: float | None = None
    seed: int = 0
    weight: NDArray[np.floating] | None = None


def evaluate(given: EvaluationInput) -> Evaluation:
    """Metrics, curves and facts of a prediction; the same input gives the same record."""
    outcomes = build_outcomes(
        given.task, given.truth, given.prediction, mape_floor=given.mape_floor, weight=given.weight
    )
    if given.task.type is TaskType.REGRESSION:
        curves, facts, notes = _view_regression(outcomes, given.seed)
    else:
        curves, facts, notes = _view_classification(given, outcomes)
    return Evaluation(
        task_type=given.task.type.value,
        n=len(outcomes.truth),
        seed=given.seed,
        metrics=compute_metrics(given.task, outcomes, seed=given.seed),
        curves=curves,
        facts=facts,
        notes=notes if given.weight is None else (*notes, WEIGHTED),
    )


def compute_metrics(
    task: Task, outcomes: Outcomes, names: tuple[str, ...] = (), *, seed: int = 0
) -> dict[str, Estimate]:
    """Estimates of the named metrics (default: all that fit the task), the primary one first."""
    return definitions.compute_metrics(names or list_metrics(task), outcomes, seed=seed)


_Views = tuple[dict[str, pd.DataFrame], dict[str, float | None], tuple[str, ...]]


def _view_regression(outcomes: Outcomes, seed: int) -> _Views:
    truth, prediction = outcomes.truth, np.asarray(outcomes.prediction)
    notes = []
    if len(truth) > MAX_POINTS:
        notes.append(
            f"Scatter pictures show {MAX_POINTS:,} of {len(truth):,} rows, drawn at random; "
            "every number comes from all rows."
        )
    curves = {
        "predicted_vs_actual": compute_predicted_vs_actual(truth, prediction, seed),
        "residual_histogram": compute_residual_histogram(truth, prediction),
        "error_by_decile": compute_error_by_decile(truth, prediction),
    }
    return curves, compute_line(truth, prediction), tuple(notes)


def _view_classification(given: EvaluationInput, outcomes: Outcomes) -> _Views:
    task = given.task
    truth = np.asarray(given.truth, dtype=np.int64)
    probability = np.asarray(given.prediction, dtype=np.float64)
    shown = pick_classes(task, truth)
    one_against_rest = [(truth == k, probability[:, k], task.classes[k]) for k in shown]
    hit, score = compute_calibration_pair(outcomes)
    notes = []
    if len(task.classes) > MAX_CLASSES:
        notes.append(
            f"Curves are drawn for the {MAX_CLASSES} most frequent of {len(task.classes)} classes; "
            "every number comes from all of them."
        )
    classes, left_out = compute_class_table(
        task, truth, probability, weight=outcomes.weight, seed=given.seed
    )
    if left_out:
        notes.append(left_out)
    if PAIRED not in list_metrics(task) and task.type is TaskType.MULTICLASS:
        notes.append(f"ROC AUC, one against one, is not computed above {MOST_PAIRED} classes.")
    curves = {
        "classes": classes,
        "confusion": compute_confusion(task, truth, probability),
        "roc": _join([compute_roc(*each) for each in one_against_rest]),
        "precision_recall": _join([compute_precision_recall(*each) for each in one_against_rest]),
        "gain": _join([compute_gain(*each) for each in one_against_rest]),
        "gain_table": _join([compute_gain_table(*each) for each in one_against_rest]),
        "separation": _join([compute_separation(*each) for each in one_against_rest]),
        **_view_reliability(given, hit, score),
        "score_histogram": compute_score_histogram(_name_labels(task, truth, hit), score),
    }
    return curves, _compute_facts(hit, score, given.seed), tuple(notes)


def compute_calibration_pair(outcomes: Outcomes) -> tuple[NDArray[np.int64], Floats]:
    """What calibration compares: label and score of the positive class, or hit and top probability."""
    probability = np.asarray(outcomes.probability, dtype=np.float64)
    if outcomes.task_type == "binary":
        return outcomes.truth.astype(np.int64), probability
    hit = outcomes.truth == outcomes.prediction
    return hit.astype(np.int64), np.clip(probability.max(axis=1), 0, 1)


def _view_reliability(
    given: EvaluationInput, hit: NDArray[np.int64], score: Floats
) -> dict[str, pd.DataFrame]:
    versions = {"as predicted": (hit, score)}
    if given.uncalibrated is not None:
        raw = build_outcomes(given.task, given.truth, given.uncalibrated)
        versions = {"before": compute_calibration_pair(raw), "after": (hit, score)}
    return {
        "reliability": _join(
            [compute_reliability(*pair).assign(series=name) for name, pair in versions.items()]
        ),
        "reliability_bins": _join(
            [compute_bins(*pair).assign(series=name) for name, pair in versions.items()]
        ),
    }


def _name_labels(
    task: Task, truth: NDArray[np.int64], hit: NDArray[np.int64]
) -> NDArray[np.generic]:
    if task.type is TaskType.BINARY:
        return np.asarray(task.classes, dtype=object)[truth]
    return np.where(hit == 1, "right", "wrong")


def _compute_facts(hit: NDArray[np.int64], score: Floats, seed: int) -> dict[str, float | None]:
    """Numbers beside the reliability diagram; for more than two classes of the most likely label."""
    null = compute_ece_null(score, seed=seed)
    brier = compute_decomposition(hit, score, "brier")
    loss = compute_decomposition(hit, score, "log_loss")
    slope = compute_slope(hit, score)
    return {
        "base_rate": float(hit.mean()),
        "mean_score": float(score.mean()),
        "ece_null_mean": null.mean,
        "ece_null_high": null.high,
        "brier_miscalibration": brier.miscalibration,
        "brier_discrimination": brier.discrimination,
        "brier_uncertainty": brier.uncertainty,
        "log_loss_miscalibration": loss.miscalibration,
        "log_loss_discrimination": loss.discrimination,
        "log_loss_uncertainty": loss.uncertainty,
        "slope": None if slope is None else slope.slope,
        "slope_low": None if slope is None else slope.slope_low,
        "slope_high": None if slope is None else slope.slope_high,
        "intercept": None if slope is None else slope.intercept,
    }


def _join(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled or frames[:1], ignore_index=True)
