"""The quantiles that a bundle carries, and the columns that they add to predictions."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.errors import SpecError
from automl.evaluation.conformal import (
    LEVELS,
    ConformalScore,
    Floats,
    build_intervals,
    build_sets,
    compute_class_scores,
    compute_true_scores,
    find_quantile,
    find_rank,
)

SET, SET_SIZE, LOW, HIGH = "prediction_set", "set_size", "low", "high"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConformalQuantile:
    """The quantile of a coverage: ``rank`` of ``n`` scores of the calibrate part.

    ``value`` is a score of classes (0..1) or half a width in the unit of the target; None is infinite: ``n`` rows are too
    few for the level, and every class, or every value, is possible.
    """

    score: ConformalScore
    level: float
    n: int
    value: float | None

    def __post_init__(self) -> None:
        is_number = self.value is not None and math.isfinite(self.value) and self.value >= 0
        if is_number != (find_rank(self.n, self.level) is not None):
            raise SpecError(
                f"A quantile of {self.n} scores at {self.level:g} cannot be {self.value}."
            )

    @property
    def limit(self) -> float:
        """The largest score that is still in the set."""
        return math.inf if self.value is None else self.value


def fit_quantiles(
    task: Task, truth: NDArray[np.generic], prediction: NDArray[np.floating]
) -> tuple[ConformalQuantile, ...]:
    """One quantile per level, from the final predictions of the calibrate part: ``lac`` or ``residual``."""
    is_value = task.type is TaskType.REGRESSION
    score = ConformalScore.RESIDUAL if is_value else ConformalScore.LAC
    scores = compute_true_scores(score, truth, prediction)
    found = [(level, find_quantile(scores, level)) for level in LEVELS]
    return tuple(
        ConformalQuantile(
            score=score, level=level, n=len(scores), value=value if math.isfinite(value) else None
        )
        for level, value in found
    )


def build_set_columns(
    classes: Sequence[str],
    score: ConformalScore,
    prediction: NDArray[np.floating],
    quantile: float | Floats,
) -> pd.DataFrame:
    """What a coverage adds to predictions: ``prediction_set, set_size``, or of a value ``low, high``.

    A set is a JSON list of class names in the order of ``classes``, so that a name may hold any sign; ``low`` and ``high``
    are infinite where the quantile is. ``quantile``: one for all, or see ``build_sets``.
    """
    if score is ConformalScore.RESIDUAL:
        low, high = build_intervals(prediction, quantile)
        return pd.DataFrame({LOW: low, HIGH: high})
    sets = build_sets(compute_class_scores(score, prediction), quantile)
    return pd.DataFrame(
        {
            SET: pd.Series(_render_sets(classes, sets), dtype="str"),
            SET_SIZE: sets.sum(axis=1).astype(np.int64),
        }
    )


def _render_sets(classes: Sequence[str], sets: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Every different set is written once: there are few of them, and many rows."""
    patterns, place = np.unique(sets, axis=0, return_inverse=True)
    texts = [
        json.dumps([name for name, is_in in zip(classes, pattern, strict=True) if is_in], ensure_ascii=False)
        for pattern in patterns
    ]  # fmt: skip
    rendered: NDArray[np.object_] = np.array(texts, dtype=object)[place.reshape(-1)]
    return rendered
