"""What a model's score loses when a column is shuffled: bars with intervals around a zero line."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval, render_number
from automl.figures.style import COLORS, NEUTRAL, label, lay_out

MOST_BARS = 20
ROW_HEIGHT = 26
KINDS = {"column": (COLORS[0], ""), "set": (COLORS[1], "/")}


def plot_permutation(frame: pd.DataFrame, metric: str) -> go.Figure:
    """One bar per column or set of columns, the largest loss on top, at most 20; sets are hatched.

    ``frame`` is that of ``compute_importance``; ``metric`` is the title of the primary metric.
    """
    shown = frame.head(MOST_BARS).iloc[::-1]
    names = [label(name, 32) for name in shown["label"]]
    fig = go.Figure(
        go.Bar(
            x=shown["value"], y=names, orientation="h",
            marker={
                "color": [KINDS[kind][0] for kind in shown["kind"]],
                "pattern": {"shape": [KINDS[kind][1] for kind in shown["kind"]]},
            },
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.2, "color": NEUTRAL,
                "array": (shown["high"] - shown["value"]).fillna(0).clip(lower=0),
                "arrayminus": (shown["value"] - shown["low"]).fillna(0).clip(lower=0),
            },
            customdata=shown[["low", "high", "n"]],
            hovertemplate="%{y}: %{x:.4g} [%{customdata[0]:.4g}, %{customdata[1]:.4g}], "
            "n = %{customdata[2]:,} rows<extra></extra>",
        )
    )  # fmt: skip
    lay_out(fig, x=f"Loss of {metric}", y="", height=120 + ROW_HEIGHT * len(shown))
    return fig.add_vline(x=0, line={"color": NEUTRAL, "width": 1})


def describe_permutation(
    frame: pd.DataFrame, metric: str, n_repeats: int, related: Sequence[Sequence[str]]
) -> str:
    """The leading columns with their intervals, how many cannot be told from noise, and what is related."""
    columns = frame[frame["kind"] == "column"]
    parts = [
        f"{row['label']} {render_interval(row['value'], row['low'], row['high'])}"
        for row in columns.head(2).to_dict("records")
    ]
    quiet = int(((columns["low"] <= 0) & (columns["high"] >= 0)).sum())
    covers = "has an interval that covers" if quiet == 1 else "have intervals that cover"
    text = (
        f"Loss of {metric} when a column is shuffled (mean of {n_repeats} shuffles of n = "
        f"{int(frame['n'].iloc[0]):,} test rows, 95 % intervals): {' and '.join(parts)} lose most. "
        f"Of {len(columns)} columns, {quiet} {covers} 0: shuffling does no harm that can be told from noise."
    )
    if related:
        sets = "; ".join(", ".join(names) for names in related[:5])
        text += f" Say much the same, so look at them as a set (hatched): {sets}."
    return text


def describe_score(value: float, metric: str) -> str:
    """The score before anything is shuffled."""
    return f"{metric} of these rows as they are: {render_number(value)}."
