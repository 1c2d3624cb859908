"""Predicted value against the true one."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval
from automl.figures.style import COLORS, add_reference, label, lay_out, thin

MAX_MARKS = 3_000
NEAR = 0.05  # a slope this close to 1 is not called anything else


def plot_predicted_actual(frame: pd.DataFrame, unit: str) -> go.Figure:
    """One dot per row with the line of identity; columns ``truth, prediction``; ``unit`` names the target."""
    shown = thin(frame.sort_values("prediction"), MAX_MARKS)
    fig = go.Figure(
        go.Scatter(
            x=shown["prediction"], y=shown["truth"], mode="markers", showlegend=False,
            marker={"color": COLORS[0], "size": 5, "opacity": 0.45},
            hovertemplate="predicted %{x:,.4g}<br>true %{y:,.4g}<extra></extra>",
        )
    )  # fmt: skip
    if len(frame):
        both = frame[["truth", "prediction"]].to_numpy(dtype=float)
        ends = (float(np.nanmin(both)), float(np.nanmax(both)))
        add_reference(fig, x=ends, y=ends, text="predicted = true")
        margin = 0.04 * (ends[1] - ends[0]) or 1.0
        bounds = [ends[0] - margin, ends[1] + margin]
        fig.update_xaxes(range=bounds)  # else the label on the line would widen the axis
        fig.update_yaxes(range=bounds)
    name = label(unit)
    return lay_out(fig, x=f"Predicted {name}", y=f"True {name}", height=460)


def describe_predicted_actual(frame: pd.DataFrame, slope: float | None) -> str:
    """The slope of the truth on the prediction over all rows (None: all predictions are equal)."""
    if slope is None:
        return f"{len(frame):,} points; all predictions are equal, so that no line can be drawn."
    half = _compute_half_width(frame)
    reading = "too extreme" if slope < 1 else "too flat"
    if abs(slope - 1) <= max(half, NEAR):
        reading = "about right" if abs(slope - 1) < NEAR else "within noise of right"
    shown = render_interval(slope, slope - half, slope + half)
    return (
        f"The truth rises by {shown} per unit of prediction (1 is right): the predictions "
        f"are {reading}. {len(frame):,} points drawn."
    )


def _compute_half_width(frame: pd.DataFrame) -> float:
    """Half the 95 % interval of the least-squares slope, from the points at hand; 0 with under three."""
    x, y = frame["prediction"].to_numpy(dtype=float), frame["truth"].to_numpy(dtype=float)
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x)
    if len(x) < 3 or spread == 0:
        return 0.0
    rest = y - x * float(x @ y) / spread
    return 1.96 * float(np.sqrt(rest @ rest / (len(x) - 2) / spread))
