"""Two models on the same rows, from what was kept of them: difference of scores with its interval, and McNemar's test.

Differences are of *scores* (higher is better for every metric). Count metrics are drawn from the table of truth and
both decisions, so that rows cost nothing; metrics that are functions of means have a normal interval by their
derivative above 20,000 rows, where it cannot be told from that of a bootstrap.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.errors import DataError
from automl.evaluation.resampling import draw_scores
from fairness import rates
from fairness.definitions import METRICS, compute_score
from fairness.estimates import Estimate
from fairness.influences import FORMULAS, compute_influence
from fairness.intervals import compute_mcnemar, compute_z
from fairness.mean_influences import MANY_ROWS, compute_mean_influence, find_columns
from fairness.outcomes import Outcomes
from fairness.resampling import TABLE_DRAWS, build_bootstrap_estimate, draw_tables

_ALIASES = {"recall": "true_positive_rate"}
CHUNK = 250  # drawn tables at once

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class McNemar:
    """Rows that only one of two models decided as they are, and how often chance alone parts them so unevenly."""

    only_first: int
    only_second: int
    p_value: float


def read_outcomes(task: Task, predictions: pd.DataFrame) -> Outcomes:
    """``Outcomes`` of ``predictions.parquet`` (``truth, prediction, probability_<class>…``); the decisions are those kept.

    Raises ``DataError`` where a label is none of the task's classes, or a probability is missing.
    """
    if task.type is TaskType.REGRESSION:
        return Outcomes(
            "regression",
            predictions["truth"].to_numpy(dtype=np.float64),
            predictions["prediction"].to_numpy(dtype=np.float64),
        )
    truth, decision = (_encode(task, predictions[name]) for name in ("truth", "prediction"))
    columns = [f"probability_{name}" for name in task.classes]
    absent = [name for name in columns if name not in predictions]
    if absent:
        raise DataError(
            f"The predictions have no column {absent[0]!r}.", hint="Search again with this release."
        )
    if task.type is TaskType.MULTICLASS:
        return Outcomes("multiclass", truth, decision, predictions[columns].to_numpy(np.float64))
    positive = task.positive_index
    return Outcomes(
        "binary",
        (truth == positive).astype(np.int64),
        (decision == positive).astype(np.int64),
        predictions[columns[positive]].to_numpy(dtype=np.float64),
    )


def _encode(task: Task, labels: pd.Series) -> Ints:
    codes: Ints = (
        pd.Index(task.classes).get_indexer(pd.Index(labels.astype("str"))).astype(np.int64)
    )
    if (codes < 0).any():
        strange = labels[codes < 0].iloc[0]
        raise DataError(f"{strange!r} is none of the classes of {task.target!r}.")
    return codes


def compute_mcnemar_test(first: Outcomes, second: Outcomes) -> McNemar:
    """McNemar's test of the decisions of two models on the same rows (exact below 25 rows that differ)."""
    hits = (first.labels == first.decisions, second.labels == second.decisions)
    only_first, only_second = int((hits[0] & ~hits[1]).sum()), int((~hits[0] & hits[1]).sum())
    _, p_value = compute_mcnemar(only_first, only_second)
    return McNemar(only_first=only_first, only_second=only_second, p_value=p_value)


def compute_paired_difference(
    metric: str, first: Outcomes, second: Outcomes, seed: int = 0
) -> Estimate:
    """Score of ``first`` minus score of ``second`` with its paired 95 % interval; both have the same rows and truth."""
    if first.n != second.n or not np.array_equal(first.truth, second.truth):
        raise ValueError("paired differences need the same rows in the same order")
    value = compute_score(metric, first) - compute_score(metric, second)
    if METRICS[metric].needs == "label":
        drawn = _draw_tables(metric, first, second, seed)
        method = f"paired multinomial bootstrap, {len(drawn)} draws"
        return build_bootstrap_estimate(value, drawn, first.n, method)
    found = [_find_influence(metric, each) for each in (first, second)]
    if found[0] is not None and found[1] is not None:
        return _build_normal(value, found[0] - found[1])
    draws = draw_scores(metric, {"first": first, "second": second}, seed)
    drawn = draws["first"] - draws["second"]
    method = f"paired bootstrap, {len(drawn)} draws"
    return build_bootstrap_estimate(value, drawn, first.n, method)


def _find_influence(metric: str, outcomes: Outcomes) -> Floats | None:
    """What each row adds to the score, ``(n,)``: always for an area under a curve, of means only where rows are many."""
    if metric in FORMULAS and METRICS[metric].sign == 1:
        found = compute_influence(metric, outcomes)
        return None if found is None else found[1]
    if outcomes.n <= MANY_ROWS:
        return None
    columns = find_columns(metric, outcomes)
    return None if columns is None else METRICS[metric].sign * compute_mean_influence(columns)[1]


def _build_normal(value: float, influence: Floats) -> Estimate:
    """From what every row adds to the difference; the sum of squares is its variance."""
    n, method = len(influence), "paired normal by influence"
    half = compute_z() * math.sqrt(float((influence**2).sum()))
    if not math.isfinite(half):
        reason = "interval not estimable: one row of a class"
        return Estimate(value, None, None, n, method, reason=reason)
    return Estimate(value, value - half, value + half, n, method)


def _draw_tables(metric: str, first: Outcomes, second: Outcomes, seed: int) -> Floats:
    """Differences over drawn tables of truth and both decisions; only cells that occur are drawn."""
    k = max(first.n_classes, second.n_classes)
    joint = (first.labels * k + first.decisions) * k + second.decisions
    cells, counts = np.unique(joint, return_counts=True)
    truth, one, two = cells // (k * k), cells // k % k, cells % k
    score = _build_table_score(metric, is_binary=first.task_type == "binary")
    drawn = draw_tables(counts, seed)
    parts = [drawn[start : start + CHUNK] for start in range(0, TABLE_DRAWS, CHUNK)]
    return np.concatenate(
        [
            score(_sum_cells(part, truth * k + one, k * k))
            - score(_sum_cells(part, truth * k + two, k * k))
            for part in parts
        ]
    )


def _build_table_score(metric: str, *, is_binary: bool) -> Callable[[Floats], Floats]:
    """The score of tables ``(B, K·K)``; an empty denominator counts as the worst value, as in the registry."""
    row = METRICS[metric]
    worst = row.range[0] if row.sign >= 0 else row.range[1]
    statistic = rates.find_composite(_ALIASES.get(metric, metric), is_binary=is_binary)

    def score(tables: Floats) -> Floats:
        values = statistic(tables)
        return np.where(np.isnan(values), worst, values) * (row.sign or 1)

    return score


def _sum_cells(drawn: Ints, places: Ints, size: int) -> Floats:
    """Columns of one place added up. Shape: (B, m), (m,) → (B, size)."""
    order = np.argsort(places, kind="stable")
    known, starts = np.unique(places[order], return_index=True)
    tables = np.zeros((len(drawn), size))
    tables[:, known] = np.add.reduceat(drawn[:, order], starts, axis=1)
    return tables
