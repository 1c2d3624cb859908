"""Error by tenth of the true value: where the model is far off."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_number
from automl.figures.style import COLORS, find_highest, label, lay_out


def plot_error_deciles(frame: pd.DataFrame, unit: str) -> go.Figure:
    """Mean absolute error per tenth of the rows by true value.

    Columns ``low, high`` (edges of the tenth, unit of the target), ``mae, n``.
    """
    names = [
        f"{low:,.4g} – {high:,.4g}" for low, high in zip(frame["low"], frame["high"], strict=True)
    ]
    fig = go.Figure(
        go.Bar(
            x=frame["mae"], y=names, orientation="h",
            marker={"color": COLORS[0], "line": {"width": 0}},
            customdata=frame["n"], hovertemplate="%{x:,.4g}<br>n = %{customdata:,}<extra></extra>",
        )
    )  # fmt: skip
    fig.update_yaxes(type="category")
    return lay_out(fig, x="Mean absolute error", y=f"True {label(unit)}, tenths", height=380)


def describe_error_deciles(frame: pd.DataFrame) -> str:
    """The tenth with the greatest error against the least."""
    if frame.empty:
        return "There are no errors to show."
    worst, least = find_highest(frame, "mae"), find_highest(frame, "mae", sign=-1)
    return (
        f"The mean absolute error is greatest ({render_number(float(worst['mae']))}) where the truth lies "
        f"between {worst['low']:,.4g} and {worst['high']:,.4g}, and least "
        f"({render_number(float(least['mae']))}) between {least['low']:,.4g} and {least['high']:,.4g}."
    )
