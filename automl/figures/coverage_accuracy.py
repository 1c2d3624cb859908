"""How right the model is on the rows it decides, against how many it decides."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_percent
from automl.figures.style import NEUTRAL, get_style, label, lay_out

FILL = 0.15
FEW = 30  # rows; below it an interval says little


def plot_coverage_accuracy(frame: pd.DataFrame, decided: float) -> go.Figure:
    """A line with its 95 % band per ``series``; a dashed line at the share that is ``decided`` now (0..1).

    Columns ``series, limit, n, share, accuracy, low, high``, the highest limit first.
    """
    fig = go.Figure()
    for index, (name, rows) in enumerate(frame.groupby("series", sort=False)):
        style = get_style(index)
        fig.add_trace(
            go.Scatter(
                x=100 * pd.concat([rows["share"], rows["share"][::-1]]),
                y=100 * pd.concat([rows["high"], rows["low"][::-1]]),
                fill="toself", fillcolor=_fade(style.color), line={"width": 0}, hoverinfo="skip",
                showlegend=False, legendgroup=str(name), mode="lines",
            )
        )  # fmt: skip
        fig.add_trace(
            go.Scatter(
                x=100 * rows["share"], y=100 * rows["accuracy"], mode="lines", name=label(name),
                line={"color": style.color, "dash": style.dash, "width": 2},
                legendgroup=str(name), customdata=rows[["limit", "n", "low", "high"]],
                hovertemplate=(
                    "limit %{customdata[0]:.3f}: %{x:.1f} % decided, %{y:.1f} % right "
                    "[%{customdata[2]:.1%}, %{customdata[3]:.1%}]<br>n = %{customdata[1]:,}"
                ),
            )
        )  # fmt: skip
    fig.add_vline(
        x=100 * decided, line={"dash": "dash", "width": 1.2, "color": NEUTRAL},
        annotation={"text": "decided now", "font": {"color": NEUTRAL}},
        annotation_position="top left" if decided > 0.5 else "top right",
    )  # fmt: skip
    start = _find_start(frame)
    words = "Right decisions among them, %"
    lay_out(fig, x="Rows that the model decides, %", y=words if start == 0 else f"{words} (from {start} %)")  # fmt: skip
    fig.update_yaxes(range=[start, 101])
    return fig.update_xaxes(range=[-1, 101])


def _find_start(frame: pd.DataFrame) -> int:
    """A round percentage below the band; the few surest rows alone, whose band is wide, do not decide."""
    counted = frame[frame["n"] >= FEW]
    shown = counted if len(counted) else frame
    return max(0, 10 * int(10 * shown["low"].min())) if len(shown) else 0


def _fade(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{FILL})"


def describe_coverage_accuracy(frame: pd.DataFrame) -> str:
    """The last series: accuracy on all rows, and on the surest half."""
    if frame.empty:
        return "There are no decisions to count."
    rows = frame[frame["series"] == frame["series"].iloc[-1]]
    whole = rows.iloc[-1]
    half = rows.iloc[(rows["share"] - 0.5).abs().argmin()]
    return (
        f"{whole['series']}: {_say(whole)} of all decisions are right (n = {int(whole['n']):,}); "
        f"of the surest {render_percent(float(half['share']))}, those from a confidence of {half['limit']:.3f} on, "
        f"{_say(half)} (n = {int(half['n']):,})."
    )


def _say(row: pd.Series) -> str:
    low, high = (render_percent(float(row[end])) for end in ("low", "high"))
    return f"{render_percent(float(row['accuracy']))} [{low}, {high}]"
