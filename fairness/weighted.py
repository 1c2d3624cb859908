"""Metrics of rows that do not count the same, and their intervals.

A weight says how many rows a row stands for; only the ratios matter. Values are the same as if every row stood
there so often. Intervals come from a bootstrap that draws rows and keeps their weights: Wilson, DeLong and the
multinomial bootstrap take weights for counts and would be far too narrow.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fairness.estimates import Estimate, build_not_estimable
from fairness.outcomes import Outcomes
from fairness.resampling import build_bootstrap_estimate, iterate_row_times
from fairness.row_statistics import build_statistic

MAX_DRAWS = 400  # all metrics of a model share them
POINT_ONLY = ("ece",)

Floats = NDArray[np.float64]


def compute_effective_rows(weight: Floats) -> float:
    """Rows of equal weight that would tell as much, (Σw)² / Σw² (Kish 1965)."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def compute_weighted_metrics(
    names: Sequence[str], outcomes: Outcomes, seed: int = 0
) -> dict[str, Estimate]:
    """Metrics with intervals from the same draws; the method says how many, and the effective rows."""
    weight = outcomes.weights
    statistics = {name: build_statistic(name, outcomes) for name in names}
    drawn: dict[str, list[Floats]] = {name: [] for name in names if name not in POINT_ONLY}
    for times in iterate_weights(weight, seed) if drawn else ():
        for name, values in drawn.items():
            values.append(statistics[name](times))
    rows = f"{compute_effective_rows(weight):,.0f} effective rows"
    return {
        name: _build_estimate(
            float(statistic(weight[None, :])[0]), drawn.get(name), outcomes.n, rows
        )
        for name, statistic in statistics.items()
    }


def _build_estimate(value: float, drawn: list[Floats] | None, n: int, rows: str) -> Estimate:
    if drawn is None:
        if not np.isfinite(value):
            return build_not_estimable("a denominator is zero", n=n)
        reason = "no interval: compare it with its null value"
        return Estimate(value, None, None, n, f"weighted, {rows}", reason=reason)
    draws = np.concatenate(drawn)
    method = f"weighted row bootstrap, {len(draws)} draws, {rows}"
    return build_bootstrap_estimate(value, draws, n, method)


def iterate_weights(weight: Floats, seed: int = 0) -> Iterator[Floats]:
    """Weights of bootstrap draws in chunks ``(chunk, n)``: how often a row was drawn, times its weight."""
    n, left = len(weight), MAX_DRAWS
    for times in iterate_row_times(np.zeros(n, dtype=np.int64), seed):
        yield times[:left] * weight
        left -= len(times)
        if left <= 0:
            break
