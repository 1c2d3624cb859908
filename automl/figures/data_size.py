"""The score of one configuration by the number of rows it learned from."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from automl.evaluation.data_size import SizeCurve, SizePoint
from automl.figures.reading import render_interval
from automl.figures.style import get_style, lay_out
from fairness.definitions import METRICS

COLUMNS = ("n_rows", "value", "low", "high", "change", "change_low", "change_high", "seconds")


def compute_size_frame(curve: SizeCurve) -> pd.DataFrame:
    """One row per size: ``n_rows, value, low, high, change, change_low, change_high, seconds, failure``."""
    rows = [
        {name: getattr(point, name) for name in (*COLUMNS, "failure")} for point in curve.points
    ]
    frame = pd.DataFrame(rows)
    return frame.astype(dict.fromkeys(COLUMNS[1:], float))


def plot_sizes(frame: pd.DataFrame, metric: str) -> go.Figure:
    """The metric with its interval by rows, on a logarithmic axis; sizes that failed are left out."""
    shown, style = frame.dropna(subset=["value"]), get_style(0)
    fig = go.Figure(
        go.Scatter(
            x=shown["n_rows"], y=shown["value"], mode="lines+markers", showlegend=False,
            line={"color": style.color, "width": 2}, marker={"size": 9, "symbol": style.symbol},
            error_y={
                "type": "data", "symmetric": False, "thickness": 2, "width": 4,
                "array": (shown["high"] - shown["value"]).fillna(0),
                "arrayminus": (shown["value"] - shown["low"]).fillna(0),
            },
            customdata=shown[["low", "high"]],
            hovertemplate="%{x:,} rows: %{y:.4f} [%{customdata[0]:.4f}, %{customdata[1]:.4f}]<extra></extra>",
        )
    )  # fmt: skip
    lay_out(fig, x="Rows learned from (log)", y=f"{metric}, select part")
    ticks = shown["n_rows"].tolist()
    return fig.update_xaxes(
        type="log", tickmode="array", tickvals=ticks, ticktext=[f"{n:,}" for n in ticks]
    )


def describe_sizes(curve: SizeCurve, metric: str) -> str:
    """What the last doublings changed, with intervals, and what another one of the same kind would give."""
    known = [point for point in curve.points if point.value is not None]
    if not known:
        return "No size could be trained."
    last = known[-1]
    text = (
        f"{curve.model}, trained anew on growing shares of the train part and scored on the same n = {curve.n_judged:,} "
        f"rows of the select part: {metric} {render_interval(last.value, last.low, last.high)} after {last.n_rows:,} rows."
    )
    if len(known) > 1:
        text += f" {_describe_change(known, METRICS[curve.metric].range)}"
    failed = len(curve.points) - len(known)
    if failed:
        text += f" {failed} of {len(curve.points)} sizes could not be trained; the table says why."
    ended = (
        f"with about as many steps as {curve.epochs} epochs of all rows; the select part also chose the best epoch"
        if curve.epochs
        else "and the select part may also have ended it"
    )
    return f"{text} One training at each size, {ended}: what other seeds would change is in no interval."


def _describe_change(known: Sequence[SizePoint], limits: tuple[float, float]) -> str:
    """What the last two steps changed; what another one would give stays inside the range of the metric."""
    *earlier, before, last = known
    change = render_interval(last.change, last.change_low, last.change_high)
    text = f"From {before.n_rows:,} to {last.n_rows:,} rows it changed by {change}"
    if earlier:
        previous = render_interval(before.change, before.change_low, before.change_high)
        text += f"; from {earlier[-1].n_rows:,} to {before.n_rows:,} by {previous}"
    value, changes = last.value or 0.0, (last.change, last.change_low, last.change_high)
    low, high = limits
    ends = [min(max(value + each, low), high) for each in changes if each is not None]
    if len(ends) < len(changes):
        return f"{text}."
    return f"{text}. Were {2 * last.n_rows:,} rows to change it as much again, it would be {render_interval(*ends)}."
