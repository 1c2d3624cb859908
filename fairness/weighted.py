"""Metrics of rows that do not count the same, and their intervals.

A weight says how many rows a row stands for; only the ratios matter. Values are the same as if every row stood
there so often. Wilson, DeLong and the multinomial bootstrap take weights for counts and would be far too narrow: rates
have Wilson's interval of so many even rows as would be as uncertain, all else a bootstrap that draws rows and keeps
their weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairness import rates, scores
from fairness.estimates import Estimate, build_not_estimable
from fairness.intervals import compute_wilson_bounds
from fairness.outcomes import Outcomes
from fairness.resampling import iterate_row_times
from fairness.row_intervals import bootstrap_rows, plan_interval
from fairness.row_statistics import compute_statistic

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
    note = f", {compute_effective_rows(outcomes.weights):,.0f} effective rows"
    values = {name: compute_statistic(name, outcomes) for name in names}
    known = [name for name, value in values.items() if value is not None]
    shares = {name: share for name in known if (share := find_share(name, outcomes))}
    drawn = [name for name in known if name not in POINT_ONLY and name not in shares]
    plans = {name: plan_interval(name, outcomes) for name in drawn}
    found = bootstrap_rows(plans, outcomes.n, seed=seed, draws=MAX_DRAWS, note=note)
    found |= {name: _estimate_share(*share, outcomes.n) for name, share in shares.items()}
    return {
        name: replace(found[name], method=f"weighted {found[name].method}")
        if name in found
        else _build_point(value, outcomes.n, note)
        for name, value in values.items()
    }


def find_share(name: str, outcomes: Outcomes) -> tuple[NDArray[np.bool_], Floats] | None:
    """Hits and weights of the rows whose share a metric is; None for other metrics."""
    weight = outcomes.weights
    if outcomes.task_type == "regression":
        return None
    if name == "top_k_accuracy":
        return scores.compute_top_k_hits(outcomes.labels, outcomes.scores) == 1, weight
    if name == "accuracy":
        return outcomes.labels == outcomes.decisions, weight
    if name not in rates.RATES:
        return None
    rate, cell = rates.RATES[name], 2 * outcomes.labels + outcomes.decisions
    hit, pool = (
        np.isin(cell, [rates.CELLS.index(each) for each in part])
        for part in (rate.numerator, rate.denominator)
    )
    return hit[pool], weight[pool]


def _estimate_share(hit: NDArray[np.bool_], weight: Floats, n: int) -> Estimate:
    """A weighted share with Wilson's interval at the number of even rows that its variance is worth.

    Source: Kott and Carr 1997, "Developing an estimation strategy for a pesticide data program"; Franco et al. 2019,
    "Comparative study of confidence intervals for proportions in complex sample surveys".
    """
    share = float(weight @ hit / weight.sum())
    spread = float((weight**2 * (hit - share) ** 2).sum())
    rows = compute_effective_rows(weight)
    if spread > 0:
        rows = share * (1 - share) * float(weight.sum()) ** 2 / spread
    low, high = compute_wilson_bounds(share, rows)
    return Estimate(share, low, high, n, f"wilson, {rows:,.0f} effective rows")


def _build_point(value: float | None, n: int, note: str) -> Estimate:
    if value is None:
        return build_not_estimable("a denominator is zero", n=n)
    reason = "no interval: compare it with its null value"
    return Estimate(value, None, None, n, f"weighted{note}", reason=reason)


def iterate_weights(weight: Floats, seed: int = 0) -> Iterator[Floats]:
    """Weights of bootstrap draws in chunks ``(chunk, n)``: how often a row was drawn, times its weight."""
    n, left = len(weight), MAX_DRAWS
    for times in iterate_row_times(n, seed):
        yield times[:left] * weight
        left -= len(times)
        if left <= 0:
            break
