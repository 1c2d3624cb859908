"""Score of every trial and the best so far: whether the search still finds something."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_number
from automl.figures.style import NEUTRAL, get_style, label, lay_out, thin

MAX_TRIALS_DRAWN = 4_000


def compute_history(trials: pd.DataFrame) -> pd.DataFrame:
    """Finished trials in order with ``best_so_far`` (score, higher is better).

    Columns ``number, family, state, score``, optional ``seconds`` (since the start) to order by.
    """
    rows = trials[trials["score"].notna()].copy()
    rows = rows.sort_values("seconds" if "seconds" in rows else "number", kind="stable")
    counted = rows["score"].where(rows["state"] != "pruned")
    rows["best_so_far"] = counted.cummax().ffill()
    return rows.reset_index(drop=True)


def plot_search_history(history: pd.DataFrame, metric: str, *, sign: float = 1.0) -> go.Figure:
    """Dots per trial by family (pruned ones open), and the best so far as a step line.

    The frame is that of ``compute_history``; ``sign`` −1 draws the values of a metric whose scores are its
    negative. The y axis spans the better half, since a diverged trial would flatten the rest; it says so.
    """
    by_time = "seconds" in history
    column = "seconds" if by_time else "number"
    fig = go.Figure()
    drawn = thin(history, MAX_TRIALS_DRAWN)
    for index, (family, unsorted) in enumerate(drawn.groupby("family", sort=False)):
        style = get_style(index)
        # the legend shows the first mark: a filled one where there is one
        rows = unsorted.sort_values("state", key=lambda state: state == "pruned", kind="stable")
        pruned = rows["state"] == "pruned"
        fig.add_trace(
            go.Scatter(
                x=rows[column], y=sign * rows["score"], name=label(family), mode="markers",
                marker={
                    "color": style.color, "size": 8, "opacity": 0.85,
                    "symbol": np.where(pruned, f"{style.symbol}-open", style.symbol),
                },
                customdata=rows["number"], hovertemplate="trial %{customdata}: %{y:.4f}",
            )
        )  # fmt: skip
    fig.add_trace(
        go.Scatter(
            x=drawn[column], y=sign * drawn["best_so_far"], name="best so far", mode="lines",
            line={"color": NEUTRAL, "width": 2, "shape": "hv"}, hovertemplate="%{y:.4f}",
        )
    )  # fmt: skip
    lay_out(fig, x="Seconds since the start" if by_time else "Trial", y=metric)
    fig.update_xaxes(zeroline=False)  # the first trial is no boundary
    return focus(fig, history["score"], sign)


def focus(fig: go.Figure, scores: pd.Series, sign: float = 1.0) -> go.Figure:
    """Let the y axis span the better part of the scores, drawn as ``sign`` times the score."""
    bounds = compute_score_range(scores)
    return fig.update_yaxes(range=sorted(sign * end for end in bounds)) if bounds else fig


def describe_cut(scores: pd.Series) -> str:
    """How many scores that axis leaves out; nothing where it leaves out none."""
    bounds = compute_score_range(scores)
    count = 0 if bounds is None else int((scores < bounds[0]).sum())
    if not count:
        return ""
    return f" {count:,} worse {'score lies' if count == 1 else 'scores lie'} outside the picture."


def compute_score_range(scores: pd.Series) -> list[float] | None:
    """From the lower quartile's surroundings to above the best; None with fewer than four scores."""
    if len(scores) < 4:
        return None
    best, middle = float(scores.max()), float(scores.quantile(0.25))
    spread = best - middle
    if spread <= 0:
        return None
    return [max(float(scores.min()), middle - spread) - 0.08 * spread, best + 0.12 * spread]


def describe_search_history(history: pd.DataFrame, metric: str, *, sign: float = 1.0) -> str:
    """When the best was found, and what is outside the picture."""
    if history.empty or history["best_so_far"].isna().all():
        return "No trial has a score yet."
    counted = history["score"].where(history["state"] != "pruned").to_numpy(dtype=float)
    place = int(np.nanargmax(counted))
    best, after = history.iloc[place], len(history) - 1 - place
    pruned = int((history["state"] == "pruned").sum())
    was = "trial was" if pruned == 1 else "trials were"
    early = (
        f" {pruned:,} {was} ended early (open marks) and do not count as best." if pruned else ""
    )
    found = f"{metric} {render_number(sign * float(best['score']))} (trial {int(best['number'])})"
    if len(history) == 1:
        return f"One trial has a score: {found}."
    since = {0: "the latest score", 1: "1 trial after it did not improve on it"}
    later = since.get(after, f"{after:,} trials after it did not improve on it")
    cut = describe_cut(history["score"])
    return f"The best of {len(history):,} scores is {found}; {later}.{early}{cut}"
