"""Kolmogorov-Smirnov: true and false positive rate by threshold, and where they lie farthest apart."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval, render_number, render_percent
from automl.figures.style import NEUTRAL, get_style, lay_out, thin


def plot_separation(roc: pd.DataFrame, separation: pd.Series) -> go.Figure:
    """Both rates of one series by ``threshold``, the largest distance marked.

    ``roc`` has ``threshold, true_positive_rate, false_positive_rate``; ``separation`` is that series' row of
    ``compute_separation``.
    """
    fig = go.Figure()
    shown = thin(roc.dropna(subset=["threshold"]))
    lines = (("true_positive_rate", "positives"), ("false_positive_rate", "negatives"))
    for index, (column, name) in enumerate(lines):
        style = get_style(index)
        fig.add_trace(
            go.Scatter(
                x=shown["threshold"], y=shown[column], name=f"{name} at or above", mode="lines",
                line={"color": style.color, "dash": style.dash, "width": 2},
                hovertemplate="score %{x:.3f}<br>share %{y:.3f}",
            )
        )  # fmt: skip
    at = float(separation["threshold"])
    ends = [float(separation[column]) for column, _ in lines]
    fig.add_trace(
        go.Scatter(
            x=[at, at], y=ends, mode="lines+markers", name=f"KS {float(separation['ks']):.3f}",
            line={"color": NEUTRAL, "width": 2}, marker={"symbol": "line-ew-open", "size": 12},
            hovertemplate=f"score {at:.3f}<extra></extra>",
        )
    )  # fmt: skip
    lay_out(fig, x="Score", y="Share of the rows at or above it")
    return fig.update_yaxes(range=[-0.01, 1.02])


def describe_separation(separation: pd.Series) -> str:
    """The distance with its interval, where it is, and of how many rows."""
    ks = render_interval(*(float(separation[key]) for key in ("ks", "low", "high")))
    found, mistaken = (
        render_percent(float(separation[key]))
        for key in ("true_positive_rate", "false_positive_rate")
    )
    return (
        f"{separation['series']} tells apart most at a score of {render_number(float(separation['threshold']))}: {found} of "
        f"{int(separation['n_positive']):,} positives and {mistaken} of {int(separation['n_negative']):,} negatives lie at or "
        f"above it, a distance (KS) of {ks}. The score was chosen on these rows, so the distance is slightly optimistic."
    )
