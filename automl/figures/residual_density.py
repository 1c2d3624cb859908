"""Residuals of several models over each other: who misses by how much, and which way."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_number
from automl.figures.style import MAX_SERIES, NEUTRAL, get_style, label, lay_out


def plot_residual_density(frame: pd.DataFrame, unit: str) -> go.Figure:
    """A line per ``series`` over its bins; columns ``series, low, high, n`` (edges in the unit of the target).

    Heights are shares of the rows per unit of the target, so that bins of different widths compare. At most six series.
    """
    fig = go.Figure()
    for index, (name, rows) in enumerate(frame.groupby("series", sort=False)):
        if index == MAX_SERIES:
            break
        style = get_style(index)
        width = (rows["high"] - rows["low"]).to_numpy(dtype=float)
        fig.add_trace(
            go.Scatter(
                x=(rows["low"] + rows["high"]) / 2, name=label(name), mode="lines",
                y=rows["n"] / max(1, int(rows["n"].sum())) / np.where(width > 0, width, 1),
                line={"color": style.color, "dash": style.dash, "width": 2, "shape": "hvh"},
                customdata=rows[["low", "high", "n"]],
                hovertemplate="%{customdata[0]:,.4g} to %{customdata[1]:,.4g}<br>n = %{customdata[2]:,}",
            )
        )  # fmt: skip
    fig.add_vline(x=0, line={"color": NEUTRAL, "dash": "dash", "width": 1})
    return lay_out(
        fig, x=f"Residual of {label(unit)} (predicted − true)", y="Share of rows per unit"
    )


def describe_residual_density(frame: pd.DataFrame) -> str:
    """Of every series between which residuals the middle half of its rows lies."""
    if frame.empty:
        return "There are no residuals to draw."
    parts = []
    for name, rows in frame.groupby("series", sort=False):
        share = rows["n"].cumsum() / max(1, int(rows["n"].sum()))
        low, high = (
            float(rows["low"][share >= 0.25].iloc[0]), float(rows["high"][share >= 0.75].iloc[0])
        )  # fmt: skip
        ends = f"{render_number(low, low, high)} and {render_number(high, low, high)}"
        parts.append(f"{name}: the middle half of the residuals lies between {ends}")
    return f"{'; '.join(parts)}."
