"""Score of every trial by epoch: who was ended early, and whether rightly."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.search_history import focus
from automl.figures.style import COLORS, NEUTRAL, lay_out, thin

MAX_TRIALS = 100


def plot_intermediate_values(frame: pd.DataFrame, metric: str, *, sign: float = 1.0) -> go.Figure:
    """One thin line per trial, pruned ones dotted and grey; columns ``trial, epoch, score, state``.

    At most 100 trials (the best by last score) are drawn, as ``sign`` times the score. The y axis spans the
    better part of the scores.
    """
    fig = go.Figure()
    named: set[str] = set()
    for trial, rows in select_trials(frame).groupby("trial", sort=False):
        is_pruned = rows["state"].iloc[0] == "pruned"
        name = "ended early" if is_pruned else "finished or running"
        shown = thin(rows, 200)
        fig.add_trace(
            go.Scatter(
                x=shown["epoch"], y=sign * shown["score"], mode="lines", name=name, legendgroup=name,
                showlegend=name not in named, opacity=0.85, customdata=[trial] * len(shown),
                line={
                    "color": NEUTRAL if is_pruned else COLORS[0], "width": 1,
                    "dash": "dot" if is_pruned else "solid",
                },
                hovertemplate="trial %{customdata}, epoch %{x}: %{y:.4f}<extra></extra>",
            )
        )  # fmt: skip
        named.add(name)
    lay_out(fig, x="Epoch", y=metric)
    focus(fig, select_trials(frame)["score"], sign)
    return fig.update_xaxes(rangemode="tozero")


def describe_intermediate_values(frame: pd.DataFrame) -> str:
    """How many trials ran, and how many were ended early and when."""
    if frame.empty:
        return "No trial has reported an epoch."
    last = frame.groupby("trial").agg(epoch=("epoch", "max"), state=("state", "first"))
    pruned = last[last["state"] == "pruned"]
    text = f"{len(last):,} trials reported epochs"
    if len(pruned):
        text += f"; {len(pruned):,} were ended early, half of them by epoch {pruned['epoch'].median():.0f}"
    more = f" The best {MAX_TRIALS} are drawn." if len(last) > MAX_TRIALS else ""
    return f"{text}.{more}"


def select_trials(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the 100 trials with the best last score, in the order of the frame."""
    last = frame.groupby("trial")["score"].last().nlargest(MAX_TRIALS)
    return frame[frame["trial"].isin(last.index)]
