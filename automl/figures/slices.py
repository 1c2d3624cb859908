"""Score against one setting: where good values of it lie."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.parallel import count_best, is_number_setting, is_wide
from automl.figures.reading import render_number
from automl.figures.search_history import describe_cut, focus
from automl.figures.style import find_highest, get_style, label, lay_out, thin

MOST_POINTS = 2_000
MOST_TICKS = 12  # whole numbers that are all written on the axis
JITTER = 0.18


def plot_slice(frame: pd.DataFrame, name: str, metric: str, *, sign: float = 1.0) -> go.Figure:
    """Dots of completed trials, open ones of those ended early; names side by side with a little spread.

    ``frame`` is that of ``compute_settings``.
    """
    rows = thin(frame.dropna(subset=[name]), MOST_POINTS)
    values = rows[name]
    names = [] if is_number_setting(values) else sorted(values.map(str).unique())
    fig = go.Figure()
    for index, (state, title) in enumerate((("complete", "completed"), ("pruned", "ended early"))):
        part = rows[rows["state"] == state]
        if part.empty:
            continue
        style = get_style(index)
        fig.add_trace(
            go.Scatter(
                x=_place(part[name], names), y=sign * part["score"], mode="markers", name=title,
                marker={
                    "color": style.color, "size": 8, "opacity": 0.8,
                    "symbol": style.symbol if state == "complete" else f"{style.symbol}-open",
                },
                customdata=np.column_stack([part["number"], part[name].map(str)]),
                hovertemplate="trial %{customdata[0]}, %{customdata[1]}: %{y:.4f}<extra></extra>",
            )
        )  # fmt: skip
    lay_out(fig, x=label(name, 60), y=metric)
    if names:
        ticks = [label(each, 18) for each in names]
        fig.update_xaxes(tickvals=list(range(len(names))), ticktext=ticks)
    elif is_wide(values):
        fig.update_xaxes(type="log")
    elif pd.api.types.is_integer_dtype(values) and values.nunique() <= MOST_TICKS:
        fig.update_xaxes(tickvals=sorted(values.unique()))  # no halves between whole numbers
    return focus(fig, rows["score"], sign)


def _place(values: pd.Series, names: list[str]) -> pd.Series:
    if not names:
        return values
    spread = np.random.default_rng(0).uniform(-JITTER, JITTER, len(values))
    return values.map(str).map(names.index) + spread


def describe_slice(frame: pd.DataFrame, name: str, metric: str, *, sign: float = 1.0) -> str:
    """The value of the best trial, and the range of the best tenth."""
    rows = frame.dropna(subset=[name])
    complete = rows[rows["state"] == "complete"]
    if complete.empty:
        return f"No completed trial has {name}."
    best = find_highest(complete, "score")
    text = (
        f"The best of n = {len(complete):,} completed trials has {name} = {_render(best[name])} "
        f"({metric} {render_number(sign * float(best['score']))})"
    )
    tenth = complete.nlargest(count_best(len(complete)), "score")[name]
    if len(tenth) > 1 and is_number_setting(tenth):
        low, high = tenth.min(), tenth.max()
        text += (
            f"; the best {len(tenth)} lie between {_render(low)} and {_render(high)}"
            if low < high
            else f", and so have the best {len(tenth)}"
        )
    return f"{text}.{describe_cut(rows['score'])}"


def _render(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
