"""Searches of a data set over time: what each reached on its test part, with its interval."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval
from automl.figures.style import COLORS, NEUTRAL, find_highest, label, lay_out

MAX_RUNS = 100


def plot_run_history(frame: pd.DataFrame, metric: str) -> go.Figure:
    """Dots with intervals by time; columns ``title, at, value, low, high, is_same_test``.

    ``at`` is a moment, ``is_same_test`` whether the test rows are those of the newest search (filled circles; open squares
    were measured on other rows). The newest 100 are drawn.
    """
    fig = go.Figure()
    drawn = frame.sort_values("at").tail(MAX_RUNS)
    for name, is_same in (("same test rows as the newest", True), ("other test rows", False)):
        rows = drawn[drawn["is_same_test"] == is_same]
        if rows.empty:
            continue
        fig.add_trace(
            go.Scatter(
                x=rows["at"], y=rows["value"], name=name, mode="markers",
                marker={
                    "color": COLORS[0] if is_same else NEUTRAL, "size": 9,
                    "symbol": "circle" if is_same else "square-open",
                },
                error_y={
                    "type": "data", "symmetric": False, "thickness": 1.5, "width": 4,
                    "array": (rows["high"] - rows["value"]).fillna(0),
                    "arrayminus": (rows["value"] - rows["low"]).fillna(0),
                },
                customdata=[label(title, 60) for title in rows["title"]],
                hovertemplate="%{customdata}<br>%{y:.4f}<extra></extra>",
            )
        )  # fmt: skip
    return lay_out(fig, x="Ended", y=metric)


def describe_run_history(frame: pd.DataFrame, metric: str, *, sign: float = 1.0) -> str:
    """How many searches there are, the best of those on the newest test rows, and that it is the best of several."""
    same = frame[frame["is_same_test"]]
    if same["value"].notna().sum() == 0:
        return "No search has a score on the test part."
    best = find_highest(same, "value", sign=sign)
    ends = (None if pd.isna(best[key]) else float(best[key]) for key in ("value", "low", "high"))
    found = f"{metric} {render_interval(*ends)} ({best['title']})"
    if len(frame) == 1:
        return f"One search: {found}."
    other = len(frame) - len(same)
    elsewhere = (
        f" {other} {'was' if other == 1 else 'were'} measured on other rows." if other else ""
    )
    chosen = f"The best of {len(same)} on the same test rows is {found}"
    return (
        f"{chosen}; picked among several it is optimistic.{elsewhere}"
        if len(same) > 1
        else f"The newest has {found}.{elsewhere}"
    )
