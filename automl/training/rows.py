"""Who learns and who decides."""

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.training.scoring import Scorer


def training_rows(prepared: Prepared, *, is_refit: bool) -> NDArray[np.int64]:
    """Rows to learn from: the train part, for a refit the select part too."""
    train = np.asarray(prepared.parts[Part.TRAIN])
    if not is_refit:
        return train
    return np.sort(np.concatenate([train, prepared.parts[Part.SELECT]]))


def draw_positions(n_rows: int, n_wanted: int, seed: int) -> NDArray[np.int64]:
    """Positions of some of ``n_rows`` rows, all where fewer are there; in mixed order, the same for one seed.

    One from each of ``n_wanted`` equal stretches: pictures come class by class, so the first ones would show
    one class, and every class gets its share this way.
    """
    edges = np.linspace(0, n_rows, min(n_rows, n_wanted) + 1).astype(np.int64)
    draws = np.random.default_rng(seed)
    return draws.permutation(draws.integers(edges[:-1], edges[1:]))


def build_scorer(prepared: Prepared, task: Task, rows: NDArray[np.int64]) -> Scorer:
    """A scorer for some rows."""
    return Scorer(
        task=task,
        truth=np.asarray(prepared.target[rows]),
        target_scale=prepared.target_scale,
        weight=get_weight(prepared, rows),
    )


def get_weight(prepared: Prepared, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """The weights of some rows as they were given, None where all count the same."""
    return None if prepared.weight is None else np.asarray(prepared.weight[rows])
