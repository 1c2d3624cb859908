"""Plain search beside weight sharing: the best so far against the seconds that each method has spent."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_number
from automl.figures.search_history import describe_cut, focus
from automl.figures.style import find_highest, get_style, lay_out

WEIGHT_SHARING, PLAIN = "weight_sharing", "plain"
TITLES = {PLAIN: "Plain search", WEIGHT_SHARING: "Weight sharing"}


def compute_method_history(
    trials: Sequence[Mapping[str, Any]], supernet_seconds: float
) -> pd.DataFrame:
    """One row per network that was trained: ``method, number, name, seconds, score, best_so_far``.

    ``seconds`` add up the training of one method in the order of its trials; weight sharing begins with those
    of its supernet. Scores with shared weights are not in it, nor trials that ended early or failed.
    """
    spent = {PLAIN: 0.0, WEIGHT_SHARING: supernet_seconds}
    best: dict[str, float] = {}
    rows = []
    for trial in sorted(trials, key=lambda row: int(row["number"])):
        if trial.get("stage") != "search":
            continue
        method = WEIGHT_SHARING if trial.get("origin") == WEIGHT_SHARING else PLAIN
        spent[method] += float(trial.get("fit_seconds") or 0.0)
        score = trial.get("score")
        if score is None or trial.get("state") != "complete":
            continue
        best[method] = max(best.get(method, float("-inf")), float(score))
        rows.append(
            (
                TITLES[method], int(trial["number"]), str(trial.get("name", "")), spent[method],
                float(score), best[method],
            )
        )  # fmt: skip
    columns = ["method", "number", "name", "seconds", "score", "best_so_far"]
    return pd.DataFrame(rows, columns=columns)


def plot_methods(history: pd.DataFrame, metric: str, *, sign: float = 1.0) -> go.Figure:
    """Dots per network and the best so far as a step line, one colour, symbol and dash per method.

    ``sign`` −1 draws the values of a metric whose scores are its negative.
    """
    fig = go.Figure()
    for index, title in enumerate(TITLES.values()):
        rows, style = history[history["method"] == title], get_style(index)
        if rows.empty:
            continue
        fig.add_trace(
            go.Scatter(
                x=rows["seconds"], y=sign * rows["score"], mode="markers", showlegend=False,
                marker={"color": style.color, "symbol": style.symbol, "size": 9}, customdata=rows["number"],
                hovertemplate="trial %{customdata}: %{y:.4f} after %{x:.0f} s<extra></extra>",
            )
        )  # fmt: skip
        fig.add_trace(
            go.Scatter(
                x=rows["seconds"], y=sign * rows["best_so_far"], mode="lines", name=title,
                line={"color": style.color, "dash": style.dash, "width": 2, "shape": "hv"},
                hoverinfo="skip",
            )
        )  # fmt: skip
    lay_out(fig, x="Seconds of training spent by the method", y=metric)
    return focus(fig, history["score"], sign)


def describe_methods(history: pd.DataFrame, metric: str, *, sign: float = 1.0) -> str:
    """The best of each method, after how many seconds, from how many networks."""
    parts = []
    for title in TITLES.values():
        rows = history[history["method"] == title]
        if rows.empty:
            parts.append(f"{title}: no network was trained to its end")
            continue
        best = find_highest(rows, "score")
        parts.append(
            f"{title}: {metric} {render_number(sign * float(best['score']))} after {best['seconds']:,.0f} s"
            f" (trial {int(best['number'])}, n = {len(rows):,} networks)"
        )
    cut = describe_cut(history["score"])
    return f"{'; '.join(parts)}. One run of each: another seed may turn the order.{cut}"
