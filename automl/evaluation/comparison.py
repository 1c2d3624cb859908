"""Is one model better than another, or is it noise? Both are judged on the same rows.

Differences are of *scores* (higher is better for every metric), with paired 95 % intervals: DeLong for
the AUC, else a bootstrap whose draws take the same rows for every model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.errors import SpecError
from automl.evaluation.outcomes import build_outcomes
from automl.evaluation.row_scores import compute_row_scores
from fairness.definitions import METRICS, compute_score
from fairness.errors import AuditError
from fairness.estimates import Estimate
from fairness.intervals import compute_paired_auc_delong
from fairness.outcomes import Outcomes
from fairness.resampling import build_bootstrap_estimate, iterate_row_draws

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonInput:
    """Models to compare on the same rows.

    ``predictions``: name → probabilities ``(n, K)`` or values ``(n,)``; ``metric`` is a registry name.
    """

    task: Task
    truth: NDArray[np.generic]
    predictions: Mapping[str, NDArray[np.floating]]
    metric: str
    seed: int = 0

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
    """Scores of all models, and how they vary over the same draws of rows.

    ``draws``: name → ``(B,)``; empty for the AUC, whose differences have a formula.
    """

    metric: str
    outcomes: Mapping[str, Outcomes]
    scores: Mapping[str, float]
    draws: Mapping[str, Floats]

    @classmethod
    def build(cls, comparison: ComparisonInput, names: Sequence[str]) -> "_Scoreboard":
        outcomes = {
            name: build_outcomes(comparison.task, comparison.truth, comparison.predictions[name])
            for name in names
        }
        scores = {name: compute_score(comparison.metric, outcomes[name]) for name in names}
        has_formula = comparison.metric == "roc_auc" and comparison.task.type is TaskType.BINARY
        draws = {} if has_formula else _draw_scores(comparison.metric, outcomes, comparison.seed)
        return cls(metric=comparison.metric, outcomes=outcomes, scores=scores, draws=draws)

    def compare(self, first: str, second: str) -> Estimate:
        """Score of ``first`` minus score of ``second``."""
        if not self.draws:
            a, b = self.outcomes[first], self.outcomes[second]
            if a.probability is None or b.probability is None:
                raise SpecError("An AUC needs probabilities.")
            return compute_paired_auc_delong(a.truth, a.probability, b.probability)
        n = len(self.outcomes[first].truth)
        difference = self.scores[first] - self.scores[second]
        draws = self.draws[first] - self.draws[second]
        return build_bootstrap_estimate(
            difference, draws, n, f"paired bootstrap, {len(draws)} draws"
        )


def _draw_scores(metric: str, outcomes: Mapping[str, Outcomes], seed: int) -> dict[str, Floats]:
    """Scores of every model over the same bootstrap draws of rows: name → ``(B,)``."""
    n = len(next(iter(outcomes.values())).truth)
    by_row = {name: compute_row_scores(metric, each) for name, each in outcomes.items()}
    drawn: dict[str, list[float]] = {name: [] for name in outcomes}
    for chunk in iterate_row_draws(np.zeros(n, dtype=np.int64), seed):
        for rows in chunk:
            weight = np.bincount(rows, minlength=n) / n
            for name, each in outcomes.items():
                cheap = by_row[name]
                drawn[name].append(
                    _score_rows(metric, each, rows)
                    if cheap is None
                    else cheap.combine(weight @ cheap.parts)
                )
    return {name: np.array(values) for name, values in drawn.items()}


def _score_rows(metric: str, outcomes: Outcomes, rows: NDArray[np.int64]) -> float:
    """Score of a draw; NaN where the draw holds one class only."""
    drawn = replace(
        outcomes,
        truth=outcomes.truth[rows],
        prediction=None if outcomes.prediction is None else outcomes.prediction[rows],
        probability=None if outcomes.probability is None else outcomes.probability[rows],
    )
    try:
        return compute_score(metric, drawn)
    except AuditError:
        return float("nan")
