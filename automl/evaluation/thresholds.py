"""The best threshold by a rule, among all decisions that some rows allow; rows of the calibrate part, never of the test part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from automl.errors import SpecError
from automl.evaluation.costs import Costs
from automl.evaluation.cuts import Cuts
from automl.evaluation.goal import DEFAULT_LEVELS, Goal
from automl.evaluation.operating_point import COST, YOUDEN, compute_at
from fairness.estimates import Estimate
from fairness.rates import (
    compute_accuracy,
    compute_balanced_accuracy_binary,
    compute_f1_binary,
    divide,
)

TIE = 1e-12  # two computations of one value may differ by this much
MOST_DIGITS = 16

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A goal with what it needs: the precision or false positive rate to keep (0 to 1), or the costs."""

    goal: Goal
    level: float | None = None
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        needs = self.goal in DEFAULT_LEVELS
        if needs and (self.level is None or not 0 <= self.level <= 1):
            raise SpecError(
                f"The rule {self.goal} needs a level between 0 and 1, got {self.level}.",
                hint="Say which precision, or which false positive rate, is to be kept.",
            )
        if not needs and self.level is not None:
            raise SpecError(
                f"The rule {self.goal} has no level, got {self.level:g}.", hint="Leave it out."
            )

    @property
    def measure(self) -> str:
        """The measure that is made best, by the names of ``compute_at``."""
        return _MEASURES.get(self.goal, self.goal.value)


_MEASURES = {
    Goal.RECALL_AT_PRECISION: "true_positive_rate",
    Goal.RECALL_AT_FALSE_POSITIVE_RATE: "true_positive_rate",
    Goal.YOUDEN: YOUDEN,
    Goal.COST: COST,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BestThreshold:
    """The best threshold by a rule; ``threshold`` is None with a ``reason`` where there is none.

    ``estimate`` is the measure at it on the rows that chose it: optimistic, the best of ``n_tried`` decisions.
    Thresholds above ``above`` up to ``up_to`` decide all of those rows alike. ``n_tied`` further decisions are as good;
    of equals the highest threshold is taken, which flags the fewest.
    """

    rule: Rule
    n: int
    n_tried: int
    threshold: float | None = None
    estimate: Estimate | None = None
    above: float | None = None
    up_to: float | None = None
    n_tied: int = 0
    reason: str = ""


def find_best_threshold(cuts: Cuts, rule: Rule, seed: int = 0) -> BestThreshold:
    """Try every decision that the rows allow, from nobody flagged to everybody flagged.

    A threshold lies between 0 and 1, so that a score of exactly 1 is always flagged.
    """
    first = 1 if len(cuts.score) and cuts.score[0] >= 1 else 0  # nobody flagged cannot be had
    everything = cuts.count_all()
    tables = everything[first:]
    obstacle = _find_obstacle(cuts)
    if obstacle:
        return BestThreshold(rule=rule, n=cuts.n, n_tried=len(tables), reason=obstacle)
    values = _SCORERS[rule.goal](tables.astype(np.float64), rule)
    values = np.where(np.isnan(values), -np.inf, values)
    top = float(values.max())
    if not np.isfinite(top):
        return BestThreshold(
            rule=rule, n=cuts.n, n_tried=len(tables), reason="no threshold keeps that level"
        )
    best = np.flatnonzero(values >= top - TIE * max(1.0, abs(top)))
    place = int(best[0]) + first
    above, up_to = _find_bounds(cuts, place)
    return BestThreshold(
        rule=rule,
        n=cuts.n,
        n_tried=len(tables),
        threshold=pick_round(above, up_to),
        estimate=compute_at(rule.measure, everything[place], rule.costs, seed),
        above=above,
        up_to=up_to,
        n_tied=len(best) - 1,
    )


def _find_obstacle(cuts: Cuts) -> str:
    if cuts.n == 0:
        return "no cases"
    if cuts.n_positive == 0:
        return "no positive labels"
    return "" if cuts.n_negative else "no negative labels"


def _find_bounds(cuts: Cuts, place: int) -> tuple[float, float]:
    """Between which two thresholds the ``place`` highest scores are flagged, and no other."""
    scores = cuts.score
    up_to = float(scores[place - 1]) if place else 1.0
    above = float(scores[place]) if place < len(scores) else 0.0
    return min(above, up_to), up_to


def pick_round(above: float, up_to: float) -> float:
    """The number with the fewest decimals that is greater than ``above`` and at most ``up_to``.

    So what is shown is exactly what is stored. Everybody flagged from 0 on: 0.
    """
    if up_to <= above:
        return up_to
    middle = (above + up_to) / 2
    for digits in range(1, MOST_DIGITS + 1):
        near = round(middle, digits)
        if above < near <= up_to:
            return near
    return up_to


def _keep(values: Floats, is_kept: NDArray[np.bool_]) -> Floats:
    return np.where(is_kept, values, -np.inf)


def _compute_rates(tables: Floats) -> tuple[Floats, Floats, Floats]:
    """True positive rate, false positive rate and precision."""
    tn, fp, fn, tp = (tables[..., place] for place in range(4))
    return divide(tp, tp + fn), divide(fp, fp + tn), divide(tp, tp + fp)


def _score_youden(tables: Floats, _rule: Rule) -> Floats:
    recall, alarm, _ = _compute_rates(tables)
    return recall - alarm


def _score_at_precision(tables: Floats, rule: Rule) -> Floats:
    recall, _, precision = _compute_rates(tables)
    return _keep(recall, precision >= (rule.level or 0.0))


def _score_at_false_positive_rate(tables: Floats, rule: Rule) -> Floats:
    recall, alarm, _ = _compute_rates(tables)
    return _keep(recall, alarm <= (rule.level or 0.0))


_SCORERS: Mapping[Goal, Callable[[Floats, Rule], Floats]] = MappingProxyType(
    {
        Goal.F1: lambda tables, _rule: compute_f1_binary(tables),
        Goal.BALANCED_ACCURACY: lambda tables, _rule: compute_balanced_accuracy_binary(tables),
        Goal.YOUDEN: _score_youden,
        Goal.ACCURACY: lambda tables, _rule: compute_accuracy(tables),
        Goal.RECALL_AT_PRECISION: _score_at_precision,
        Goal.RECALL_AT_FALSE_POSITIVE_RATE: _score_at_false_positive_rate,
        Goal.COST: lambda tables, rule: -rule.costs.compute_mean(tables),
    }
)
