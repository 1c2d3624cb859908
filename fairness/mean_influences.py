"""Metrics that are functions of means over rows: how much each row moves them, and their intervals where rows are many.

Above 20,000 rows a bootstrap would take fewer draws and see no more than the normal law of the means.
Source: Jaeckel 1972, the infinitesimal jackknife.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fairness.columns import (
    LOSSES,
    VALUE_MEANS,
    build_value_columns,
    compute_losses,
    find_limits,
    identity,
)
from fairness.estimates import Estimate
from fairness.intervals import compute_z
from fairness.outcomes import Outcomes
from fairness.resampling import MAX_DRAWN_CELLS, ROW_DRAWS

MANY_ROWS = MAX_DRAWN_CELLS // ROW_DRAWS  # from here on fewer rows than that many times are drawn
VALUES = (*VALUE_MEANS, "r2")

Floats = NDArray[np.float64]
Columns = tuple[Floats, Callable[[Floats], Floats]]  # (n, m), and means (…, m) → values (…)


def find_columns(name: str, outcomes: Outcomes) -> Columns | None:
    """What has to be averaged, and the metric of the means; None for another metric, or where a divisor is zero."""
    if outcomes.task_type == "regression":
        return build_value_columns(name, outcomes) if name in VALUES else None
    if name in LOSSES:
        return compute_losses(name, outcomes)[:, None], identity
    if name == "mean_prediction":
        return outcomes.scores[:, None], identity
    return None


def compute_mean_influence(columns: Columns) -> tuple[float, Floats]:
    """The metric, and what one more of each row would change, ``(n,)``: the sum of squares is the variance."""
    parts, statistic = columns
    means = parts.mean(axis=0)
    value = float(statistic(means[None, :])[0])
    influence: Floats = statistic(means + (parts - means) / len(parts)) - value
    return value, influence


def estimate_means(name: str, outcomes: Outcomes) -> Estimate | None:
    """The metric with its normal interval, cut where no mean can lie; None where ``find_columns`` has none."""
    columns = find_columns(name, outcomes)
    if columns is None:
        return None
    value, influence = compute_mean_influence(columns)
    half = compute_z() * math.sqrt(float((influence**2).sum()))
    low, high = (-math.inf, 1.0) if name == "r2" else find_limits(name, outcomes)
    ends = (max(low, value - half), min(high, value + half))
    return Estimate(value, *ends, len(influence), "normal law of the means")
