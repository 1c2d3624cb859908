"""Reliability curves side by side on common axes: one small panel per class or group."""

import math

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.figures.style import NEUTRAL, get_style, label, lay_out, thin

MOST_PANELS = 12
N_COLUMNS = 3
PANEL_HEIGHT = 210


def plot_reliability_panels(curves: pd.DataFrame) -> go.Figure:
    """CORP curves of up to 12 ``series``: ``series, score_low, score_high, observed`` as ``compute_reliability`` gives."""
    names = list(dict.fromkeys(curves["series"]))[:MOST_PANELS]
    n_columns = min(N_COLUMNS, len(names))
    n_rows = math.ceil(len(names) / n_columns)
    fig = make_subplots(
        rows=n_rows, cols=n_columns, shared_xaxes=True, shared_yaxes=True,
        subplot_titles=[label(name, 22) for name in names],
        vertical_spacing=min(0.12, 0.3 / n_rows), horizontal_spacing=0.05,
    )  # fmt: skip
    for place, name in enumerate(names):
        row, col = divmod(place, n_columns)
        _add_panel(fig, curves[curves["series"] == name], str(name), row=row + 1, col=col + 1)
    lay_out(fig, x="", y="", height=90 + PANEL_HEIGHT * n_rows)
    fig.update_xaxes(range=[-0.02, 1.02])
    fig.update_yaxes(range=[-0.02, 1.02])
    for col in range(1, n_columns + 1):
        fig.update_xaxes(title_text="Predicted probability", row=n_rows, col=col)
    fig.update_yaxes(title_text="Observed share", col=1)
    return fig.update_layout(showlegend=False, margin={"t": 40})


def describe_reliability_panels(curves: pd.DataFrame) -> str:
    """Where the widest miss is, and over how many rows."""
    middle = (curves["score_low"] + curves["score_high"]) / 2
    far = curves.iloc[int(((curves["observed"] - middle).abs() * curves["n"]).to_numpy().argmax())]
    score = (far["score_low"] + far["score_high"]) / 2
    return (
        f"{curves['series'].nunique()} panels on the same axes. The miss with most rows: {far['series']}, scores about "
        f"{100 * score:.1f} %, {100 * far['observed']:.1f} % happened (n = {int(far['n']):,})."
    )


def _add_panel(fig: go.Figure, rows: pd.DataFrame, name: str, *, row: int, col: int) -> None:
    ordered = thin(rows.sort_values("score_low"))
    fig.add_trace(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip",
                   line={"color": NEUTRAL, "dash": "dash", "width": 1}),
        row=row, col=col,
    )  # fmt: skip
    fig.add_trace(
        go.Scatter(
            x=ordered[["score_low", "score_high"]].to_numpy().ravel(), y=ordered["observed"].repeat(2),
            customdata=ordered["n"].repeat(2), mode="lines", name=label(name),
            line={"color": get_style(0).color, "width": 2},
            hovertemplate="score %{x:.3f}<br>observed %{y:.3f}<br>n = %{customdata:,}",
        ),
        row=row, col=col,
    )  # fmt: skip
