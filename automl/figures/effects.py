"""How predictions go with one column: the average over rows with its band, single rows, and local effects."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval, render_number
from automl.figures.style import COLORS, NEUTRAL, label, lay_out

BAND = "rgba(0, 114, 178, 0.2)"


def select_effect(frame: pd.DataFrame, column: str, output: str) -> pd.DataFrame:
    """The lines of one column and output."""
    return frame[(frame["column"] == column) & (frame["output"] == output)].reset_index(drop=True)


def plot_effect(effect: pd.DataFrame, kind: str, unit: str) -> go.Figure:
    """Lines over numbers and dates, dots over levels; ``effect`` is that of ``select_effect``.

    ``kind`` is that of the column, ``unit`` what is predicted.
    """
    is_line = kind in ("numeric", "datetime")
    fig = go.Figure()
    _add_curves(fig, effect[effect["kind"] == "curve"], kind)
    average = effect[effect["kind"] == "average"]
    if is_line:
        _add_band(fig, average, kind)
    fig.add_trace(
        go.Scatter(
            x=_place(average, kind), y=average["value"], name="average",
            mode="lines" if is_line else "markers",
            line={"color": COLORS[0], "width": 3}, marker={"color": COLORS[0], "size": 10},
            error_y=None if is_line else {
                "type": "data", "symmetric": False, "color": COLORS[0],
                "array": average["high"] - average["value"],
                "arrayminus": average["value"] - average["low"],
            },
            customdata=average[["low", "high", "n"]],
            hovertemplate="%{x}: %{y:.4g} [%{customdata[0]:.4g}, %{customdata[1]:.4g}], "
            "n = %{customdata[2]:,} rows<extra></extra>",
        )
    )  # fmt: skip
    local = effect[effect["kind"] == "local"]
    if len(local):
        fig.add_trace(
            go.Scatter(
                x=_place(local, kind), y=local["value"], name="local effects", mode="lines",
                line={"color": COLORS[3], "width": 2, "dash": "dash"},
                hovertemplate="%{x}: %{y:.4g}<extra></extra>",
            )
        )  # fmt: skip
    lay_out(fig, x=label(effect["column"].iloc[0], 60), y=unit)
    return fig if is_line else fig.update_xaxes(type="category")


def _place(lines: pd.DataFrame, kind: str) -> list[object]:
    """Numbers as numbers, dates as dates, levels as names."""
    if kind == "numeric":
        return pd.to_numeric(lines["label"]).tolist()
    return [label(each, 24) for each in lines["label"]]


def _add_curves(fig: go.Figure, curves: pd.DataFrame, kind: str) -> None:
    """All single rows as one thin trace with gaps between them."""
    xs: list[object] = []
    ys: list[float | None] = []
    for _, row in curves.groupby("row_id", sort=False):
        xs += [*_place(row, kind), None]
        ys += [*row["value"].tolist(), None]
    fig.add_trace(
        go.Scatter(
            x=xs, y=ys, name="single rows", hoverinfo="skip",
            mode="lines" if kind in ("numeric", "datetime") else "markers",
            line={"color": NEUTRAL, "width": 0.7}, opacity=0.5,
            marker={"color": NEUTRAL, "size": 4, "symbol": "line-ew-open"},
        )
    )  # fmt: skip


def _add_band(fig: go.Figure, average: pd.DataFrame, kind: str) -> None:
    places = _place(average, kind)
    fig.add_trace(
        go.Scatter(
            x=[*places, *places[::-1]], y=[*average["high"], *average["low"][::-1]], fill="toself",
            fillcolor=BAND, line={"width": 0}, hoverinfo="skip", name="95 % interval",
        )
    )  # fmt: skip


def describe_effect(effect: pd.DataFrame, unit: str) -> str:
    """Where the average is lowest and highest, over how many rows, and whether single rows go another way."""
    average = effect[effect["kind"] == "average"]
    column = str(effect["column"].iloc[0])
    low = average.iloc[int(average["value"].argmin())]
    high = average.iloc[int(average["value"].argmax())]
    text = (
        f"With {column} set to one value in all n = {int(average['n'].iloc[0]):,} test rows, the mean of the {unit[:1].lower()}{unit[1:]} goes from "
        f"{render_interval(low['value'], low['low'], low['high'])} at {low['label']} to "
        f"{render_interval(high['value'], high['low'], high['high'])} at {high['label']}. The interval is that of the mean "
        "over rows, not of the model."
    )
    local = effect[effect["kind"] == "local"]
    if len(local):
        reach = float(np.ptp(local["value"]))
        text += f" Local effects, between neighbouring values only (dashed), reach over {render_number(reach)}."
    return text
