"""Is one model better than another, or is it noise? Both are judged on the same rows.

Differences are of *scores* (higher is better for every metric), with paired 95 % intervals: DeLong for
the AUC, else a bootstrap whose draws take the same rows for every model.
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
from fairness.intervals import compute_auc_influence, compute_z
from fairness.outcomes import Outcomes
from fairness.resampling import build_bootstrap_estimate

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

    ``tier`` 1 is within noise of the best score. ``difference`` is its score minus the score of the
    leader of its tier's comparison (the best model that is not in a better tier), never above 0.
    """

    name: str
    score: float
    tier: int
    difference: Estimate


def compute_difference(comparison: ComparisonInput, first: str, second: str) -> Estimate:
    """Score of ``first`` minus score of ``second``, with its paired 95 % interval."""
    table = _Scoreboard.build(comparison, (first, second))
    return table.compare(first, second)


def compute_tiers(comparison: ComparisonInput) -> tuple[Standing, ...]:
    """All models, best score first, in tiers whose members noise alone could have put in another order.

    A model joins the leader's tier unless the interval of its difference lies wholly below 0; the best
    of those left leads the next tier. Where no interval can be had, models are not told apart.
    """
    table = _Scoreboard.build(comparison, tuple(comparison.predictions))
    left = sorted(table.scores, key=lambda name: -table.scores[name])
    standings: list[Standing] = []
    tier = 0
    while left:
        tier += 1
        behind = []
        for name in left:
            difference = table.compare(name, left[0])
            if difference.high is not None and difference.high < 0:
                behind.append(name)
            else:
                standings.append(
                    Standing(name=name, score=table.scores[name], tier=tier, difference=difference)
                )
        left = behind
    return tuple(standings)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scoreboard:
    """Scores of all models, and how they vary together.

    ``influences``: name → ``(n,)``, for an AUC: the sum of squares of a difference is its variance.
    ``draws``: name → ``(B,)``, for every other metric: scores over the same draws of rows.
    """

    n: int
    scores: Mapping[str, float]
    influences: Mapping[str, Floats]
    draws: Mapping[str, Floats]

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
        has_formula = metric in ("roc_auc", "roc_auc_ovr") and comparison.weight is None
        return cls(
            n=len(comparison.truth),
            scores=scores,
            influences={n: _compute_influence(o) for n, o in outcomes.items()}
            if has_formula
            else {},
            draws={} if has_formula else draw_scores(metric, outcomes, comparison.seed),
        )

    def compare(self, first: str, second: str) -> Estimate:
        """Score of ``first`` minus score of ``second``."""
        difference = self.scores[first] - self.scores[second]
        if self.draws:
            draws = self.draws[first] - self.draws[second]
            method = f"paired bootstrap, {len(draws)} draws"
            return build_bootstrap_estimate(difference, draws, self.n, method)
        error = math.sqrt(float(((self.influences[first] - self.influences[second]) ** 2).sum()))
        if not math.isfinite(error):
            reason = "interval not estimable: one row of a class"
            return Estimate(difference, None, None, self.n, "delong paired", reason=reason)
        half = compute_z() * error
        return Estimate(difference, difference - half, difference + half, self.n, "delong paired")


def _compute_influence(outcomes: Outcomes) -> Floats:
    """Influence of every row on the AUC, or on the mean one-against-rest AUC of the classes present."""
    labels, score = outcomes.labels, outcomes.scores
    if outcomes.task_type == "binary":
        return compute_auc_influence(labels, score)[1]
    present = np.unique(labels)
    influence: Floats = np.mean(
        [compute_auc_influence(labels == k, score[:, k])[1] for k in present], axis=0
    )
    return influence
