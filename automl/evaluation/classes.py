"""A classification class by class, and averaged over classes, as one tidy frame."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task
from automl.evaluation.curves import MAX_CLASSES
from automl.evaluation.outcomes import decide
from fairness.definitions import compute_metrics
from fairness.estimates import Estimate
from fairness.influences import compute_average_precision_influence
from fairness.intervals import build_auc_estimate
from fairness.outcomes import Outcomes

COUNTED = ("precision", "recall", "true_negative_rate", "f1")
RANKED = ("roc_auc", "average_precision")
MOST_RANKED = 50  # classes; each costs two sorted passes over the rows
AVERAGES: Mapping[str, Mapping[str, str]] = {
    "micro": {"precision": "accuracy", "recall": "accuracy", "f1": "accuracy"},
    "macro": {
        "precision": "precision_macro", "recall": "recall_macro", "f1": "f1_macro",
        "true_negative_rate": "specificity_macro", "roc_auc": "roc_auc_ovr",
        "average_precision": "average_precision_ovr",
    },
    "weighted": {"precision": "precision_weighted", "recall": "accuracy", "f1": "f1_weighted"},
}  # fmt: skip
COLUMNS = (
    "kind", "name", "metric", "value", "low", "high", "n", "method", "reason", "n_true", "n_decided",
)  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compute_class_table(
    task: Task,
    truth: Ints,
    probability: Floats,
    *,
    weight: Floats | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, str]:
    """One row per class (or average) and metric, and a note on what was left out (empty if nothing was).

    Columns ``kind`` (``class`` or ``average``), ``name``, ``metric``, those of an estimate, and ``n_true`` and
    ``n_decided``, the rows of the class and those decided so. With two classes each is once the positive one. Averages:
    ``micro`` (every row counts the same: accuracy), ``macro`` (every class), ``weighted`` (every class by its rows).
    """
    n_classes = len(task.classes)
    decided = decide(task, probability)
    whole = Outcomes("multiclass", truth, decided, probability, weight=weight)
    most = MOST_RANKED if weight is None else MAX_CLASSES
    frequent = np.argsort(-np.bincount(truth, minlength=n_classes), kind="stable")[:most]
    listed = range(n_classes) if weight is None else sorted(frequent.tolist())
    rows = []
    for k in listed:
        estimates = _estimate_class(whole, k, seed, is_ranked=k in frequent)
        counts = {"n_true": int((truth == k).sum()), "n_decided": int((decided == k).sum())}
        rows += [
            {"kind": "class", "name": task.classes[k], "metric": name, **_flatten(each), **counts}
            for name, each in estimates.items()
        ]
    rows += list(_average(whole, seed))
    return pd.DataFrame(rows, columns=list(COLUMNS)), _describe(
        n_classes, most, is_even=weight is None
    )


def _estimate_class(whole: Outcomes, k: int, seed: int, *, is_ranked: bool) -> dict[str, Estimate]:
    """Every metric of one class against the rest."""
    is_class = whole.labels == k
    one = Outcomes(
        "binary",
        is_class.astype(np.int64),
        (whole.decisions == k).astype(np.int64),
        np.clip(whole.scores[:, k], 0, 1),
        weight=whole.weight,
    )
    if whole.weight is not None:
        return compute_metrics((*COUNTED, *RANKED), one, seed=seed)
    found = compute_metrics((*COUNTED, "roc_auc") if is_ranked else COUNTED, one, seed=seed)
    if is_ranked and is_class.any():
        found["average_precision"] = _estimate_average_precision(one)
    return found


def _estimate_average_precision(one: Outcomes) -> Estimate:
    """By the influence of each row: a bootstrap per class would take too long."""
    value, influence = compute_average_precision_influence(one.labels == 1, one.scores)
    error = float(np.sqrt((influence**2).sum()))
    return build_auc_estimate(value, error, one.n, method="influence logit")


def _average(whole: Outcomes, seed: int) -> Iterator[dict[str, object]]:
    wanted = dict.fromkeys(name for each in AVERAGES.values() for name in each.values())
    found = compute_metrics(tuple(wanted), whole, seed=seed)
    for average, metrics in AVERAGES.items():
        for metric, name in metrics.items():
            yield {"kind": "average", "name": average, "metric": metric, **_flatten(found[name])}


def _flatten(estimate: Estimate) -> dict[str, object]:
    return {
        name: getattr(estimate, name) for name in ("value", "low", "high", "n", "method", "reason")
    }


def _describe(n_classes: int, most: int, *, is_even: bool) -> str:
    if n_classes <= most:
        return ""
    what = "ROC AUC and average precision by class are" if is_even else "Numbers by class are"
    return f"{what} given for the {most} most frequent of {n_classes} classes."
