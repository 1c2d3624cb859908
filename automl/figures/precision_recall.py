"""Precision against recall, with the base rate that chance reaches."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_percent
from automl.figures.style import MAX_SERIES, NEUTRAL, get_style, label, lay_out, thin


def plot_precision_recall(frame: pd.DataFrame, base_rate: float | None = None) -> go.Figure:
    """One line per ``series``; columns ``series, recall, precision`` in 0..1, steps kept.

    ``base_rate`` is the share of positives; None draws no reference (several classes, several rates).
    """
    fig = go.Figure()
    for index, (name, rows) in enumerate(frame.groupby("series", sort=False)):
        if index == MAX_SERIES:
            break
        style, shown = get_style(index), thin(rows)
        fig.add_trace(
            go.Scatter(
                x=shown["recall"], y=shown["precision"], name=label(name), mode="lines",
                line={"color": style.color, "dash": style.dash, "width": 2},
                hovertemplate="recall %{x:.3f}<br>precision %{y:.3f}",
            )
        )  # fmt: skip
    if base_rate is not None:
        fig.add_hline(
            y=base_rate, line={"color": NEUTRAL, "dash": "dash", "width": 1},
            annotation={"text": f"base rate {base_rate:.3f}", "font": {"color": NEUTRAL}},
            annotation_position="bottom left",
        )  # fmt: skip
    lay_out(fig, x="Recall", y="Precision", height=460)
    fig.update_xaxes(range=[-0.01, 1.01])
    return fig.update_yaxes(range=[-0.01, 1.02])


def describe_precision_recall(frame: pd.DataFrame, base_rate: float | None = None) -> str:
    """The best precision of the first series where four of five positives are found."""
    if frame.empty:
        return "There is no curve to draw."
    name = frame["series"].iloc[0]
    rows = frame[(frame["series"] == name) & (frame["recall"] >= 0.8)]
    if rows.empty:
        return f"{name} does not find four of five positives at any threshold."
    chance = "" if base_rate is None else f"; among all cases it is {render_percent(base_rate)}"
    return (
        f"Where {name} finds 80.0 % of the positives, "
        f"{render_percent(float(rows['precision'].max()))} of the cases it flags are positive{chance}."
    )
