"""SHAP values of any model on the columns of the table: shares of one prediction that add up to it.

Every row is walked to from each background row, one column at a time in a random order; what the prediction gains at a
step is the column's. The mean over all walks estimates the Shapley value of the interventional game, with an order and
its reverse taken in turn, and each walk adds up exactly. Source: Štrumbelj and Kononenko 2014; Lundberg and Lee 2017,
arXiv:1705.07874; reversed orders: Mitchell et al. 2022, arXiv:2104.12199.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.cells import cells_to_days, cells_to_numbers
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
from automl.evaluation.explaining.related import find_related

N_BACKGROUND = 100
LEAST_ROWS, MOST_ROWS = 20, 300
MOST_PREDICTIONS = 1_000_000
CHUNK_PREDICTIONS = 50_000


def limit_rows(n_columns: int) -> int:
    """How many rows are explained: 300, fewer where there are many columns, at least 20."""
    return int(
        np.clip(MOST_PREDICTIONS // (N_BACKGROUND * max(1, n_columns)), LEAST_ROWS, MOST_ROWS)
    )


def compute_shapley(
    model: AskedModel, rows: HeldRows, background: pd.DataFrame, seed: int
) -> Steps:
    """SHAP values of every row, column and output against the mean prediction of the background.

    The frame has ``row_id, column, cell, position, output, value, error``: ``position`` is the rank of a number among
    the rows (0..1, NaN for other kinds), ``error`` the standard error of ``value`` by the walks. ``facts`` hold the base
    per output and the predictions per row; base and values add up to the prediction.
    """
    yield 0.0, "Predicting the background"
    pool = pd.concat([rows.frame, background], ignore_index=True)
    walker = _Walker(model, pool, len(rows), seed)
    done = []
    for start in range(0, len(rows), walker.n_at_once):
        yield start / len(rows), f"Explaining row {start + 1:,} of {len(rows):,}"
        done.append(walker.explain(np.arange(start, min(start + walker.n_at_once, len(rows)))))
    values, errors = (np.concatenate(part) for part in zip(*done, strict=True))
    base, predicted = walker.ends[len(rows) :].mean(axis=0), walker.ends[: len(rows)]
    gap = np.abs(base + values.sum(axis=1) - predicted).max()
    facts = {
        "base": base.tolist(),
        "predictions": [
            {"row_id": int(row), "values": each.tolist()}
            for row, each in zip(rows.row_id, predicted, strict=True)
        ],
        "n_rows": len(rows),
        "n_background": len(background),
        "largest_gap": float(gap),
        "related": [list(names) for names in find_related(pool, model.columns)],
    }
    return Found(frame=build_value_frame(model, rows, values, errors), facts=facts)


class _Walker:
    """Walks from every background row to some rows; both lie in ``pool``, the rows first."""

    def __init__(self, model: AskedModel, pool: pd.DataFrame, n_rows: int, seed: int) -> None:
        self._model, self._pool, self._n_rows, self._seed = model, pool, n_rows, seed
        self._n_background = len(pool) - n_rows
        self.ends = model.answer(pool)
        steps = self._n_background * max(1, len(model.names) - 1)
        self.n_at_once = max(1, CHUNK_PREDICTIONS // steps)

    def explain(self, rows: Ints) -> tuple[Floats, Floats]:
        """Values and their standard errors. Shape: ``(m,) → (m, F, O), (m, F, O)``"""
        orders = np.stack([self._draw_orders(int(row)) for row in rows])  # (m, B, F)
        m, b, f = orders.shape
        outputs = np.empty((m, b, f + 1, self.ends.shape[1]))
        outputs[:, :, 0] = self.ends[self._n_rows :]
        outputs[:, :, f] = self.ends[rows][:, None]
        if f > 1:
            sources = self._mix(rows, np.argsort(orders, axis=2))
            outputs[:, :, 1:f] = self._model.answer(compose(self._pool, sources)).reshape(
                m, b, f - 1, -1
            )
        gains = np.diff(outputs, axis=2)
        shares = np.empty_like(gains)
        np.put_along_axis(shares, orders[..., None], gains, axis=2)
        return shares.mean(axis=1), _compute_error(shares)

    def _draw_orders(self, row: int) -> Ints:
        """Columns in the order in which each walk takes them, every second one the reverse. Shape: (B, F)"""
        generator = np.random.default_rng([self._seed, row])
        f, half = len(self._model.names), -(-self._n_background // 2)
        forward = generator.permuted(np.tile(np.arange(f), (half, 1)), axis=1)
        return np.stack([forward, forward[:, ::-1]], axis=1).reshape(-1, f)[: self._n_background]

    def _mix(self, rows: Ints, ranks: Ints) -> dict[str, Ints]:
        """Which row of the pool each cell comes from, for the inner steps of all walks."""
        starts = np.arange(self._n_rows, self._n_rows + ranks.shape[1])[None, :, None]
        inner = np.arange(1, ranks.shape[2])
        return {
            name: np.where(ranks[:, :, place, None] < inner, rows[:, None, None], starts).ravel()
            for place, name in enumerate(self._model.names)
        }


def _compute_error(shares: Floats) -> Floats:
    """Standard error of the mean over walks, a walk and its reverse counted as one. Shape: (m, B, F, O) → (m, F, O)"""
    n_pairs = shares.shape[1] // 2
    if n_pairs < 2:
        return np.full((shares.shape[0], *shares.shape[2:]), np.nan)
    paired = (shares[:, 0 : 2 * n_pairs : 2] + shares[:, 1 : 2 * n_pairs : 2]) / 2
    error: Floats = paired.std(axis=1, ddof=1) / np.sqrt(n_pairs)
    return error


def build_value_frame(
    model: AskedModel, rows: HeldRows, values: Floats, errors: Floats
) -> pd.DataFrame:
    """Values and errors ``(n, F, O)`` as the frame that ``compute_shapley`` describes."""
    n, f, k = values.shape
    cells = pd.DataFrame({name: rows.frame[name].map(render_cell) for name in model.names})
    places = np.column_stack([_place(rows.frame[c.name], c) for c in model.columns])
    return pd.DataFrame(
        {
            "row_id": np.repeat(rows.row_id, f * k),
            "column": np.tile(np.repeat(np.array(model.names, dtype=object), k), n),
            "cell": np.repeat(cells.to_numpy(dtype=object).ravel(), k),
            "position": np.repeat(places.ravel(), k),
            "output": np.tile(np.array(model.outputs, dtype=object), n * f),
            "value": values.ravel(),
            "error": errors.ravel(),
        }
    )


def render_cell(value: object) -> str:
    """A cell as a person reads it; a missing one is a dash."""
    if (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float) and np.isnan(value))
    ):
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    return str(value)


def _place(series: "pd.Series[Any]", column: ColumnUse) -> NDArray[np.float64]:
    """Where a number or date stands among the others, 0..1; NaN for other kinds."""
    if column.kind not in (Kind.NUMERIC, Kind.DATETIME):
        return np.full(len(series), np.nan)
    read = cells_to_days if column.kind is Kind.DATETIME else cells_to_numbers
    ranks = pd.Series(read(series)).rank().to_numpy(dtype=np.float64)
    most = np.nanmax(ranks, initial=2.0)
    return np.asarray((ranks - 1) / (most - 1))
