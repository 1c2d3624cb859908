"""The smallest changes of one row that lead the model to another answer, made of cells that occur in real rows.

Real rows that the model answers as wished are donors. Their cells are taken over one at a time, the one that helps most
first, until the wish is reached; then whatever is not needed goes back, and numbers go back as far as they can.
Source: Brughmans, Leyman and Martens 2023, NICE, arXiv:2104.07411.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.cells import cells_to_days, cells_to_labels, cells_to_numbers
from automl.data.dataset import ColumnUse, Kind
from automl.data.task import TaskType
from automl.evaluation.explaining.asking import (
    AskedModel,
    Floats,
    Found,
    HeldRows,
    Ints,
    Steps,
    compose,
)
from automl.evaluation.explaining.shapley import render_cell
from automl.evaluation.outcomes import decide

MOST_DONORS, MOST_ROWS, MOST_SHOWN = 20, 2_000, 3
N_HALVINGS = 6
COLUMNS = ("place", "column", "before", "after", "distance")

Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What should be answered instead, and what may change for it.

    ``output``: a class; of a regression a value from ``low`` to ``high`` (None: open). ``locked`` columns stay;
    ``ranges`` bound numbers, either end may be open.
    """

    output: str = ""
    low: float | None = None
    high: float | None = None
    locked: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)

    def judge(self, model: AskedModel, predicted: Floats) -> tuple[Bools, Floats]:
        """Whether each answer is as wished, and how near it is (higher is nearer)."""
        if model.task.type is TaskType.REGRESSION:
            low = -np.inf if self.low is None else self.low
            high = np.inf if self.high is None else self.high
            misses = np.maximum(low - predicted, predicted - high)
            return misses <= 0, -np.maximum(misses, 0)
        place = model.task.classes.index(self.output)
        return decide(model.task, predicted, model.threshold) == place, predicted[:, place]


def find_counterfactuals(
    model: AskedModel, row: HeldRows, background: pd.DataFrame, wish: Wish
) -> Steps:
    """Up to three alternatives to the one row, the fewest and smallest changes first.

    The frame has ``place, column, before, after, distance``, a line per changed cell: ``distance`` is the change as a share
    of the column's usual range (0..1), 1 where a level or a date part changed. ``facts`` hold the answer to the row and to
    each alternative. An empty frame: no cells of the rows in ``background`` reach the wish.
    """
    search = _Search(model, pd.concat([row.frame, background], ignore_index=True), wish)
    yield 0.0, "Looking for rows that are answered as wished"
    donors = search.find_donors()
    taken = np.zeros((len(donors), len(model.names)), dtype=bool)
    for share in search.take_over(donors, taken):
        yield 0.1 + 0.5 * share, "Taking over what helps most"
    yield 0.6, "Giving back what is not needed"
    taken = search.give_back(donors, taken)
    order = search.rank(donors, taken)
    frames, alternatives = [], []
    for place, which in enumerate(order):
        yield 0.7 + 0.3 * place / len(order), "Making the changes smaller"
        changed = search.shrink(int(donors[which]), taken[which])
        lines = search.describe(changed, taken[which]).assign(place=place + 1)
        frames.append(lines)
        alternatives.append({"place": place + 1, **_answer(model, changed)})
    own = model.predict(row.frame)
    facts = {
        "row_id": int(row.row_id[0]),
        "own": _answer(model, row.frame),
        "is_reached": bool(wish.judge(model, own)[0][0]),
        "n_searched": len(background),
        "n_donors": len(donors),
        "alternatives": alternatives,
    }
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)
    return Found(frame=frame[list(COLUMNS)], facts=facts)


def _answer(model: AskedModel, frame: pd.DataFrame) -> dict[str, Any]:
    return describe_answer(model, np.asarray(model.predict(frame), dtype=np.float64))


def describe_answer(model: AskedModel, predicted: Floats) -> dict[str, Any]:
    """The answer to one row: outputs, and for classes the decision with its probability."""
    if model.task.type is TaskType.REGRESSION:
        return {"values": [float(predicted[0])], "decision": "", "confidence": None}
    place = int(decide(model.task, predicted, model.threshold)[0])
    values = (
        predicted[0, [model.task.positive_index]]
        if model.task.type is TaskType.BINARY
        else predicted[0]
    )
    return {
        "values": values.tolist(),
        "decision": model.task.classes[place],
        "confidence": float(predicted[0, place]),
    }


class _Search:
    """One row (the first of ``pool``) and the rows whose cells it may take."""

    def __init__(self, model: AskedModel, pool: pd.DataFrame, wish: Wish) -> None:
        self._model, self._pool, self._wish = model, pool, wish
        self._distance = np.column_stack(
            [_measure(pool[column.name], column) for column in model.columns]
        )
        self._allowed = (self._distance > 0) & np.column_stack(
            [self._may_change(column) for column in model.columns]
        )

    def _may_change(self, column: ColumnUse) -> Bools:
        if column.name in self._wish.locked:
            return np.zeros(len(self._pool), dtype=bool)
        low, high = self._wish.ranges.get(column.name, (None, None))
        if low is None and high is None:
            return np.ones(len(self._pool), dtype=bool)
        values = cells_to_numbers(self._pool[column.name])
        return np.asarray(
            (values >= (-np.inf if low is None else low))
            & (values <= (np.inf if high is None else high))
        )

    def _judge(self, donors: Ints, taken: Bools) -> tuple[Bools, Floats]:
        sources = {
            name: np.where(taken[:, place], donors, 0)
            for place, name in enumerate(self._model.names)
        }
        return self._wish.judge(self._model, self._model.predict(compose(self._pool, sources)))

    def find_donors(self) -> Ints:
        """The nearest rows whose allowed cells, all together, reach the wish."""
        rows = np.arange(1, len(self._pool))
        rows = rows[self._allowed[rows].any(axis=1)]
        if not len(rows):
            return rows
        rows = rows[self._judge(rows, self._allowed[rows])[0]]
        far = (self._distance[rows] * self._allowed[rows]).sum(axis=1)
        most = MOST_DONORS if len(self._model.names) <= 60 else 5
        return rows[np.argsort(far, kind="stable")[:most]]

    def take_over(self, donors: Ints, taken: Bools) -> Iterator[float]:
        """One further cell per round for every donor that does not reach the wish yet, noted in ``taken``."""
        open_ = np.arange(len(donors))
        most = taken.shape[1]
        for round_ in range(most):
            if not len(open_):
                return
            whose, which = np.nonzero(self._allowed[donors[open_]] & ~taken[open_])
            tried = taken[open_][whose]
            tried[np.arange(len(which)), which] = True
            reached, nearness = self._judge(donors[open_][whose], tried)
            far = self._distance[donors[open_][whose], which]
            for position, row in enumerate(open_):
                own = np.flatnonzero(whose == position)
                key = np.where(reached[own], 1e9 - far[own], nearness[own])
                taken[row, which[own[key.argmax()]]] = True
            open_ = open_[~self._judge(donors[open_], taken[open_])[0]]
            yield (round_ + 1) / most

    def give_back(self, donors: Ints, taken: Bools) -> Bools:
        """Cells without which the wish is still reached, the farthest first."""
        kept = taken.copy()
        for turn in range(int(taken.sum(axis=1).max(initial=0))):
            order = np.argsort(-self._distance[donors] * taken, axis=1, kind="stable")
            tried = kept.copy()
            tried[np.arange(len(donors)), order[:, turn]] = False
            reached = self._judge(donors, tried)[0] & tried.any(axis=1)
            kept[reached] = tried[reached]
        return kept

    def rank(self, donors: Ints, taken: Bools) -> Ints:
        """Up to three that change different columns, the fewest and smallest changes first."""
        far = (self._distance[donors] * taken).sum(axis=1)
        order = np.lexsort([far, taken.sum(axis=1)])
        seen: dict[bytes, int] = {}
        for which in order:
            seen.setdefault(taken[which].tobytes(), int(which))
        return np.array(list(seen.values())[:MOST_SHOWN], dtype=np.int64)

    def shrink(self, donor: int, taken: Bools) -> pd.DataFrame:
        """The changed row, its numbers as near to the old ones as the wish allows."""
        places = enumerate(self._model.names)
        changed = compose(
            self._pool, {name: np.array([donor if taken[p] else 0]) for p, name in places}
        )
        for place, column in enumerate(self._model.columns):
            if taken[place] and column.kind is Kind.NUMERIC:
                changed = self._halve(changed, column.name)
        return changed

    def _halve(self, changed: pd.DataFrame, name: str) -> pd.DataFrame:
        ends = cells_to_numbers(pd.concat([self._pool[name].iloc[[0]], changed[name]]))
        if not np.isfinite(ends).all():
            return changed
        is_whole = bool((ends == np.round(ends)).all())
        failed, reached = 0.0, 1.0
        for _ in range(N_HALVINGS):
            middle = (failed + reached) / 2
            tried = changed.assign(**{name: [_go(ends, middle, is_whole=is_whole)]})
            if self._wish.judge(self._model, self._model.predict(tried))[0][0]:
                reached, changed = middle, tried
            else:
                failed = middle
        return changed

    def describe(self, changed: pd.DataFrame, taken: Bools) -> pd.DataFrame:
        """A line per changed cell."""
        both = pd.concat([self._pool, changed], ignore_index=True)
        lines = [
            {
                "column": column.name,
                "before": render_cell(self._pool[column.name].iloc[0]),
                "after": render_cell(changed[column.name].iloc[0]),
                "distance": float(_measure(both[column.name], column)[-1]),
            }
            for place, column in enumerate(self._model.columns)
            if taken[place]
        ]
        return pd.DataFrame(lines)


def _go(ends: Floats, share: float, *, is_whole: bool) -> float:
    """Some way from the first end to the second; between whole numbers a whole one, on the far side."""
    value = float(ends[0] + share * (ends[1] - ends[0]))
    if not is_whole:
        return value
    return float(np.ceil(value) if ends[1] > ends[0] else np.floor(value))


def _measure(series: "pd.Series[Any]", column: ColumnUse) -> Floats:
    """How far every cell is from the first, 0..1: numbers by the range of the middle 90 %, others 0 or 1."""
    if column.kind not in (Kind.NUMERIC, Kind.DATETIME):
        codes = cells_to_labels(series)[0]
        return np.asarray(codes != codes[0], dtype=np.float64)
    values = cells_to_days(series) if column.kind is Kind.DATETIME else cells_to_numbers(series)
    known = values[np.isfinite(values)]
    width = float(np.ptp(np.quantile(known, [0.05, 0.95]))) if len(known) else 0.0
    far = np.minimum(np.abs(values - values[0]) / (width or 1.0), 1.0)
    same = np.isnan(values) & np.isnan(values[0])
    return np.asarray(np.where(same, 0.0, np.where(np.isfinite(far), far, 1.0)))
