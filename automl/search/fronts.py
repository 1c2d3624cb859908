"""Several objectives at once: who is on the front, and who goes on at a rung."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from automl.search.goals import OBJECTIVE_FACTS, Objective

Floats = NDArray[np.float64]


def build_values(
    objectives: Sequence[Objective], score: float | None, facts: Mapping[str, float]
) -> tuple[float, ...] | None:
    """The score, then costs with their sign turned, so that higher is better everywhere; None if one is unknown."""
    costs = [facts.get(OBJECTIVE_FACTS[each]) for each in objectives[1:]]
    if score is None or any(cost is None for cost in costs):
        return None
    values = (float(score), *(-float(cost) for cost in costs if cost is not None))
    return values if np.isfinite(values).all() else None


def compute_fronts(values: Floats) -> NDArray[np.int64]:
    """The front of each row of ``(n, m)`` values, higher is better: 0 is dominated by nobody.

    A row dominates another when it is nowhere worse and somewhere better; equal rows share their front.
    """
    n_rows = len(values)
    fronts = np.full(n_rows, -1, dtype=np.int64)
    left = np.arange(n_rows)
    number = 0
    while len(left):
        rows = values[left]
        no_worse = (rows[:, None, :] >= rows[None, :, :]).all(axis=2)  # (a, b): a against b
        better = (rows[:, None, :] > rows[None, :, :]).any(axis=2)
        is_dominated = (no_worse & better).any(axis=0)
        fronts[left[~is_dominated]] = number
        left = left[is_dominated]
        number += 1
    return fronts


def compute_crowding(values: Floats) -> Floats:
    """How alone each row of one front stands; the ends of every objective are infinitely alone.

    Source: Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II", section III-B.
    """
    distance = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if spread > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distance


def rank_rows(values: Floats) -> NDArray[np.int64]:
    """Indices best first: by front, then the loneliest, then the earliest."""
    fronts = compute_fronts(values)
    crowding = np.zeros(len(values))
    for front in np.unique(fronts):
        chosen = fronts == front
        crowding[chosen] = compute_crowding(values[chosen])
    return np.lexsort((np.arange(len(values)), -crowding, fronts))


def is_promoted(rows: Mapping[int, Sequence[float]], number: int, factor: int) -> bool:
    """Asynchronous successive halving over fronts: is this one in the best ``1/factor`` of who came so far?

    ``rows`` are values by trial number, ``number`` among them. One of the first is always promoted.
    """
    numbers = list(rows)
    order = rank_rows(np.array([rows[each] for each in numbers], dtype=np.float64))
    n_kept = max(1, len(numbers) // factor)
    return number in {numbers[index] for index in order[:n_kept]}
