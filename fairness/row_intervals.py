"""Intervals of metrics that are no counts, from draws of rows: one way for means, one for shares of a ranking, one for the rest.

Rows are drawn from all rows, not within each label: how many labels are positive is chance too, and intervals that hold
it fixed are far too narrow (the Brier score at a base rate of 0.2: true in 83 % of cases instead of 95 %).
How often every interval holds the true value is measured in ``tests/acceptance/test_coverage_acceptance.py``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairness.columns import build_mean_column, find_limits
from fairness.estimates import Estimate
from fairness.intervals import build_auc_estimate
from fairness.outcomes import Outcomes
from fairness.resampling import (
    build_bootstrap_estimate,
    iterate_row_times,
)
from fairness.row_statistics import build_statistic

RANKINGS = ("average_precision", "average_precision_ovr", "roc_auc", "roc_auc_ovr", "roc_auc_ovo")
LEAST_SPREAD = (
    1 / 3
)  # of the standard error of the mean, in a draw that misses the few rows that make it

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class RowPlan:
    """What is computed in every draw, and how an interval comes of it.

    ``draw``: how often each row was drawn ``(B, n)`` → ``(B,)``, NaN where there is none. ``build``: all draws and the
    name of the method → estimate.
    """

    method: str
    draw: Callable[[Floats], Floats]
    build: Callable[[Floats, str], Estimate]


def plan_interval(name: str, outcomes: Outcomes) -> RowPlan:
    """The way that suits a metric: studentised for a mean, logit for a share of a ranking, else percentiles."""
    mean = build_mean_column(name, outcomes)
    if mean is not None:
        column, link = mean
        return _plan_mean(_Mean.build(column, outcomes.weights), link, find_limits(name, outcomes))
    statistic, weight = build_statistic(name, outcomes), outcomes.weights
    value = float(statistic(weight[None, :])[0])
    build = _build_logit if name in RANKINGS else build_bootstrap_estimate
    return RowPlan(
        method="row bootstrap, logit" if name in RANKINGS else "row bootstrap",
        draw=lambda times: statistic(times * weight),
        build=lambda drawn, method: build(value, drawn, outcomes.n, method),
    )


def bootstrap_rows(
    plans: Mapping[str, RowPlan], n: int, *, seed: int = 0, draws: int | None = None, note: str = ""
) -> dict[str, Estimate]:
    """Several metrics of the same rows, from the same draws; ``draws``: no more than so many."""
    drawn: dict[str, list[Floats]] = {name: [] for name in plans}
    made = 0
    for times in iterate_row_times(n, seed) if plans else ():
        chunk = times if draws is None else times[: draws - made]
        made += len(chunk)
        for name, plan in plans.items():
            drawn[name].append(plan.draw(chunk))
        if made == draws:
            break
    return {
        name: plan.build(np.concatenate(drawn[name]), f"{plan.method}, {made:,} draws{note}")
        for name, plan in plans.items()
    }


def _build_logit(value: float, drawn: Floats, n: int, method: str) -> Estimate:
    """By the spread of the draws on the logit scale, as for an AUC: percentiles of draws, which hold every row that
    was drawn twice against itself, lie too high (Boyd, Eng and Page 2013, "Area under the precision-recall curve").
    """
    estimate = build_bootstrap_estimate(value, drawn, n, method)
    if not estimate.has_interval:
        return estimate
    edge = 1 / (2 * n)  # a draw without any mistake has no logit
    inside = np.clip(drawn[np.isfinite(drawn)], edge, 1 - edge)
    error = float(np.log(inside / (1 - inside)).std()) * value * (1 - value)
    return build_auc_estimate(value, error, n, method=method)


@dataclass(frozen=True, slots=True)
class _Mean:
    """Weighted mean of a column, and sums over the rows of what its error in a draw is made of.

    ``columns`` (n, 5), with x the distance from the mean in units of the largest, ``unit`` (squares of relative errors
    overflow otherwise): w·x, w, (w·x)², w²·x, w².
    """

    value: float
    unit: float
    columns: Floats

    @classmethod
    def build(cls, column: Floats, weight: Floats) -> "_Mean":
        value = float(weight @ column / weight.sum())
        distance = column - value
        unit = float(np.abs(distance).max()) or 1.0
        x, squares = distance / unit, weight**2
        return cls(
            value, unit, np.column_stack([weight * x, weight, squares * x**2, squares * x, squares])
        )

    def measure(self, times: Floats) -> tuple[Floats, Floats]:
        """How far the mean of each draw lies from the mean, and its standard error in that draw, in units."""
        sums = times @ self.columns
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = sums[:, 0] / sums[:, 1]
            variance = (sums[:, 2] - 2 * shift * sums[:, 3] + shift**2 * sums[:, 4]) / sums[
                :, 1
            ] ** 2
        return shift, np.sqrt(np.maximum(variance, 0.0))


def _plan_mean(
    mean: _Mean, link: Callable[[Floats], Floats], limits: tuple[float, float]
) -> RowPlan:
    """Studentised bootstrap: every draw is measured in its own standard errors, so that a long tail of losses widens
    the interval on the side where it lies (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", ch. 12).
    The standard error of a draw counts as at least a third of that of all rows: where two rows of a thousand make the
    mean, every seventh draw has neither, and would widen the interval without end.

    ``link`` rises with the mean; the interval is cut at ``limits``, which the mean cannot leave.
    """
    n = len(mean.columns)
    error = float(mean.measure(np.ones((1, n)))[1][0])

    def draw(times: Floats) -> Floats:
        shift, spread = mean.measure(times)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance: Floats = shift / np.maximum(spread, error * LEAST_SPREAD)
        return distance

    def build(drawn: Floats, method: str) -> Estimate:
        if error == 0:  # all rows are equal
            return _link(Estimate(mean.value, mean.value, mean.value, n, method), link, limits)
        estimate = build_bootstrap_estimate(mean.value, drawn, n, method)
        if estimate.low is not None and estimate.high is not None:
            size = error * mean.unit
            low, high = mean.value - estimate.high * size, mean.value - estimate.low * size
            estimate = replace(estimate, low=low, high=high)
        return _link(estimate, link, limits)

    return RowPlan(method="studentised row bootstrap", draw=draw, build=build)


def _link(
    estimate: Estimate, link: Callable[[Floats], Floats], limits: tuple[float, float]
) -> Estimate:
    """The estimate of a function of the mean."""
    if estimate.low is None or estimate.high is None:
        return replace(estimate, value=_apply(link, estimate.value or 0.0))
    inside = (max(limits[0], estimate.low), estimate.value or 0.0, min(limits[1], estimate.high))
    low, value, high = (_apply(link, each) for each in inside)
    return replace(estimate, low=low, value=value, high=high)


def _apply(link: Callable[[Floats], Floats], mean: float) -> float:
    return float(link(np.array([mean]))[0])
