"""Which models together predict best: greedy selection with replacement on the select part.

Source: Caruana et al. 2004, "Ensemble Selection from Libraries of Models". Whoever picks the best of many
mixtures by some rows is flattered by them, so a part of the rows has no say in the picking: it decides whether the
mixture is delivered or the best model alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.search.ensemble_scores import (
    Measure,
    build_log_loss,
    build_measure,
    build_picking_measure,
)

MOST_PICKS = 32  # so that no weight is below 3 %
MOST_MEMBERS = 8  # all of them predict in the end
PATIENCE = 5  # picks without gain
GUARD_SHARE = 0.15
LEAST_GUARD_ROWS = 10
MOST_CANDIDATES = 60
MOST_CELLS = 100_000  # rows × columns: bounds seconds and memory
MOST_RANKED_CELLS = 20_000  # the same where every mixture is sorted
ALIKE = 0.995  # correlation from which a model must gain more than noise does
N_BINS = 10

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Truth = NDArray[np.generic]


@dataclass(frozen=True, kw_only=True, slots=True)
class EnsembleInput:
    """Candidates on the same rows: ``predictions`` by trial number, ``(n, K)`` or ``(n,)``.

    ``single`` is the trial that would be delivered without an ensemble; ``weight`` how much each row counts.
    """

    task: Task
    truth: Truth
    predictions: Mapping[int, NDArray[np.floating]]
    single: int
    seed: int = 0
    most_members: int = MOST_MEMBERS
    weight: Floats | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ensemble:
    """Weights by trial number, the heaviest first, and what the rows say that nobody was picked by.

    ``picked_by`` names the measure of the picking, on ``n_rows``; both guard scores are of ``measure`` (higher is better), on
    ``n_guard`` rows, with the standard error of their difference; None where these are too few to judge.
    """

    weights: Mapping[int, float]
    single: int
    picked_by: str
    measure: str
    n_candidates: int
    n_rows: int
    n_guard: int
    guard_score: float | None
    guard_single: float | None
    guard_error: float | None

    @property
    def is_delivered(self) -> bool:
        """Whether several models together are the final model: unless the guard rows say that they are worse.

        Worse by more than one standard error: on a few hundred rows a mixture that is better on thousands loses nearly
        every second time, and the best alone was chosen by these rows too.
        """
        if len(self.weights) < 2 or self.guard_score is None or self.guard_single is None:
            return False
        return self.guard_score >= self.guard_single - (self.guard_error or 0.0)


def build_ensemble(given: EnsembleInput) -> Ensemble:
    """Pick, then let the guard rows decide; the same input gives the same ensemble, in any order of candidates.

    It scores at least as well as its best member on the rows it is picked by. Of many rows a seeded, stratified sample is
    taken (100,000 cells of rows × columns; 20,000 where the measure sorts).
    """
    own, guard = split_rows(given)
    picking = _suit(build_picking_measure(given.task), given, own)
    picks = _Picker(given, picking, own).pick()
    judging = _suit(build_measure(given.task), given, guard)
    guard_score, guard_single, guard_error = _judge(given, picks, guard, judging)
    return Ensemble(
        weights={
            number: count / len(picks)
            for number, count in sorted(
                Counter(picks).items(), key=lambda each: (-each[1], each[0])
            )
        },
        single=given.single,
        picked_by=picking.name,
        measure=judging.name,
        n_candidates=len(given.predictions),
        n_rows=len(own),
        n_guard=len(guard),
        guard_score=guard_score,
        guard_single=guard_single,
        guard_error=guard_error,
    )


def split_rows(given: EnsembleInput) -> tuple[Ints, Ints]:
    """The rows that models are picked by, and the guard rows; both sorted, seeded, stratified."""
    strata = _build_strata(given.task, given.truth)
    rng = np.random.default_rng(given.seed)
    rows = _draw(np.arange(len(strata)), strata, _compute_share(given), rng)
    guard = _draw(rows, strata, GUARD_SHARE, rng)
    return np.setdiff1d(rows, guard), guard


def _suit(measure: Measure, given: EnsembleInput, rows: Ints) -> Measure:
    """Among rows of one class nothing can be ranked, and rows that weigh nothing are none: then the log loss."""
    weight = _take_weight(given, rows)
    counted = rows if weight is None else rows[weight > 0]
    if measure.is_ranking and len(np.unique(given.truth[counted])) < 2:
        return build_log_loss()
    return measure


def _take_weight(given: EnsembleInput, rows: Ints) -> Floats | None:
    return None if given.weight is None else given.weight[rows]


class _Picker:
    """Greedy picks on the rows that may decide them."""

    def __init__(self, given: EnsembleInput, measure: Measure, rows: Ints) -> None:
        numbers = sorted(given.predictions)
        self._measure = measure
        self._numbers = numbers
        self._truth = given.truth[rows]
        self._weight = _take_weight(given, rows)
        self._most_members = given.most_members
        self._columns = np.stack(
            [measure.reduce(self._truth, given.predictions[number][rows]) for number in numbers]
        )
        self._likeness = _correlate(self._columns.reshape(len(numbers), -1))

    def pick(self) -> tuple[int, ...]:
        """The picks in their order, up to the last one that made a better mixture than all before."""
        scores = [self._score(columns) for columns in self._columns]
        chosen = [int(np.argmax(scores))]
        total = self._columns[chosen[0]].copy()
        best = latest = scores[chosen[0]]
        best_size = 1
        while len(chosen) < MOST_PICKS and len(chosen) - best_size < PATIENCE:
            found = self._find_next(chosen, total, latest)
            if found is None:
                break
            place, latest = found
            chosen.append(place)
            total += self._columns[place]
            if latest > best:
                best, best_size = latest, len(chosen)
        return tuple(self._numbers[place] for place in chosen[:best_size])

    def _find_next(
        self, chosen: Sequence[int], total: Floats, latest: float
    ) -> tuple[int, float] | None:
        """The candidate that makes the best mixture, and its score; a twin of a member must gain more than noise."""
        members = sorted(set(chosen))
        places = members if len(members) >= self._most_members else range(len(self._numbers))
        mixtures = {place: (total + self._columns[place]) / (len(chosen) + 1) for place in places}
        scores = {place: self._score(mixture) for place, mixture in mixtures.items()}
        for place in sorted(places, key=lambda each: (-scores[each], each)):
            is_twin = place not in members and self._likeness[place, members].max() > ALIKE
            if not is_twin:
                return place, scores[place]
            before = total / len(chosen)
            error = self._measure.compute_error(self._truth, mixtures[place], before, self._weight)
            if scores[place] - latest > error:
                return place, scores[place]
        return None

    def _score(self, columns: Floats) -> float:
        return self._measure.score(self._truth, columns, self._weight)


def _judge(
    given: EnsembleInput, picks: Sequence[int], guard: Ints, measure: Measure
) -> tuple[float | None, float | None, float | None]:
    """The scores of the mixture and of the best model alone on the guard rows, and the error of their difference."""
    truth, weight = given.truth[guard], _take_weight(given, guard)
    n_counted = len(guard) if weight is None else int((weight > 0).sum())
    if n_counted < LEAST_GUARD_ROWS:
        return None, None, None
    columns = {
        number: measure.reduce(truth, given.predictions[number][guard])
        for number in {*picks, given.single}
    }
    mixture, alone = np.mean([columns[number] for number in picks], axis=0), columns[given.single]
    return (
        measure.score(truth, mixture, weight),
        measure.score(truth, alone, weight),
        measure.compute_error(truth, mixture, alone, weight),
    )


def _build_strata(task: Task, truth: Truth) -> Ints:
    """Classes, or tenths of the values."""
    if task.type is not TaskType.REGRESSION:
        return truth.astype(np.int64)
    ranks = np.argsort(np.argsort(truth, kind="stable"), kind="stable")
    return (ranks * N_BINS // max(1, len(truth))).astype(np.int64)


def _compute_share(given: EnsembleInput) -> float:
    """The share of the rows that are looked at."""
    measure = build_picking_measure(given.task)
    first = next(iter(given.predictions.values()))[:1]
    width: int = measure.reduce(given.truth[:1], first).shape[1]
    most = (MOST_RANKED_CELLS if measure.is_ranking else MOST_CELLS) / width
    return min(1.0, most / max(1, len(given.truth)))


def _draw(rows: Ints, strata: Ints, share: float, rng: np.random.Generator) -> Ints:
    """That share of the rows of every stratum, sorted."""
    if share >= 1:
        return rows
    parts = []
    for stratum in np.unique(strata[rows]):
        own = rng.permutation(rows[strata[rows] == stratum])
        parts.append(own[: round(share * len(own))])
    return np.sort(np.concatenate(parts))


def _correlate(flat: Floats) -> Floats:
    """Correlations of the rows of ``(C, m)``; a constant is like nothing else."""
    centred = flat - flat.mean(axis=1, keepdims=True)
    lengths = np.sqrt((centred**2).sum(axis=1))
    scaled = centred / np.where(lengths > 0, lengths, 1.0)[:, None]
    likeness: Floats = scaled @ scaled.T
    return likeness
