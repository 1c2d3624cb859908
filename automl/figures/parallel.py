"""Every trial as a line through its settings: which combinations end high."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from automl.figures.style import COLORS, NEUTRAL, label, lay_out

MOST_TRIALS = 300
MOST_AXES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """How the lines of some trials look; colour is never the only sign."""

    name: str
    color: str
    width: float
    dash: str
    opacity: float


GROUPS = (
    _Group(name="best tenth", color=COLORS[0], width=2.5, dash="solid", opacity=1.0),
    _Group(name="other better half", color=COLORS[1], width=1.2, dash="dash", opacity=0.8),
    _Group(name="worse half", color=NEUTRAL, width=1.0, dash="dot", opacity=0.6),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Axis:
    """One setting: ``heights`` 0..1 per trial, and texts at some heights."""

    heights: NDArray[np.float64]
    ticks: tuple[float, ...]
    texts: tuple[str, ...]


def compute_settings(trials: Sequence[Mapping[str, Any]], family: str) -> pd.DataFrame:
    """Finished search trials of one family, a column per setting: ``number, state, score``, then labels.

    A setting that a trial does not have (another branch was chosen) is missing there.
    """
    rows = [
        {"number": row["number"], "state": row["state"], "score": row["score"], **row["config"]}
        for row in trials
        if row["family"] == family and row["stage"] == "search" and row["score"] is not None
        and row["state"] in ("complete", "pruned")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def list_settings(frame: pd.DataFrame) -> list[str]:
    """Settings with at least two values, in the order of the configuration."""
    return [
        name
        for name in frame.columns
        if name not in ("number", "state", "score") and len(frame[name].dropna().unique()) > 1
    ]


def is_number_setting(values: pd.Series) -> bool:
    """Whether a setting is a number; truth values and names are not."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def is_wide(values: pd.Series) -> bool:
    """Whether positive numbers span so much that only a logarithmic axis shows them."""
    known = values.dropna()
    return len(known) > 0 and float(known.min()) > 0 and float(known.max() / known.min()) >= 20


def plot_parallel(
    frame: pd.DataFrame, settings: Sequence[str], metric: str, *, sign: float = 1.0
) -> go.Figure:
    """Parallel axes of the completed trials with every one of ``settings`` (at most eight), the metric last.

    The best 300 are drawn, the best tenth of them in front and thicker. Plain lines, because Plotly's own parallel
    coordinates need WebGL, which remote and locked-down browsers lack.
    """
    shown = select_complete(frame, settings)
    names = [*settings[:MOST_AXES], metric]
    columns = [shown[name] for name in names[:-1]] + [sign * shown["score"]]
    axes = [_build_axis(column) for column in columns]
    fig = go.Figure()
    groups = _group_by_rank(shown["score"])
    for group in sorted(set(groups), reverse=True):
        rows = np.flatnonzero(groups == group)
        fig.add_trace(_draw_lines(shown, axes, rows, GROUPS[group]))
    for place, axis in enumerate(axes):
        for height, text in zip(axis.ticks, axis.texts, strict=True):
            # beside the axis and off the lines that end there: below the lowest, above the others
            fig.add_annotation(
                x=place, y=height, text=text, showarrow=False, xanchor="left", xshift=3,
                yanchor="top" if height == 0 else "bottom", font={"size": 10},
            )  # fmt: skip
    lay_out(fig, x="", y="", height=460)
    titles = [label(name.rsplit(".", 1)[-1], 16) for name in names]
    fig.update_xaxes(
        tickvals=list(range(len(axes))), ticktext=titles, range=[-0.1, len(axes) - 0.95],
        showgrid=True, gridcolor=NEUTRAL, zeroline=False, showline=False, side="top",
        autotickangles=[0, -30], ticklabeloverflow="allow",
    )  # fmt: skip
    fig.update_yaxes(visible=False, range=[-0.08, 1.08])
    # what is written at the last axis stands in the margin
    return fig.update_layout(
        margin={"t": 64, "l": 16, "r": 72}, legend={"y": -0.02, "yanchor": "top"}
    )


def _group_by_rank(scores: pd.Series) -> NDArray[np.int64]:
    """The number of each trial's group: the best tenth (at least one), the rest of the better half, the others."""
    ranks = scores.rank(ascending=False, method="first").to_numpy()
    ends = (count_best(len(scores)), max(count_best(len(scores)), len(scores) / 2))
    return np.digitize(ranks, ends, right=True)


def count_best(n: int) -> int:
    """How many of ``n`` trials the best tenth is; at least one."""
    return max(1, n // 10)


def _draw_lines(
    shown: pd.DataFrame, axes: Sequence["_Axis"], rows: NDArray[np.int64], group: "_Group"
) -> go.Scatter:
    """One trace for all lines of a group, with a gap behind each."""
    heights = np.column_stack([axis.heights[rows] for axis in axes])
    gap = np.full((len(rows), 1), np.nan)
    places = np.tile([*range(len(axes)), np.nan], len(rows))
    numbers = np.repeat(shown["number"].to_numpy()[rows], len(axes) + 1)
    return go.Scatter(
        x=places, y=np.hstack([heights, gap]).ravel(), mode="lines", name=group.name,
        line={"color": group.color, "width": group.width, "dash": group.dash}, opacity=group.opacity,
        customdata=numbers, hovertemplate="trial %{customdata}<extra></extra>", connectgaps=False,
    )  # fmt: skip


def select_complete(frame: pd.DataFrame, settings: Sequence[str]) -> pd.DataFrame:
    """Completed trials that have all of ``settings``, the best 300, the weakest first (drawn below)."""
    rows = frame[frame["state"] == "complete"].dropna(subset=list(settings[:MOST_AXES]))
    return rows.nlargest(MOST_TRIALS, "score").iloc[::-1]


def _build_axis(values: pd.Series) -> "_Axis":
    """Heights 0..1 of the values, and where something is written; names stand at equal distances."""
    return _build_number_axis(values) if is_number_setting(values) else _build_name_axis(values)


def _build_number_axis(values: pd.Series) -> "_Axis":
    is_log = is_wide(values)
    numbers = np.asarray(values, dtype=np.float64)
    scaled = np.log10(numbers) if is_log else numbers
    low, high = float(scaled.min()), float(scaled.max())
    span = (high - low) or 1.0
    ends = (low, high) if high > low else (low,)
    return _Axis(
        heights=np.asarray((scaled - low) / span),
        ticks=tuple((end - low) / span for end in ends),
        texts=tuple(f"{10**end if is_log else end:.4g}" for end in ends),
    )


def _build_name_axis(values: pd.Series) -> "_Axis":
    written = [str(value) for value in values]
    names = sorted(set(written))
    steps = np.linspace(0, 1, len(names)) if len(names) > 1 else np.array([0.5])
    return _Axis(
        heights=steps[[names.index(text) for text in written]],
        ticks=tuple(map(float, steps)),
        texts=tuple(label(each, 14) for each in names),
    )


def describe_parallel(frame: pd.DataFrame, settings: Sequence[str]) -> str:
    """How many trials are drawn, and what the best ones have in common."""
    shown = select_complete(frame, settings)
    if shown.empty:
        return "No completed trial has all of these settings."
    n_best = count_best(len(shown))
    best = shown.nlargest(n_best, "score")
    shared = [
        f"{name} = {best[name].iloc[0]}"
        for name in settings[:MOST_AXES]
        if n_best > 1 and len(best[name].unique()) == 1
    ]
    common = f" The best {n_best} share {', '.join(shared)}." if shared else ""
    return f"n = {len(shown):,} completed trials that have all of these settings; the best tenth by score is thick.{common}"
