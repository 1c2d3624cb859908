"""What explanations ask of a model: rows of a table in, one number per output; cells of rows mixed at will."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.dataset import ColumnUse
from automl.data.task import Task, TaskType

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Step = tuple[float, str]  # the share that is done, 0..1, and what happens now


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a method found: a tidy frame, and facts that are not about one row of it (JSON-able)."""

    frame: pd.DataFrame
    facts: Mapping[str, Any]


Steps = Generator[Step, None, Found]


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedModel:
    """A fitted model of any kind; ``predict`` gives probabilities ``(n, K)`` or values ``(n,)`` of raw rows.

    ``columns`` are its inputs. ``threshold`` turns the positive probability into a decision (binary only).
    """

    task: Task
    columns: tuple[ColumnUse, ...]
    predict: Callable[[pd.DataFrame], Floats]
    threshold: float = 0.5

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(column.name for column in self.columns)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What is explained: the positive class, every class of several, or the target of a regression."""
        if self.task.type is TaskType.REGRESSION:
            return (self.task.target,)
        if self.task.type is TaskType.BINARY:
            return (self.task.classes[self.task.positive_index],)
        return self.task.classes

    def answer(self, frame: pd.DataFrame) -> Floats:
        """The outputs of every row. Shape: ``n rows → (n, O)``"""
        predicted = np.asarray(self.predict(frame), dtype=np.float64)
        if self.task.type is TaskType.REGRESSION:
            return predicted[:, None]
        if self.task.type is TaskType.BINARY:
            return predicted[:, [self.task.positive_index]]
        return predicted


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldRows:
    """Rows that the model did not learn from.

    ``frame``: the inputs, index 0..n−1. ``truth``: class indices or values ``(n,)``. ``row_id``: as a person counts
    them. ``weight``: how many rows each row stands for, None where all count the same.
    """

    frame: pd.DataFrame
    truth: NDArray[Any]
    row_id: Ints
    weight: Floats | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: Ints) -> "HeldRows":
        """Some of them, in that order."""
        return replace(
            self,
            frame=self.frame.iloc[rows].reset_index(drop=True),
            truth=self.truth[rows],
            row_id=self.row_id[rows],
            weight=None if self.weight is None else self.weight[rows],
        )


def draw_rows(n: int, most: int, seed: int) -> Ints:
    """Row numbers, sorted: all of ``n``, or ``most`` of them drawn at random."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=most, replace=False))


def compose(pool: pd.DataFrame, sources: Mapping[str, Ints]) -> pd.DataFrame:
    """Rows whose cells come from different rows of ``pool``: for each column the row numbers to take."""
    return pd.DataFrame({name: pool[name].array.take(rows) for name, rows in sources.items()})


def name_columns(names: Sequence[str]) -> str:
    """Several columns as one label."""
    return " + ".join(names)
