"""Shares by group as dots with their intervals: coverage of sets, and rows left to people."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_percent
from automl.figures.style import COLORS, NEUTRAL, find_highest, label, lay_out

ROW_HEIGHT = 30
MOST_ROWS = 40  # drawn; the table has all


def plot_group_shares(
    frame: pd.DataFrame,
    *,
    title: str,
    reference: tuple[float, str],
    band: tuple[float, float] | None = None,
) -> go.Figure:
    """One dot per group with its 95 % interval, and a dashed line that is named; at most 40 groups.

    Columns ``group, n, k, share, low, high`` (shares 0..1); a group without rows has a line and no dot. ``band``: a range around
    the line that is shaded. The axis begins below the lowest interval, and says so where that is not 0.
    """
    shown = frame.head(MOST_ROWS)
    is_known = shown["share"].notna().to_numpy()
    known = shown[is_known]
    fig = go.Figure(
        go.Scatter(
            x=100 * known["share"], y=np.flatnonzero(is_known), mode="markers",
            marker={"size": 10, "color": COLORS[0]},
            customdata=[_render_hover(row) for row in known.to_dict("records")],
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.6, "width": 4, "color": COLORS[0],
                "array": 100 * (known["high"] - known["share"]),
                "arrayminus": 100 * (known["share"] - known["low"]),
            },
            hovertemplate="%{customdata}<extra></extra>",
        )
    )  # fmt: skip
    at, text = reference
    start = _find_start(known, at)
    if band is not None:
        fig.add_vrect(
            x0=100 * band[0], x1=100 * band[1], fillcolor=NEUTRAL, opacity=0.15, line_width=0,
            layer="below",
        )  # fmt: skip
    fig.add_vline(
        x=100 * at, line={"dash": "dash", "width": 1.2, "color": NEUTRAL},
        annotation={"text": label(text, 40), "font": {"color": NEUTRAL}}, annotation_position="top",
    )  # fmt: skip
    words = title if start == 0 else f"{title} (from {start} %)"
    lay_out(fig, x=words, y="", height=130 + ROW_HEIGHT * max(2, len(shown)))
    fig.update_layout(margin={"t": 32})  # room for the name of the line
    fig.update_xaxes(range=[start - 1, 101])
    return fig.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=[label(name) for name in shown["group"]],
        range=[len(shown) - 0.4, -0.6], showgrid=False, zeroline=False,
    )  # fmt: skip


def describe_coverage(
    frame: pd.DataFrame, level: float, band: tuple[float, float] | None = None
) -> str:
    """In how many groups the interval of the coverage reaches the stated one, and the lowest and highest group.

    ``band``: what chance in the calibrate rows leaves of the stated coverage, where that is known.
    """
    known = frame[frame["share"].notna()]
    if known.empty:
        return "No group has test rows."
    low, high = band or (level, level)
    reaches = (known["low"] <= high) & (low <= known["high"])
    what = f"the stated {render_percent(level)}"
    if band is not None:
        what = (
            f"what chance in the calibrate rows leaves of {what} (shaded, {render_percent(low)} to "
            f"{render_percent(high)})"
        )
    return (
        f"In {int(reaches.sum())} of {len(known)} groups the 95 % interval of what was measured reaches {what}. "
        f"{_describe_ends(known)}"
    )


def describe_abstention(frame: pd.DataFrame) -> str:
    """The groups of which the fewest and the most rows are left to people."""
    known = frame[frame["share"].notna()]
    return _describe_ends(known) if len(known) else "No group has test rows."


def _describe_ends(known: pd.DataFrame) -> str:
    lowest, highest = (find_highest(known, "share", sign=sign) for sign in (-1, 1))
    if len(known) == 1:
        return f"{_name(lowest)}."
    return f"Lowest for {_name(lowest)}; highest for {_name(highest)}."


def _name(row: pd.Series) -> str:
    return f"{row['group']}, {_say(row)} (n = {int(row['n']):,})"


def _find_start(known: pd.DataFrame, reference: float) -> int:
    """A round percentage below every interval and the reference."""
    least = min([reference, *known["low"]])
    return max(0, 10 * int(10 * least - 0.2))


def _render_hover(row: dict[Hashable, Any]) -> str:
    return f"<b>{label(row['group'])}</b><br>{_say(row)}<br>{row['k']:,} of {row['n']:,}"


def _say(row: Any) -> str:
    share, low, high = (render_percent(float(row[name])) for name in ("share", "low", "high"))
    return f"{share} [{low}, {high}]"
