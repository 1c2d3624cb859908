"""Metrics of a regression as functions of row weights."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from fairness import rates
from fairness.columns import build_value_columns
from fairness.outcomes import Outcomes

KEPT_SHARE = 0.9  # of rmse_90

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]  # weights (B, n) → values (B,), NaN where there is none


def build_value_statistic(name: str, outcomes: Outcomes) -> Statistic:
    """A metric of the registry as a function of weights; always NaN where a divisor is zero."""
    build = _OF_VALUES.get(name)
    if build is not None:
        return build(outcomes)
    built = build_value_columns(name, outcomes)
    if built is None:
        return lambda weights: np.full(len(weights), np.nan)
    columns, statistic = built
    return lambda weights: statistic(weights @ columns / weights.sum(axis=1, keepdims=True))


def _build_median(values: Floats) -> Statistic:
    """The middle by weight; the mean of two neighbours where it falls between them."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]

    def compute(weights: Floats) -> Floats:
        reached = np.cumsum(weights[:, order], axis=1)
        half = reached[:, -1:] / 2 * (1 - 1e-12), reached[:, -1:] / 2 * (1 + 1e-12)
        low, high = ((reached >= each).argmax(axis=1) for each in half)
        middle: Floats = (ordered[low] + ordered[high]) / 2
        return middle

    return compute


def _build_d2_absolute(truth: Floats, forecast: Floats) -> Statistic:
    """1 − Σ|y − ŷ| / Σ|y − median y|."""
    errors, median = np.abs(truth - forecast), _build_median(truth)

    def compute(weights: Floats) -> Floats:
        around = np.abs(truth - median(weights)[:, None])
        return 1 - rates.divide(weights @ errors, (weights * around).sum(axis=1))

    return compute


def _build_trimmed_root(errors: Floats) -> Statistic:
    """Root of the mean square of the 90 % smallest errors, the last one counted in part."""
    order = np.argsort(errors, kind="stable")
    squares = errors[order] ** 2

    def compute(weights: Floats) -> Floats:
        ordered = weights[:, order]
        reached = np.cumsum(ordered, axis=1)
        kept = KEPT_SHARE * reached[:, -1:]
        inside = np.clip(kept - (reached - ordered), 0, ordered)
        root: Floats = np.sqrt(rates.divide(inside @ squares, kept[:, 0]))
        return root

    return compute


def _get_errors(outcomes: Outcomes) -> Floats:
    errors: Floats = np.abs(outcomes.values - outcomes.forecasts)
    return errors


_OF_VALUES: Mapping[str, Callable[[Outcomes], Statistic]] = {
    "median_absolute_error": lambda given: _build_median(_get_errors(given)),
    "d2_absolute_error": lambda given: _build_d2_absolute(given.values, given.forecasts),
    "rmse_90": lambda given: _build_trimmed_root(_get_errors(given)),
}
