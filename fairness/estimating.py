"""Metrics of rows that all count the same, with their intervals: closed forms first, else shared bootstrap draws."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairness import rates, scores
from fairness.estimates import Estimate, build_not_estimable
from fairness.influences import FORMULAS, estimate_by_influence
from fairness.intervals import compute_auc_delong, compute_wilson
from fairness.mean_influences import MANY_ROWS, estimate_means
from fairness.outcomes import Outcomes
from fairness.reliability import compute_ece
from fairness.resampling import TABLE_DRAWS, bootstrap_tables
from fairness.row_intervals import bootstrap_rows, plan_interval
from fairness.row_statistics import compute_statistic

MAX_TABLE_CELLS = 400  # more cells than this (20 classes) get fewer bootstrap draws

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ZERO_DIVISORS = {
    "r2": "all true values are equal",
    "d2_absolute_error": "all true values are equal",
    "mape": "too many true values are zero",
    "rmspe": "too many true values are zero",
    "average_precision": "no positive labels",
}


def compute_estimates(
    names: Sequence[str], outcomes: Outcomes, seed: int = 0
) -> dict[str, Estimate]:
    """Estimates of the named metrics; those of counts share their draws, those of rows theirs."""
    found = {name: build(outcomes) for name in names if (build := _find_formula(name, outcomes))}
    left = [name for name in names if name not in found]
    composites = _list_composites(outcomes)
    counted = [name for name in left if name in composites]
    if counted:
        found |= bootstrap_composites(outcomes, {name: composites[name] for name in counted}, seed)
    drawn = [name for name in left if name not in composites]
    if outcomes.n > MANY_ROWS:
        found |= {name: each for name in drawn if (each := estimate_means(name, outcomes))}
        drawn = [name for name in drawn if name not in found]
    return found | _bootstrap_rows(drawn, outcomes, seed)


def compute_rate(name: str, table: NDArray[np.int64]) -> Estimate:
    """A rate of one count table (tn, fp, fn, tp) with Wilson's interval; says which pool is empty."""
    rate = rates.RATES[name]
    numerator, denominator = rate.count(table)
    if denominator == 0:
        return build_not_estimable(f"no {rate.pool}", method="wilson", denominator=0)
    return compute_wilson(numerator, denominator)


def bootstrap_composites(
    outcomes: Outcomes, statistics: Mapping[str, Callable[[Floats], Floats]], seed: int = 0
) -> dict[str, Estimate]:
    """Functions of the count table, flattened to (..., K·K), with multinomial bootstrap intervals."""
    table = _count(outcomes).ravel()
    draws = TABLE_DRAWS if table.size <= MAX_TABLE_CELLS else TABLE_DRAWS // 10
    return bootstrap_tables(table, statistics, seed, draws)


def compute_calibration_error(outcomes: Outcomes) -> float:
    """ECE of the positive class, or of the top class where there are several."""
    score = outcomes.scores
    if outcomes.task_type == "binary":
        return compute_ece(outcomes.labels, score)
    return compute_ece(score.argmax(axis=1) == outcomes.labels, np.minimum(score.max(axis=1), 1.0))


def _count(outcomes: Outcomes) -> Ints:
    return rates.compute_confusion(outcomes.labels, outcomes.decisions, outcomes.n_classes)


def _list_composites(outcomes: Outcomes) -> Mapping[str, Callable[[Floats], Floats]]:
    if outcomes.task_type == "regression":
        return {}
    is_binary = outcomes.task_type == "binary"
    return rates.BINARY_COMPOSITES if is_binary else rates.MULTICLASS_COMPOSITES


def _find_formula(name: str, outcomes: Outcomes) -> Callable[[Outcomes], Estimate] | None:
    if name in rates.RATES and (outcomes.task_type == "binary" or name == "accuracy"):
        return _accuracy if name == "accuracy" else lambda given: _rate(name, given)
    if name in FORMULAS and name not in _FORMULAS:
        return lambda given: estimate_by_influence(name, given)
    return _FORMULAS.get(name)


def _rate(name: str, outcomes: Outcomes) -> Estimate:
    return compute_rate(name, _count(outcomes).ravel())


def _accuracy(outcomes: Outcomes) -> Estimate:
    return compute_wilson(int((outcomes.labels == outcomes.decisions).sum()), outcomes.n)


def _top_k_accuracy(outcomes: Outcomes) -> Estimate:
    hits = scores.compute_top_k_hits(outcomes.labels, outcomes.scores)
    return compute_wilson(int(hits.sum()), outcomes.n)


def _ece(outcomes: Outcomes) -> Estimate:
    reason = "no interval: compare it with its null value"
    value = compute_calibration_error(outcomes)
    return Estimate(value, None, None, outcomes.n, "15 equal-mass bins", reason=reason)


_FORMULAS: Mapping[str, Callable[[Outcomes], Estimate]] = {
    "roc_auc": lambda given: compute_auc_delong(given.labels, given.scores),
    "top_k_accuracy": _top_k_accuracy,
    "ece": _ece,
    "median_absolute_error": lambda given: scores.compute_median_interval(
        np.abs(given.values - given.forecasts)
    ),
}


def _bootstrap_rows(names: Sequence[str], outcomes: Outcomes, seed: int) -> dict[str, Estimate]:
    """Metrics of scores and values, from the same draws of rows."""
    possible = [name for name in names if compute_statistic(name, outcomes) is not None]
    plans = {name: plan_interval(name, outcomes) for name in possible}
    return bootstrap_rows(plans, outcomes.n, seed=seed) | {
        name: build_not_estimable(_explain(name), n=outcomes.n)
        for name in names
        if name not in possible
    }


def _explain(name: str) -> str:
    return _ZERO_DIVISORS.get(name, "a denominator is zero")
