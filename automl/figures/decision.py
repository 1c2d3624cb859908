"""What a threshold is worth, drawn: net benefit, mean cost, and the place of one threshold on any curve."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval, render_number, render_percent
from automl.figures.style import NEUTRAL, get_style, lay_out

ROOM = 0.25  # of the base rate, below zero: deeper the lines only fall
ROOM_ABOVE = 0.12  # of the height of the costs, for the name of a line
MARK = "#D55E00"  # vermillion with a white ring: stands out on a line of any colour


def mark_point(fig: go.Figure, x: float | None, y: float | None, text: str) -> go.Figure:
    """Lay a named diamond where one threshold lies on the curves; without a place nothing."""
    if x is None or y is None or not np.isfinite(x) or not np.isfinite(y):
        return fig
    return fig.add_trace(
        go.Scatter(
            x=[x], y=[y], mode="markers", name=text, hovertemplate="%{x:.3f}, %{y:.3f}",
            marker={"color": MARK, "symbol": "diamond", "size": 13, "line": {"width": 2, "color": "white"}},
        )
    )  # fmt: skip


def plot_decision_curve(frame: pd.DataFrame, threshold: float) -> go.Figure:
    """Net benefit with its 95 % band, the two lines without a model, and the present threshold.

    Columns as ``compute_decision_curve`` gives them. The view ends a little below zero.
    """
    fig = go.Figure()
    style = get_style(0)
    x = frame["threshold"]
    fig.add_trace(
        go.Scatter(
            x=pd.concat([x, x[::-1]]), y=pd.concat([frame["high"], frame["low"][::-1]]),
            fill="toself", fillcolor="rgba(0, 114, 178, 0.16)", line={"width": 0}, mode="lines",
            hoverinfo="skip", showlegend=False, name="95 % band",
        )
    )  # fmt: skip
    _add_line(fig, x, frame["net_benefit"], "model, 95 % band", color=style.color, dash="solid")
    _add_line(fig, x, frame["treat_all"], "flag everybody", color=get_style(1).color, dash="dash")
    _add_line(fig, x, frame["treat_none"], "flag nobody", color=NEUTRAL, dash="dot")
    mark_point(fig, threshold, _read_at(frame, "net_benefit", threshold), f"at {threshold:g}")
    lay_out(fig, x="Threshold", y="Net benefit, hits per case", height=440)
    fig.update_xaxes(range=[-0.01, 1.01])
    top = float(max(frame["treat_all"].iloc[0], frame["high"].max()))
    return fig.update_yaxes(range=[-ROOM * top, 1.1 * top] if top > 0 else None)


def describe_decision_curve(frame: pd.DataFrame, threshold: float, n: int) -> str:
    """The net benefit at the threshold beside the better of the two lines, and where the model leads, on n rows."""
    value, low, high = (_read_at(frame, name, threshold) for name in ("net_benefit", "low", "high"))
    without = frame[["treat_all", "treat_none"]].max(axis=1)
    ahead = frame["threshold"][frame["low"] > without]
    where = (
        "Nowhere is the band above both lines without a model."
        if ahead.empty
        else f"Between {ahead.min():g} and {ahead.max():g} the band is above both lines at {len(ahead)} of "
        f"{len(frame)} thresholds."
    )
    if value is None:
        return f"At a threshold of {threshold:g} the net benefit is not defined. {where} n = {n:,}."
    other = float(np.interp(threshold, frame["threshold"], without))
    return (
        f"At {threshold:g} the net benefit is {render_interval(value, low, high)} hits per case; without a model the "
        f"better of flagging everybody and nobody has {render_number(other, low, high)}. {where} n = {n:,}, 95 % interval."
    )


def plot_cost_curve(
    frame: pd.DataFrame, threshold: float, implied: float | None = None
) -> go.Figure:
    """Mean cost per case by threshold, the two costs without a model, and the present threshold.

    Columns as ``compute_cost_curve`` gives them; ``implied`` is the threshold that the costs call for.
    """
    fig = go.Figure()
    x = frame["threshold"]
    _add_line(fig, x, frame["cost"], "model", color=get_style(0).color, dash="solid")
    _add_line(fig, x, frame["flag_all"], "flag everybody", color=get_style(1).color, dash="dash")
    _add_line(fig, x, frame["flag_none"], "flag nobody", color=NEUTRAL, dash="dot")
    mark_point(fig, threshold, _read_at(frame, "cost", threshold), f"at {threshold:g}")
    if implied is not None:
        fig.add_vline(
            x=implied, line={"color": NEUTRAL, "dash": "dash", "width": 1},
            annotation={"text": f"by the costs {implied:.3g}", "font": {"color": NEUTRAL}},
            annotation_position="top right" if implied < 0.6 else "top left",
        )  # fmt: skip
    lay_out(fig, x="Threshold", y="Cost per case", height=440)
    ends = frame[["cost", "flag_all", "flag_none"]].to_numpy()
    low, high = min(0.0, float(ends.min())), max(0.0, float(ends.max()))
    fig.update_yaxes(
        range=[low - ROOM_ABOVE * (high - low) * (low < 0), high + ROOM_ABOVE * (high - low)]
    )
    return fig.update_xaxes(range=[-0.01, 1.01])


def describe_cost_curve(frame: pd.DataFrame, threshold: float, n: int) -> str:
    """The cost at the threshold beside those of flagging everybody and nobody, on n rows."""
    value = _read_at(frame, "cost", threshold)
    everybody, nobody = float(frame["flag_all"].iloc[0]), float(frame["flag_none"].iloc[0])
    saved = min(everybody, nobody) - value if value is not None else 0.0
    more = f"; {render_number(saved)} less than the cheaper of the two" if saved > 0 else ""
    return (
        f"At {threshold:g} a case costs {render_number(value)} on average; flagging everybody costs "
        f"{render_number(everybody)}, flagging nobody {render_number(nobody)}{more} (n = {n:,})."
    )


def describe_point(
    at: float, x: tuple[str, float | None], y: tuple[str, float | None], n: int
) -> str:
    """Where a threshold lies on a curve of n rows, in words; ``x`` and ``y`` are a name with its value."""
    shown = [
        f"{name} {'not estimable' if value is None else render_percent(value)}"
        for name, value in (x, y)
    ]
    return f"The diamond is the threshold {at:g}: {shown[0]}, {shown[1]} (n = {n:,})."


def _add_line(
    fig: go.Figure, x: pd.Series, y: pd.Series, name: str, *, color: str, dash: str
) -> None:
    fig.add_trace(
        go.Scatter(
            x=x, y=y, name=name, mode="lines", line={"color": color, "dash": dash, "width": 2},
            hovertemplate="threshold %{x:.3f}<br>%{y:.4f}",
        )
    )  # fmt: skip


def _read_at(frame: pd.DataFrame, column: str, threshold: float) -> float | None:
    """The value of the curve at a threshold; None beyond its ends."""
    x = frame["threshold"]
    if not float(x.iloc[0]) <= threshold <= float(x.iloc[-1]):
        return None
    return float(np.interp(threshold, x, frame[column]))
