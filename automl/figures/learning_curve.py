"""Learning curves: loss on the training and the select rows, epoch by epoch."""

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.figures.reading import render_number
from automl.figures.style import MAX_SERIES, get_style, label, lay_out, thin

MIN_TICKS = 3  # fewer on a log axis say nothing


def plot_learning_curves(frame: pd.DataFrame) -> go.Figure:
    """Training (solid) and select loss (dashed) per ``series``, the learning rate linked below.

    Columns ``series, epoch, train_loss, select_loss, learning_rate`` and, optional, ``score``. The best
    epoch (highest score, else lowest select loss) is marked. Losses are drawn on a log axis where they
    span enough of it. At most six series.
    """
    fig = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.06
    )
    for index, (name, rows) in enumerate(frame.groupby("series", sort=False)):
        if index == MAX_SERIES:
            break
        _add_series(fig, rows=thin(rows, 1_000), name=label(name), index=index)
    lay_out(fig, x="", y="", height=460)
    losses = pd.concat([frame["train_loss"], frame["select_loss"]]).dropna()
    ticks = _pick_ticks(losses)
    is_log = len(ticks) >= MIN_TICKS
    fig.update_yaxes(title_text="Loss (log)" if is_log else "Loss", row=1, col=1)
    if is_log:
        texts = [f"{value:g}" for value in ticks]
        fig.update_yaxes(type="log", tickvals=ticks, ticktext=texts, row=1, col=1)
    fig.update_yaxes(
        title_text="Rate", row=2, col=1, nticks=3, exponentformat="power", rangemode="tozero"
    )
    fig.update_xaxes(title_text="Epoch", row=2, col=1)
    return fig.update_layout(hovermode="x unified")


def _pick_ticks(losses: pd.Series) -> list[float]:
    """1, 2 and 5 times powers of ten within the losses; none where a loss is 0 or less."""
    if losses.empty or not (losses > 0).all():
        return []
    low, high = float(losses.min()), float(losses.max())
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [times * 10.0**power for power in powers for times in (1, 2, 5)]
    return [value for value in values if low <= value <= high]


def describe_learning_curves(frame: pd.DataFrame) -> str:
    """Where the select loss was lowest in the first series, and how far the losses lie apart there."""
    if frame.empty:
        return "No epoch has been reported yet."
    name = frame["series"].iloc[0]
    rows = frame[frame["series"] == name]
    best = _find_best(rows)
    return (
        f"{name[:1].upper()}{name[1:]} is best at epoch {int(best['epoch'])} of {int(rows['epoch'].max())}: loss "
        f"{render_number(float(best['select_loss']))} on the select part, "
        f"{render_number(float(best['train_loss']))} on the training part."
    )


def _add_series(fig: go.Figure, *, rows: pd.DataFrame, name: str, index: int) -> None:
    style = get_style(index)
    lines = (("train", "train_loss", "solid", 1.5), ("select", "select_loss", "dash", 2.5))
    for part, column, dash, width in lines:
        fig.add_trace(
            go.Scatter(
                x=rows["epoch"], y=rows[column], name=f"{name} · {part}", mode="lines",
                legendgroup=name, line={"color": style.color, "dash": dash, "width": width},
                hovertemplate="%{y:.4f}",
            ),
            row=1, col=1,
        )  # fmt: skip
    best = _find_best(rows)
    fig.add_trace(
        go.Scatter(
            x=[best["epoch"]], y=[best["select_loss"]], mode="markers", showlegend=False,
            legendgroup=name, name="best epoch", hovertemplate="best epoch<extra></extra>",
            marker={"color": style.color, "symbol": style.symbol, "size": 11, "line": {"width": 1}},
        ),
        row=1, col=1,
    )  # fmt: skip
    fig.add_trace(
        go.Scatter(
            x=rows["epoch"], y=rows["learning_rate"], mode="lines", showlegend=False,
            legendgroup=name, name=f"{name} · rate", hovertemplate="%{y:.2e}",
            line={"color": style.color, "dash": style.dash, "width": 1.5},
        ),
        row=2, col=1,
    )  # fmt: skip


def _find_best(rows: pd.DataFrame) -> pd.Series:
    """The row with the highest score, else with the lowest select loss, else the last one."""
    for column, sign in (("score", 1.0), ("select_loss", -1.0)):
        values = sign * rows[column].to_numpy(dtype=float) if column in rows else np.array([])
        if np.isfinite(values).any():
            return rows.iloc[int(np.nanargmax(values))]
    return rows.iloc[-1]
