"""Is one model better than another, or is it noise? Both are judged on the same rows.

Differences are of *scores* (higher is better for every metric), with paired 95 % intervals: DeLong for
the AUC, else a bootstrap whose draws take the same rows for every model. Many models are compared at once, so
their p-values are corrected by Holm's method: McNemar's for accuracy, else that of the difference over its
standard error.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task
from automl.errors import SpecError
from automl.evaluation.outcomes import build_outcomes
from automl.evaluation.resampling import draw_scores
from fairness.definitions import METRICS, compute_score
from fairness.estimates import Estimate
from fairness.influences import FORMULAS, compute_influence
from fairness.intervals import compute_holm, compute_mcnemar, compute_z
from fairness.resampling import MAX_UNDEFINED_SHARE, build_bootstrap_estimate

SIGNIFICANCE = 0.05

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonInput:
    """Models to compare on the same rows.

    ``predictions``: name → probabilities ``(n, K)`` or values ``(n,)``; ``metric`` is a registry name;
    ``weight``: how many rows each row stands for, if they differ.
    """

    task: Task
    truth: NDArray[np.generic]
    predictions: Mapping[str, NDArray[np.floating]]
    metric: str
    seed: int = 0
    weight: NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        known = METRICS.get(self.metric)
        if known is None or self.task.type.value not in known.tasks:
            raise SpecError(
                f"{self.metric!r} is not a metric of a {self.task.type.value} task.",
                hint="Choose one of the metrics listed for this task.",
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One model among its rivals.

    ``tier`` 1 is within noise of the best score. ``difference`` is its score minus that of the best, never above 0, with
    its paired interval; ``p_value`` that of no difference from the best, corrected by Holm's method over all rivals (1 for
    the best itself), ``test`` what it comes from.
    """

    name: str
    score: float
    tier: int
    difference: Estimate
    p_value: float
    test: str


def compute_difference(comparison: ComparisonInput, first: str, second: str) -> Estimate:
    """Score of ``first`` minus score of ``second``, with its paired 95 % interval."""
    table = _Scoreboard.build(comparison, (first, second))
    return table.compare(first, second)


def compute_tiers(comparison: ComparisonInput) -> tuple[Standing, ...]:
    """All models, best score first, in tiers whose members noise alone could have put in another order.

    A model joins the leader's tier unless its difference from the leader has a corrected p-value below 0.05, over all
    models not yet in a tier (Holm 1979); the best of those left leads the next tier. Where no test can be had, models are
    not told apart.
    """
    table = _Scoreboard.build(comparison, tuple(comparison.predictions))
    ordered = sorted(table.scores, key=lambda name: -table.scores[name])
    tiers: dict[str, int] = {}
    corrected: dict[str, float] = {}
    left, tier = ordered, 0
    while left:
        tier += 1
        found = table.test_against(left[0], left)
        corrected = corrected or found
        behind = [name for name in left if found[name] < SIGNIFICANCE]
        tiers |= {name: tier for name in left if name not in behind}
        left = behind
    return tuple(
        Standing(
            name=name,
            score=table.scores[name],
            tier=tiers[name],
            difference=table.compare(name, ordered[0]),
            p_value=corrected[name],
            test=table.test,
        )
        for name in ordered
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scoreboard:
    """Scores of all models, and how they vary together.

    ``influences``: name → ``(n,)``, for an AUC and its like: the sum of squares of a difference is its variance.
    ``draws``: name → ``(B,)``, for every other metric: scores over the same draws of rows.
    ``hits``: name → ``(n,)``, for accuracy of rows that count the same: which rows are decided correctly.
    """

    metric: str
    n: int
    scores: Mapping[str, float]
    influences: Mapping[str, Floats]
    draws: Mapping[str, Floats]
    hits: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def build(cls, comparison: ComparisonInput, names: Sequence[str]) -> "_Scoreboard":
        metric = comparison.metric
        outcomes = {
            name: build_outcomes(
                comparison.task,
                comparison.truth,
                comparison.predictions[name],
                weight=comparison.weight,
            )
            for name in names
        }
        scores = {name: compute_score(metric, outcomes[name]) for name in names}
        is_even = comparison.weight is None
        influences = {
            name: found[1]
            for name, each in outcomes.items()
            if metric in FORMULAS and is_even and (found := compute_influence(metric, each))
        }
        is_counted = metric == "accuracy" and is_even
        return cls(
            metric=metric,
            n=len(comparison.truth),
            scores=scores,
            influences=influences,
            draws={} if influences else draw_scores(metric, outcomes, comparison.seed),
            hits={name: each.labels == each.decisions for name, each in outcomes.items()}
            if is_counted
            else {},
        )

    @property
    def test(self) -> str:
        """What p-values come from."""
        if self.hits:
            return "mcnemar"
        if not self.influences:
            return "paired bootstrap"
        return "delong paired" if self.metric.startswith("roc_auc") else "influence paired"

    def test_against(self, leader: str, names: Sequence[str]) -> dict[str, float]:
        """Holm's corrected p-value of no difference from the leader, for every name; 1 for the leader itself."""
        rivals = [name for name in names if name != leader]
        corrected = compute_holm([self._compute_p(name, leader) for name in rivals])
        return {leader: 1.0, **dict(zip(rivals, corrected, strict=True))}

    def _compute_p(self, first: str, second: str) -> float:
        if self.hits:
            one, other = self.hits[first], self.hits[second]
            return compute_mcnemar(int((one & ~other).sum()), int((other & ~one).sum()))[1]
        difference = self.scores[first] - self.scores[second]
        error = self._compute_error(first, second)
        if not math.isfinite(error) or difference == 0:
            return 1.0
        return math.erfc(abs(difference) / error / math.sqrt(2)) if error > 0 else 0.0

    def _compute_error(self, first: str, second: str) -> float:
        """Standard error of the difference; NaN where more than a few draws have none."""
        if self.influences:
            change = self.influences[first] - self.influences[second]
            return math.sqrt(float((change**2).sum()))
        draws = self.draws[first] - self.draws[second]
        known = draws[np.isfinite(draws)]
        if len(known) < (1 - MAX_UNDEFINED_SHARE) * len(draws):
            return math.nan
        return float(known.std())

    def compare(self, first: str, second: str) -> Estimate:
        """Score of ``first`` minus score of ``second``."""
        difference = self.scores[first] - self.scores[second]
        if self.draws:
            draws = self.draws[first] - self.draws[second]
            method = f"paired bootstrap, {len(draws)} draws"
            return build_bootstrap_estimate(difference, draws, self.n, method)
        error = self._compute_error(first, second)
        if not math.isfinite(error):
            reason = "interval not estimable: one row of a class"
            return Estimate(difference, None, None, self.n, self.test, reason=reason)
        half = compute_z() * error
        return Estimate(difference, difference - half, difference + half, self.n, self.test)
