"""Confusion matrix: true class against decision."""

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_percent
from automl.figures.style import label, lay_out

Normalise = Literal["count", "row", "column", "total"]
MAX_ANNOTATED = 12  # more classes than this leave no room for numbers
MAX_SHARES = (
    8  # more classes leave room for counts only; the share is under the pointer and in the table
)
RAMP = [[0.0, "#eef4f9"], [1.0, "#6baed6"]]  # one hue, opaque, so light that INK reads on all of it
INK = "#102a43"


def compute_shares(frame: pd.DataFrame, by: Normalise) -> pd.DataFrame:
    """The frame (``truth, predicted, n``) with ``share``: of the row, the column or all; 0/0 is NaN."""
    counts = frame["n"].astype(float)
    if by in ("count", "total"):
        total: float | pd.Series = counts.sum()
    else:
        key = "truth" if by == "row" else "predicted"
        total = counts.groupby(frame[key]).transform("sum")
    with np.errstate(invalid="ignore", divide="ignore"):
        return frame.assign(share=counts / np.where(np.equal(total, 0), np.nan, total))


def plot_confusion(
    frame: pd.DataFrame, by: Normalise = "row", *, is_pickable: bool = False
) -> go.Figure:
    """Cells of ``truth`` (down) and ``predicted`` (across) with count and share; classes in frame order.

    ``is_pickable`` lays an unseen mark on every cell that is not empty, with ``[truth, predicted]`` as its
    data: a map has no marks of its own to press.
    """
    classes = list(dict.fromkeys([*frame["truth"], *frame["predicted"]]))
    shares = compute_shares(frame, by)
    counts = _pivot(shares, "n", classes)
    share = _pivot(shares, "share", classes)
    names = [label(name, 20) for name in classes]
    is_roomy = len(names) <= MAX_SHARES
    text = np.vectorize(lambda n, s: _write_cell(n, s) if is_roomy else f"{n:,.0f}")
    fig = go.Figure(
        go.Heatmap(
            z=share, x=list(range(len(names))), y=list(range(len(names))), zmin=0, zmax=1,
            customdata=counts, colorscale=RAMP, showscale=False, xgap=2, ygap=2,
            textfont={"color": INK},
            text=text(counts, share) if len(names) <= MAX_ANNOTATED else None,
            texttemplate="%{text}" if len(names) <= MAX_ANNOTATED else None,
            hovertemplate="n = %{customdata:,}<br>share %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    if is_pickable:
        fig.update_traces(
            hoverinfo="skip", hovertemplate=None
        )  # else the map is pressed, not the mark
        _add_marks(fig, shares, classes)
    lay_out(fig, x="Predicted", y="Truth", height=min(760, 260 + 48 * len(names)))
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": names}
    ends = [-0.5, len(names) - 0.5]  # marks on the cells must not widen them
    fig.update_xaxes(**ticks, range=ends, showgrid=False, zeroline=False, fixedrange=True)
    return fig.update_yaxes(
        **ticks, range=ends[::-1], showgrid=False, zeroline=False, fixedrange=True
    )


def _write_cell(n: float, share: float) -> str:
    return f"{n:,.0f}<br>{'–' if np.isnan(share) else f'{100 * share:.1f} %'}"


def _add_marks(fig: go.Figure, shares: pd.DataFrame, classes: list[object]) -> None:
    cells = shares[shares["n"] > 0]
    places = {name: place for place, name in enumerate(classes)}
    hidden = {"marker": {"opacity": 0}}
    fig.add_trace(
        go.Scatter(
            x=[places[name] for name in cells["predicted"]], y=[places[name] for name in cells["truth"]],
            mode="markers", marker={"symbol": "square", "size": max(12, 420 // max(len(classes), 1)), "opacity": 0},
            selected=hidden, unselected=hidden, showlegend=False,
            customdata=[[str(row.truth), str(row.predicted)] for row in cells.itertuples(index=False)],
            text=[f"{label(row.truth, 20)} → {label(row.predicted, 20)}<br>n = {row.n:,}, share {row.share:.3f}" for row in cells.itertuples(index=False)],
            hovertemplate="%{text}<extra></extra>",
        )
    )  # fmt: skip


def describe_confusion(frame: pd.DataFrame) -> str:
    """The share of right decisions and the most frequent mistake."""
    total = int(frame["n"].sum())
    if total == 0:
        return "There are no cases to count."
    wrong = frame[frame["truth"] != frame["predicted"]].sort_values("n", ascending=False)
    right = total - int(wrong["n"].sum())
    text = f"{right:,} of {total:,} decisions ({render_percent(right / total)}) meet the truth"
    if wrong.empty or wrong["n"].iloc[0] == 0:
        return f"{text}."
    top = wrong.iloc[0]
    return (
        f"{text}; the most frequent mistake is {top['truth']!s} taken for {top['predicted']!s} "
        f"({int(top['n']):,} {'time' if top['n'] == 1 else 'times'})."
    )


def _pivot(frame: pd.DataFrame, column: str, classes: list[object]) -> np.ndarray:
    wide = frame.pivot_table(index="truth", columns="predicted", values=column, dropna=False)
    return wide.reindex(index=classes, columns=classes).to_numpy(dtype=float)
