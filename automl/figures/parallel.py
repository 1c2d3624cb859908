"""Every trial as a line through its settings: which combinations end high."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.style import label, lay_out

MOST_TRIALS = 1_000
MOST_AXES = 8
MOST_TICKS = 5
RAMP = ("#b4bdc6", "#56B4E9", "#0072B2")  # readable on white and on black


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

    The best 1,000 are drawn; bluer is better, and the metric's own axis stands beside the colour.
    """
    shown = select_complete(frame, settings)
    value = sign * shown["score"]
    axes = [_build_axis(shown[name], name) for name in settings[:MOST_AXES]]
    axes.append({"label": label(metric, 18), "values": value})
    fig = go.Figure(
        go.Parcoords(
            dimensions=axes,
            line={
                "color": shown["score"].rank(pct=True), "colorscale": list(RAMP), "cmin": 0, "cmax": 1,
            },
            labelangle=-20, labelside="top",
        )
    )  # fmt: skip
    lay_out(fig, x="", y="", height=460)
    return fig.update_layout(margin={"l": 72, "r": 72, "t": 110, "b": 24})


def select_complete(frame: pd.DataFrame, settings: Sequence[str]) -> pd.DataFrame:
    """Completed trials that have all of ``settings``, the best 1,000, the weakest first (drawn below)."""
    rows = frame[frame["state"] == "complete"].dropna(subset=list(settings[:MOST_AXES]))
    return rows.nlargest(MOST_TRIALS, "score").iloc[::-1]


def _build_axis(values: pd.Series, name: str) -> dict[str, Any]:
    short = label(name.rsplit(".", 1)[-1], 18)
    if is_number_setting(values):
        if not is_wide(values):
            return {"label": short, "values": values}
        logs = np.log10(values.astype(float))
        ticks = np.linspace(logs.min(), logs.max(), MOST_TICKS)
        return {
            "label": short, "values": logs, "tickvals": ticks,
            "ticktext": [f"{10**tick:.2g}" for tick in ticks],
        }  # fmt: skip
    texts = values.map(str)
    names = sorted(texts.unique())
    return {
        "label": short, "values": texts.map(names.index), "tickvals": list(range(len(names))),
        "ticktext": [label(each, 14) for each in names],
    }  # fmt: skip


def describe_parallel(frame: pd.DataFrame, settings: Sequence[str]) -> str:
    """How many trials are drawn, and what the best ones have in common."""
    shown = select_complete(frame, settings)
    if shown.empty:
        return "No completed trial has all of these settings."
    n_best = max(1, len(shown) // 10)
    best = shown.nlargest(n_best, "score")
    shared = [
        f"{name} = {best[name].iloc[0]}"
        for name in settings[:MOST_AXES]
        if n_best > 1 and len(best[name].unique()) == 1
    ]
    common = f" The best {n_best} share {', '.join(shared)}." if shared else ""
    return (
        f"n = {len(shown):,} completed trials that have all of these settings, bluer is better.{common} Drag along "
        "an axis to keep only the lines through that part."
    )
