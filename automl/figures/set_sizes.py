"""How many classes the sets hold: a bar per size."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_percent
from automl.figures.style import COLORS, NEUTRAL, lay_out


def plot_set_sizes(frame: pd.DataFrame) -> go.Figure:
    """Share of the rows by number of classes in their set, with 95 % intervals.

    Columns ``size, n, share, low, high, coverage`` (how often sets of that size hold the truth).
    """
    fig = go.Figure(
        go.Bar(
            x=[_name_size(int(size)) for size in frame["size"]], y=100 * frame["share"],
            marker={"color": COLORS[0]}, customdata=frame[["n", "coverage"]],
            error_y={
                "type": "data", "symmetric": False, "thickness": 1.6, "width": 5, "color": NEUTRAL,
                "array": 100 * (frame["high"] - frame["share"]),
                "arrayminus": 100 * (frame["share"] - frame["low"]),
            },
            hovertemplate=(
                "%{x}: %{y:.1f} %<br>n = %{customdata[0]:,}<br>"
                "truth inside: %{customdata[1]:.1%}<extra></extra>"
            ),
        )
    )  # fmt: skip
    fig.update_xaxes(type="category")
    lay_out(fig, x="Classes in the set", y="Rows, %", height=340)
    return fig.update_yaxes(rangemode="tozero")


def _name_size(size: int) -> str:
    return "none" if size == 0 else str(size)


def describe_set_sizes(frame: pd.DataFrame) -> str:
    """The share of sets with one class and how often it is the true one; the share that is empty."""
    parts = []
    for size, words in ((1, "one class"), (0, "no class")):
        found = frame[frame["size"] == size]
        if found.empty:
            parts.append(f"no set holds {words}" if size else "no set is empty")
            continue
        row = found.iloc[0]
        share = f"{render_percent(float(row['share']))} of the sets hold {words} (n = {int(row['n']):,})"
        inside = ", ".join(render_percent(float(row[f"coverage_{end}"])) for end in ("low", "high"))
        right = f", the true one in {render_percent(float(row['coverage']))} [{inside}] of them"
        parts.append(share + (right if size else ""))
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."
