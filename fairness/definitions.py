"""The one registry of metrics: name, formula, direction, range, needs; and the functions that compute them.

Names are scikit-learn's and Fairlearn's. Documentation, widgets and the report's definitions are generated
from these rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fairness import rates, scores
from fairness.columns import compute_losses
from fairness.errors import AuditError
from fairness.estimates import Estimate, build_not_estimable
from fairness.estimating import compute_calibration_error, compute_estimates, compute_rate
from fairness.outcomes import Outcomes, TaskName
from fairness.row_statistics import compute_statistic
from fairness.weighted import compute_weighted_metrics

__all__ = [
    "METRICS", "Metric", "Outcomes", "compute_metric", "compute_metrics", "compute_rate", "compute_score", "list_metrics",
]  # fmt: skip

Need = Literal["label", "score", "probability", "value"]
Direction = Literal["higher", "lower", "none"]
Floats = NDArray[np.float64]

BINARY: tuple[TaskName, ...] = ("binary",)
MULTICLASS: tuple[TaskName, ...] = ("multiclass",)
CLASSES: tuple[TaskName, ...] = ("binary", "multiclass")
REGRESSION: tuple[TaskName, ...] = ("regression",)
UNIT = (0.0, 1.0)
POSITIVE = (0.0, float("inf"))


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the registry.

    ``neutral`` is the value of a guess without information, or of calibrated scores; None where there is none.
    """

    name: str
    title: str
    formula: str
    tasks: tuple[TaskName, ...]
    needs: Need
    direction: Direction
    range: tuple[float, float]
    neutral: float | None = None
    reference: str = ""
    help: str = ""

    @property
    def sign(self) -> int:
        """+1 if higher is better, −1 if lower is better, 0 if neither."""
        return {"higher": 1, "lower": -1, "none": 0}[self.direction]

    def to_json(self) -> dict[str, object]:
        """What a reader of a report must know of it."""
        return {
            "title": self.title,
            "formula": self.formula,
            "direction": self.direction,
            "help": self.help,
        }


def _rate(name: str, title: str, direction: Direction, text: str, **more: object) -> Metric:
    tasks = CLASSES if name == "accuracy" else BINARY
    formula = "correct / n" if name == "accuracy" else rates.RATES[name].formula
    return Metric(name, title, formula, tasks, "label", direction, UNIT, help=text, **more)  # type: ignore[arg-type]


_ROWS = (
    _rate("base_rate", "Base rate", "none", "Share of positive labels; a property of the data."),
    _rate("selection_rate", "Selection rate", "none", "Share of rows the model flags as positive."),
    _rate("true_positive_rate", "True positive rate", "higher", "Share of the positives found; recall."),
    _rate("false_positive_rate", "False positive rate", "lower", "False alarms among the negatives."),
    _rate("true_negative_rate", "True negative rate", "higher", "Share of the negatives left alone; specificity."),
    _rate("false_negative_rate", "False negative rate", "lower", "Misses among the positives."),
    _rate("precision", "Precision", "higher", "Share of the flagged rows that are positive; depends on the base rate."),
    _rate("negative_predictive_value", "Negative predictive value", "higher", "Share of the rows not flagged that are negative."),
    _rate("false_discovery_rate", "False discovery rate", "lower", "Share of the flagged rows that are negative."),
    _rate("false_omission_rate", "False omission rate", "lower", "Share of the rows not flagged that are positive."),
    _rate("accuracy", "Accuracy", "higher", "Share of rows decided correctly; read it beside the majority baseline."),
    Metric("recall", "Recall", "TP / (TP + FN)", BINARY, "label", "higher", UNIT, help="The same as the true positive rate."),
    Metric("balanced_accuracy", "Balanced accuracy", "mean recall over classes", CLASSES, "label", "higher", UNIT, 0.5, help="Mean of the recalls of the classes; 1/K is a guess."),
    Metric("f1", "F1", "2TP / (2TP + FP + FN)", BINARY, "label", "higher", UNIT, help="Harmonic mean of precision and recall."),
    Metric("f1_macro", "F1, macro", "mean F1 over classes", MULTICLASS, "label", "higher", UNIT, help="Every class present counts the same."),
    Metric("f1_weighted", "F1, weighted", "mean F1 weighted by class size", MULTICLASS, "label", "higher", UNIT, help="Every row counts the same."),
    Metric("precision_macro", "Precision, macro", "mean precision over classes", MULTICLASS, "label", "higher", UNIT, help="A class never predicted counts as 0."),
    Metric("precision_weighted", "Precision, weighted", "mean precision weighted by class size", MULTICLASS, "label", "higher", UNIT, help="A class never predicted counts as 0."),
    Metric("recall_macro", "Recall, macro", "mean recall over classes", MULTICLASS, "label", "higher", UNIT, help="Over classes that are true or predicted; a class that is only predicted counts as 0."),
    Metric("specificity_macro", "Specificity, macro", "mean over classes of TN / (TN + FP), class against rest", MULTICLASS, "label", "higher", UNIT, help="Share of the rows of other classes left alone; high by itself where there are many classes."),
    Metric("matthews_corrcoef", "Matthews correlation", "(TP·TN − FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))", CLASSES, "label", "higher", (-1.0, 1.0), 0.0, "Matthews 1975", "Correlation of truth and decision; 0 is chance."),
    Metric("cohen_kappa", "Cohen's kappa", "(observed − chance agreement) / (1 − chance agreement)", CLASSES, "label", "higher", (-1.0, 1.0), 0.0, "Cohen 1960", "Agreement beyond chance."),
    Metric("roc_auc", "ROC AUC", "P(s⁺ > s⁻) + ½ P(s⁺ = s⁻)", BINARY, "score", "higher", UNIT, 0.5, "DeLong et al. 1988", "Chance that a positive row scores above a negative one."),
    Metric("average_precision", "Average precision", "Σ (R_k − R_{k−1}) P_k", BINARY, "score", "higher", UNIT, help="Chance level is the base rate, so groups with other base rates do not compare."),
    Metric("recall_at_specificity", "Recall at specificity 0.95", "largest TP / (TP + FN) with TN / (TN + FP) ≥ 0.95", BINARY, "score", "higher", UNIT, 0.05, help="The positives found by a threshold that leaves 95 % of the negatives alone; chance finds 5 %."),
    Metric("roc_auc_ovr", "ROC AUC, one against rest", "mean over classes of AUC(class against rest)", MULTICLASS, "probability", "higher", UNIT, 0.5, help="Macro mean over the classes present."),
    Metric("roc_auc_ovo", "ROC AUC, one against one", "mean over ordered pairs (k, j) of P(p_k of class k > p_k of class j)", MULTICLASS, "probability", "higher", UNIT, 0.5, "Hand & Till 2001", "Every pair of classes present counts the same, however rare."),
    Metric("average_precision_ovr", "Average precision, one against rest", "mean over classes of average precision (class against rest)", MULTICLASS, "probability", "higher", UNIT, help="Macro mean over the classes present; chance level is the mean share of a class."),
    Metric("top_k_accuracy", "Top-k accuracy", "share with the true class among the k most probable", MULTICLASS, "probability", "higher", UNIT, help="k is 5 above five classes, else 2."),
    Metric("log_loss", "Log loss", "−mean ln p(true class)", CLASSES, "probability", "lower", POSITIVE, help="How surprised the model is by the truth: 0 where it is certain and right. Probabilities clipped at 1e-15."),
    Metric("brier_score", "Brier score", "mean (s − y)²; several classes: mean Σ_k (p_k − 1[y = k])²", CLASSES, "probability", "lower", (0.0, 2.0), help="0 to 1 for two classes, 0 to 2 for more."),
    Metric("ece", "Expected calibration error", "Σ n_b/n · |observed − mean score|, 15 equal-mass bins", CLASSES, "probability", "lower", UNIT, 0.0, "Guo et al. 2017", "Never 0 on finite data: read it beside its null value. Several classes: of the top class."),
    Metric("mean_prediction", "Mean score", "mean s", BINARY, "score", "none", (float("-inf"), float("inf")), help="Average score of the rows."),
    Metric("mse", "Mean squared error", "mean (y − ŷ)²", REGRESSION, "value", "lower", POSITIVE),
    Metric("rmse", "Root mean squared error", "√ mean (y − ŷ)²", REGRESSION, "value", "lower", POSITIVE, help="In the unit of the target."),
    Metric("mae", "Mean absolute error", "mean |y − ŷ|", REGRESSION, "value", "lower", POSITIVE, help="In the unit of the target."),
    Metric("median_absolute_error", "Median absolute error", "median |y − ŷ|", REGRESSION, "value", "lower", POSITIVE, help="Half of the errors are smaller."),
    Metric("r2", "R²", "1 − Σ(y − ŷ)² / Σ(y − ȳ)²", REGRESSION, "value", "higher", (float("-inf"), 1.0), 0.0, help="Share of the variance explained; 0 is the mean as forecast."),
    Metric("d2_absolute_error", "Robust R²", "1 − Σ|y − ŷ| / Σ|y − median y|", REGRESSION, "value", "higher", (float("-inf"), 1.0), 0.0, "Koenker & Machado 1999", "As R² with absolute errors, so that a few wild rows count less; 0 is the median as forecast."),
    Metric("rmse_90", "Root mean squared error of the best 90 %", "√ mean (y − ŷ)² of the rows up to the 90th percentile of |y − ŷ|", REGRESSION, "value", "lower", POSITIVE, help="What is left without the worst tenth of the rows; in the unit of the target."),
    Metric("pinball_10", "Pinball loss, 0.1", "mean max(0.1·(y − ŷ), 0.9·(ŷ − y))", REGRESSION, "value", "lower", POSITIVE, reference="Koenker & Bassett 1978", help="Predicting too much costs nine times as much as too little; in the unit of the target."),
    Metric("pinball_90", "Pinball loss, 0.9", "mean max(0.9·(y − ŷ), 0.1·(ŷ − y))", REGRESSION, "value", "lower", POSITIVE, reference="Koenker & Bassett 1978", help="Predicting too little costs nine times as much as too much; in the unit of the target."),
    Metric("mape", "Mean absolute percentage error", "mean |y − ŷ| / max(|y|, floor)", REGRESSION, "value", "lower", POSITIVE, help="The floor is the 1st percentile of |y|."),
    Metric("rmspe", "Root mean squared percentage error", "√ mean ((y − ŷ) / max(|y|, floor))²", REGRESSION, "value", "lower", POSITIVE, help="The floor is the 1st percentile of |y|."),
    Metric("smape", "Symmetric percentage error", "mean 2|y − ŷ| / (|y| + |ŷ|), 0/0 = 0", REGRESSION, "value", "lower", (0.0, 2.0)),
    Metric("mean_residual", "Mean residual", "mean (ŷ − y)", REGRESSION, "value", "none", (float("-inf"), float("inf")), 0.0, help="Above 0 the model predicts too much."),
)  # fmt: skip

METRICS: Mapping[str, Metric] = MappingProxyType({row.name: row for row in _ROWS})

_ALIASES = {"recall": "true_positive_rate"}


def list_metrics(task_type: TaskName) -> tuple[Metric, ...]:
    """The metrics that a task of this type has, in registry order."""
    return tuple(metric for metric in METRICS.values() if task_type in metric.tasks)


def _require_metric(name: str, task_type: TaskName) -> Metric:
    metric = METRICS.get(name)
    if metric is None or task_type not in metric.tasks:
        known = ", ".join(row.name for row in list_metrics(task_type))
        raise AuditError(
            f"{name!r} is not a metric of a {task_type} task.", hint=f"Choose one of {known}."
        )
    return metric


def _find_obstacle(metric: Metric, outcomes: Outcomes) -> str:
    """Why this metric cannot exist for these rows; empty if it can."""
    if outcomes.n == 0:
        return "no cases"
    if metric.needs in ("score", "probability") and outcomes.probability is None:
        return "no scores were given"
    if metric.needs == "probability" and not outcomes.has_probabilities:
        return "the scores lie outside [0, 1]: a ranking score"
    return ""


def compute_metric(name: str, outcomes: Outcomes, *, seed: int = 0) -> Estimate:
    """A metric with its interval; *not estimable* with the reason where a denominator is zero.

    Rates: Wilson. AUC: DeLong on the logit scale. Other counts: multinomial bootstrap. Losses: studentised row
    bootstrap. With weights: a bootstrap that draws rows and keeps their weights.
    """
    return compute_metrics((name,), outcomes, seed=seed)[name]


def compute_metrics(
    names: Sequence[str], outcomes: Outcomes, *, seed: int = 0
) -> dict[str, Estimate]:
    """Several metrics of the same rows; they share the draws of their intervals."""
    obstacles = {
        name: _find_obstacle(_require_metric(name, outcomes.task_type), outcomes) for name in names
    }
    own = {name: _ALIASES.get(name, name) for name, obstacle in obstacles.items() if not obstacle}
    wanted = tuple(dict.fromkeys(own.values()))
    if outcomes.weight is None:
        computed = compute_estimates(wanted, outcomes, seed)
    else:
        computed = compute_weighted_metrics(wanted, outcomes, seed)
    return {
        name: computed[own[name]] if not obstacle else build_not_estimable(obstacle, n=outcomes.n)
        for name, obstacle in obstacles.items()
    }


def compute_score(name: str, outcomes: Outcomes) -> float:
    """The metric as a higher-is-better number, without interval; fast enough for every epoch.

    A metric whose denominator is empty because of the decisions (precision with nothing flagged) counts as
    the worst value of its range. Raises ``AuditError`` if the labels themselves do not allow it (one class).
    """
    metric = _require_metric(name, outcomes.task_type)
    obstacle = _find_obstacle(metric, outcomes)
    if obstacle:
        raise AuditError(f"{name} cannot be computed: {obstacle}.")
    value = _compute_point(_ALIASES.get(name, name), metric, outcomes)
    if value is None:
        if len(np.unique(outcomes.truth)) < 2:
            raise AuditError(
                f"{name} cannot be computed: all {outcomes.n} true values are equal.",
                hint="Choose another metric or more rows.",
            )
        value = metric.range[0] if metric.direction != "lower" else metric.range[1]
    return -value if metric.direction == "lower" else value


def _compute_point(name: str, metric: Metric, outcomes: Outcomes) -> float | None:
    if outcomes.weight is not None:
        return compute_statistic(name, outcomes)
    if metric.needs == "label":
        return _compute_count_point(name, outcomes)
    if metric.needs == "value":
        return compute_statistic(name, outcomes)
    return _compute_score_point(name, outcomes)


def _compute_count_point(name: str, outcomes: Outcomes) -> float | None:
    table = rates.compute_confusion(outcomes.labels, outcomes.decisions, outcomes.n_classes)
    if name == "accuracy":
        return float(np.trace(table) / table.sum())
    if outcomes.task_type == "binary" and name in rates.RATES:
        numerator, denominator = rates.RATES[name].count(table.ravel())
        return numerator / denominator if denominator else None
    is_binary = outcomes.task_type == "binary"
    composites = rates.BINARY_COMPOSITES if is_binary else rates.MULTICLASS_COMPOSITES
    return _to_value(composites[name](table.ravel()[None, :].astype(np.float64)))


def _compute_score_point(name: str, outcomes: Outcomes) -> float | None:
    labels, score = outcomes.labels, outcomes.scores
    if name == "roc_auc":
        return scores.compute_auc_value(labels, score)
    if name == "roc_auc_ovr":
        return scores.compute_auc_ovr_value(labels, score)
    if name == "average_precision":
        return scores.compute_average_precision(outcomes.values, score)
    if name == "top_k_accuracy":
        return float(scores.compute_top_k_hits(labels, score).mean())
    if name == "ece":
        return compute_calibration_error(outcomes)
    if name in ("log_loss", "brier_score"):
        return float(compute_losses(name, outcomes).mean())
    return compute_statistic(name, outcomes)


def _to_value(array: Floats) -> float | None:
    value = float(array[0])
    return value if np.isfinite(value) else None
