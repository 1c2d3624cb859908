"""Error by cohort of rows: a mark with its interval each, the error of all rows as a line."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval, render_percent
from automl.figures.style import COLORS, NEUTRAL, label, lay_out

ROW_HEIGHT = 34
LONGEST_LINE = 34  # characters of a name, so that a phone has room for the marks
MOST_LINES = 3
WORSE, USUAL = ("diamond", COLORS[3]), ("circle", COLORS[0])


def plot_errors(frame: pd.DataFrame, overall: float | None, *, name: str, axis: str) -> go.Figure:
    """One row per cohort in the order of the frame, the first on top; ``axis`` names the error with its unit.

    ``frame``: the cohort's name in the column ``name``, ``n, error, low, high``, and ``is_worse`` where cohorts were
    tested (a diamond then, else a circle). ``overall`` is drawn as a dashed line.
    """
    shown = frame.iloc[::-1]
    lines = [_break(str(text)) for text in shown[name]]
    marks = shown["is_worse"].tolist() if "is_worse" in shown else [None] * len(shown)
    signs = [WORSE if is_worse else USUAL for is_worse in marks]
    fig = go.Figure(
        go.Scatter(
            x=shown["error"], y=list(range(len(shown))), mode="markers", showlegend=False,
            marker={"size": 11, "symbol": [s for s, _ in signs], "color": [c for _, c in signs]},
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.4, "color": NEUTRAL,
                "array": (shown["high"] - shown["error"]).fillna(0),
                "arrayminus": (shown["error"] - shown["low"]).fillna(0),
            },
            customdata=list(zip(shown["n"], shown["low"], shown["high"], strict=True)),
            hovertemplate="%{x:.3~g} [%{customdata[1]:.3~g}, %{customdata[2]:.3~g}]<br>n = %{customdata[0]:,}<extra></extra>",
        )
    )  # fmt: skip
    if overall is not None:
        fig.add_vline(
            x=overall, line={"color": NEUTRAL, "dash": "dash", "width": 1},
            annotation={"text": "all rows", "font": {"color": NEUTRAL}}, annotation_position="top",
        )  # fmt: skip
    n_lines = sum(line.count("<br>") for line in lines)
    lay_out(fig, x=axis, y="", height=130 + ROW_HEIGHT * len(shown) + 12 * n_lines)
    fig.update_layout(margin={"t": 28})
    fig.update_xaxes(rangemode="tozero")
    return fig.update_yaxes(
        tickmode="array", tickvals=list(range(len(shown))), ticktext=lines,
        range=[-0.6, len(shown) - 0.4], showgrid=False, zeroline=False,
    )  # fmt: skip


def _break(text: str) -> str:
    """A long name over a few lines, inert where labels render simple tags."""
    lines = [""]
    for word in text.split():
        is_full = lines[-1] and len(lines[-1]) + len(word) >= LONGEST_LINE
        lines = [*lines, word] if is_full else [*lines[:-1], f"{lines[-1]} {word}".strip()]
    cut = [*lines[: MOST_LINES - 1], " ".join(lines[MOST_LINES - 1 :])]
    return "<br>".join(label(line, LONGEST_LINE) for line in cut if line)


def describe_errors(frame: pd.DataFrame, *, name: str, are_shares: bool) -> str:
    """The cohorts with the greatest and the least error, each with its interval."""
    if frame.empty:
        return "There are no rows to compare."
    records = frame.to_dict("records")
    worst, least = (pick(records, key=lambda row: row["error"]) for pick in (max, min))
    first, second = (render_error(row, are_shares=are_shares) for row in (worst, least))
    if len(frame) == 1:
        return f"All rows are in one part, {worst[name]}: {first}."
    return f"The error is greatest where {worst[name]}: {first}; and least where {least[name]}: {second}."


def render_error(row: Mapping[Any, Any], *, are_shares: bool) -> str:
    """``12.1 % [10.3, 14.2], n = 812`` from ``error, low, high, n``."""
    value, low, high = (row[key] for key in ("error", "low", "high"))
    n = f"n = {int(row['n']):,}"
    if not are_shares:
        return f"{render_interval(value, low, high)}, {n}"
    return f"{render_percent(value)} [{100 * low:.1f}, {100 * high:.1f}], {n}"
