"""How predictions go with one column: partial dependence, single rows, and accumulated local effects.

Source: Friedman 2001 (partial dependence); Goldstein et al. 2015, arXiv:1309.6392 (single rows); Apley and Zhu 2020,
arXiv:1612.08468 (local effects, which never leave the neighbourhood of a row).
"""

from typing import Any

import numpy as np
import pandas as pd

from automl.data.cells import cells_to_days, cells_to_labels, cells_to_numbers
from automl.data.dataset import ColumnUse, Kind
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

MOST_ROWS = 500
MOST_CURVES = 30
MOST_PLACES, MOST_LEVELS = 20, 12
MOST_COLUMNS = 40
Z = 1.959963984540054


def compute_effects(model: AskedModel, rows: HeldRows, names: tuple[str, ...], seed: int) -> Steps:
    """Effects of the named columns, all where none is named; at most 40, texts are left out.

    The frame has ``column, kind, row_id, place, label, output, value, low, high, n``: ``kind`` is ``average`` (over all
    rows, with the 95 % interval of the mean), ``curve`` (one row) or ``local`` (accumulated local effects, shifted to
    the mean prediction; numbers and dates only); ``place`` counts the values that were tried, from 0 on.
    """
    wanted = [column for column in model.columns if not names or column.name in names]
    read = [column for column in wanted if column.kind is not Kind.TEXT][:MOST_COLUMNS]
    drawn = np.sort(np.random.default_rng(seed).permutation(len(rows))[:MOST_CURVES])
    plain = model.answer(rows.frame)
    frames = []
    for position, column in enumerate(read):
        yield position / len(read), f"Changing {column.name}, {position + 1} of {len(read)}"
        grid = _lay_grid(rows.frame[column.name], column.kind)
        if len(grid):
            frames += _Effect(model, rows, column, grid).compute(drawn, plain)
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)
    facts = {
        "n_rows": len(rows),
        "kinds": {column.name: str(column.kind) for column in read},
        "left_out": [column.name for column in wanted if column not in read],
    }
    return Found(frame=frame, facts=facts)


COLUMNS = ("column", "kind", "row_id", "place", "label", "output", "value", "low", "high", "n")


def _lay_grid(series: "pd.Series[Any]", kind: Kind) -> Ints:
    """Rows whose cells are tried: quantiles of numbers and dates in order, levels by how often they come."""
    if kind not in (Kind.NUMERIC, Kind.DATETIME):
        codes, labels = cells_to_labels(series)
        counts = np.bincount(codes[codes >= 0], minlength=len(labels))
        levels = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
        return np.array([np.flatnonzero(codes == level)[0] for level in levels], dtype=np.int64)
    values = _read(series, kind)
    order = np.argsort(values, kind="stable")[: int(np.isfinite(values).sum())]
    if not len(order):
        return order
    chosen = order[np.linspace(0, len(order) - 1, MOST_PLACES).round().astype(np.int64)]
    first: Ints = np.unique(values[chosen], return_index=True)[1]
    return chosen[first]


def _read(series: "pd.Series[Any]", kind: Kind) -> Floats:
    values = cells_to_days(series) if kind is Kind.DATETIME else cells_to_numbers(series)
    return np.where(np.isfinite(values), values, np.nan)


class _Effect:
    """One column: its cell is replaced by each of the ``grid``, rows whose cells are tried."""

    def __init__(self, model: AskedModel, rows: HeldRows, column: ColumnUse, grid: Ints) -> None:
        self._model, self._rows, self._column, self._grid = model, rows, column, grid
        self._labels = [render_cell(rows.frame[column.name].iloc[int(row)]) for row in grid]

    def compute(self, drawn: Ints, plain: Floats) -> list[pd.DataFrame]:
        n, places = len(self._rows), len(self._grid)
        answers = self._ask(np.repeat(self._grid, n), np.tile(np.arange(n), places))
        answers = answers.reshape(places, n, -1)
        half = Z * answers.std(axis=1, ddof=1) / np.sqrt(n) if n > 1 else np.nan
        mean = answers.mean(axis=1)
        frames = [self._frame("average", mean, (mean - half, mean + half), n=n)]
        frames += [
            self._frame("curve", answers[:, row], row_id=int(self._rows.row_id[row]))
            for row in drawn
        ]
        if self._column.kind in (Kind.NUMERIC, Kind.DATETIME) and places > 1:
            frames.append(self._accumulate(plain))
        return frames

    def _ask(self, cells: Ints, others: Ints) -> Floats:
        sources = {
            name: cells if name == self._column.name else others for name in self._model.names
        }
        return self._model.answer(compose(self._rows.frame, sources))

    def _accumulate(self, plain: Floats) -> pd.DataFrame:
        """Each row moves between the two neighbouring values it lies between, never further."""
        values = _read(self._rows.frame[self._column.name], self._column.kind)
        known = np.flatnonzero(np.isfinite(values))
        edges = values[self._grid]
        bins = np.clip(np.searchsorted(edges, values[known], side="left"), 1, len(edges) - 1)
        answers = self._ask(
            np.concatenate([self._grid[bins], self._grid[bins - 1]]), np.tile(known, 2)
        )
        steps = answers[: len(known)] - answers[len(known) :]
        counts = np.bincount(bins, minlength=len(edges)).astype(np.float64)
        sums = np.stack(
            [np.bincount(bins, weights=each, minlength=len(edges)) for each in steps.T], axis=1
        )
        path = np.cumsum(sums / np.maximum(counts, 1)[:, None], axis=0)
        middle = np.zeros_like(path)
        middle[1:] = (path[1:] + path[:-1]) / 2  # the mean effect of the rows of a bin
        centred = path - (counts[:, None] * middle).sum(axis=0) / counts.sum()
        return self._frame("local", centred + plain.mean(axis=0), n=len(known))

    def _frame(
        self,
        kind: str,
        values: Floats,
        interval: tuple[Floats, Floats] | None = None,
        *,
        row_id: int = -1,
        n: int = 1,
    ) -> pd.DataFrame:
        """Values ``(G, O)`` as lines."""
        places, outputs = values.shape
        low, high = interval if interval is not None else (np.full_like(values, np.nan),) * 2
        return pd.DataFrame(
            {
                "column": self._column.name,
                "kind": kind,
                "row_id": row_id,
                "place": np.repeat(np.arange(places), outputs),
                "label": np.repeat(np.array(self._labels, dtype=object), outputs),
                "output": np.tile(np.array(self._model.outputs, dtype=object), places),
                "value": values.ravel(),
                "low": low.ravel(),
                "high": high.ravel(),
                "n": n,
            }
        )
