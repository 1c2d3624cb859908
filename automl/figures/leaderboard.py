"""Leaderboard as dots with intervals: how close the models are."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval
from automl.figures.style import COLORS, NEUTRAL, label, lay_out

MAX_MODELS = 20
EQUAL_MARGIN = 0.01  # share of a value that is shown on both sides of it


def plot_leaderboard(frame: pd.DataFrame, metric: str) -> go.Figure:
    """One row per model, best at the top; columns ``name, value, low, high, tier``.

    Tier 1 (not distinguishable from the best) has filled dots, the rest open squares. ``low`` and
    ``high`` may be missing. At most 20 models are drawn.
    """
    shown = frame.head(MAX_MODELS).reset_index(drop=True)
    fig = go.Figure()
    for name, in_top in (("within noise of the best", True), ("below", False)):
        rows = shown[(shown["tier"] == 1) == in_top]
        if rows.empty:
            continue
        fig.add_trace(
            go.Scatter(
                x=rows["value"], y=rows.index, name=name, mode="markers",
                marker={
                    "color": COLORS[0] if in_top else NEUTRAL, "size": 10,
                    "symbol": "circle" if in_top else "square-open",
                },
                error_x={
                    "type": "data", "symmetric": False, "thickness": 2, "width": 4,
                    "array": (rows["high"] - rows["value"]).fillna(0),
                    "arrayminus": (rows["value"] - rows["low"]).fillna(0),
                },
                customdata=rows[["low", "high"]],
                hovertemplate="%{x:.4f} [%{customdata[0]:.4f}, %{customdata[1]:.4f}]<extra></extra>",
            )
        )  # fmt: skip
    lay_out(fig, x=metric, y="", height=150 + 28 * len(shown))
    names = [label(name, 32) for name in shown["name"]]
    bounds = compute_range(shown)
    if bounds is not None:
        fig.update_xaxes(range=list(bounds))
    return fig.update_yaxes(
        tickmode="array", tickvals=list(shown.index), ticktext=names, autorange="reversed",
        showgrid=False, zeroline=False,
    )  # fmt: skip


def compute_range(frame: pd.DataFrame) -> tuple[float, float] | None:
    """The axis without values far off, such as a constant's, beside which no interval would be seen.

    Far is more than three times the spread of the better half; None where nothing is that far. Around values
    that are all equal a little is shown: by itself an axis would reach from 0 to 2.
    """
    ends = frame[["value", "low", "high"]].to_numpy(dtype=float)
    values = ends[:, 0]
    known = ends[np.isfinite(ends)]
    if known.size and np.ptp(known) == 0:
        around = EQUAL_MARGIN * max(1.0, abs(float(known[0])))
        return float(known[0]) - around, float(known[0]) + around
    middle = values[: max(2, (len(values) + 1) // 2)]  # rows come best first
    reach = 3 * (np.ptp(middle) + 2 * np.nanmax(ends[:, 2] - ends[:, 1], initial=0.0))
    near = np.abs(values - values[0]) <= reach if len(values) else np.array([])
    if near.all() or reach == 0:
        return None
    kept = ends[near]
    low, high = float(np.nanmin(kept)), float(np.nanmax(kept))
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def describe_leaderboard(frame: pd.DataFrame, metric: str) -> str:
    """The best model and how many cannot be told from it."""
    if frame.empty:
        return "No model finished."
    best = frame.iloc[0]
    near = int((frame["tier"] == 1).sum()) - 1
    interval = render_interval(
        *(None if pd.isna(best[key]) else float(best[key]) for key in ("value", "low", "high"))
    )
    others = {0: "no other model is", 1: "1 other model is"}.get(near, f"{near} other models are")
    drawn = frame.head(MAX_MODELS)
    more = f" The best {MAX_MODELS} of {len(frame)} are drawn." if len(frame) > MAX_MODELS else ""
    bounds = compute_range(drawn)
    far = 0 if bounds is None else int((~drawn["value"].between(bounds[0], bounds[1])).sum())
    cut = f" Far off, outside the picture: {far}." if far else ""
    return f"{best['name']} leads with {metric} {interval}; {others} within noise of it.{more}{cut}"
