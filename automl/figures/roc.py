"""Receiver operating characteristic: what is found against what is flagged by mistake."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_percent
from automl.figures.style import MAX_SERIES, add_reference, get_style, label, lay_out, thin


def plot_roc(frame: pd.DataFrame) -> go.Figure:
    """One line per ``series``; columns ``series, false_positive_rate, true_positive_rate`` in 0..1.

    At most six series are drawn, in order of appearance.
    """
    fig = go.Figure()
    add_reference(fig, x=(0, 1), y=(0, 1), text="chance")
    for index, (name, rows) in enumerate(frame.groupby("series", sort=False)):
        if index == MAX_SERIES:
            break
        style, shown = get_style(index), thin(rows)
        fig.add_trace(
            go.Scatter(
                x=shown["false_positive_rate"], y=shown["true_positive_rate"], name=label(name),
                mode="lines", line={"color": style.color, "dash": style.dash, "width": 2},
                hovertemplate="false-positive rate %{x:.3f}<br>true-positive rate %{y:.3f}",
            )
        )  # fmt: skip
    lay_out(fig, x="False-positive rate", y="True-positive rate", height=460)
    fig.update_xaxes(range=[-0.01, 1.01], constrain="domain")
    return fig.update_yaxes(range=[-0.01, 1.01])


def describe_roc(frame: pd.DataFrame) -> str:
    """What the first series finds where a tenth of the negatives is flagged."""
    if frame.empty:
        return "There is no curve to draw."
    name = frame["series"].iloc[0]
    rows = frame[frame["series"] == name].sort_values(["false_positive_rate", "true_positive_rate"])
    found = float(np.interp(0.1, rows["false_positive_rate"], rows["true_positive_rate"]))
    return (
        f"Where 10.0 % of the negatives are flagged by mistake, {name} finds "
        f"{render_percent(found)} of the positives; chance finds 10.0 %."
    )
