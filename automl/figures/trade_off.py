"""What less accuracy would buy: score against each cost, and the models that nobody beats in everything."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.figures.reading import render_count, render_number
from automl.figures.style import COLORS, NEUTRAL, label, lay_out

SCORE = "score"
COSTS = ("parameters", "macs", "latency")
TITLES = {"macs": "Multiply-adds for one picture", "latency": "Milliseconds for one picture"}
TABLE_TITLES = {
    "parameters": "Parameters (of trees: nodes)",
    "latency": "Milliseconds for 1,000 rows",
}

FACTS = {"parameters": "parameters", "macs": "macs", "latency_ms": "latency"}


def compute_trade_off(front: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per trained model and cost: ``trial, name, family, cost, value, score, on_front, is_baseline``.

    ``front`` is ``pareto`` of ``result.json``; the front is that of all objectives together.
    """
    rows = []
    for row in front:
        values = row.get("values") or {}
        score = (values.get(SCORE) or {}).get("value")
        for cost in COSTS:
            value = (values.get(cost) or {}).get("value")
            if score is None or value is None:
                continue
            rows.append(
                (
                    int(row["trial"]), str(row["name"]), str(row["family"]), cost, float(value),
                    float(score), bool(row["on_front"]), bool(row.get("is_baseline")),
                )
            )  # fmt: skip
    columns = ["trial", "name", "family", "cost", "value", "score", "on_front", "is_baseline"]
    return pd.DataFrame(rows, columns=columns)


def get_title(cost: str, *, is_table: bool) -> str:
    """What an axis of costs is called."""
    return (TABLE_TITLES if is_table else TITLES).get(cost, "Parameters")


def build_front(
    trials: Sequence[Mapping[str, Any]], limits: Mapping[str, Any], *, is_table: bool = False
) -> list[dict[str, Any]]:
    """The same rows where only limits were set: models within them, weighed by what was limited.

    Of pictures only networks are measured, of tables every model but the constant.

    ``trials`` are those of ``result.json``; ``limits`` maps ``parameters, macs, latency_ms`` to the most allowed.
    """
    facts = [fact for fact in FACTS if limits.get(fact) is not None]
    known = [
        trial
        for trial in trials
        if (is_table or trial.get("is_network")) and trial.get("stage") != "refit" and trial.get("state") == "complete"
        and trial.get("score") is not None
        and all(trial.get(fact) is not None and trial[fact] <= limits[fact] for fact in facts)
    ]  # fmt: skip
    if not facts:
        return []
    values = [(float(t["score"]), *(-float(t[fact]) for fact in facts)) for t in known]
    return [
        {
            "trial": trial["number"], "name": trial.get("name", ""), "family": trial.get("family", ""),
            "is_baseline": bool(trial.get("is_baseline")),
            "on_front": not any(_dominates(other, own) for other in values),
            "values": {
                SCORE: {"value": own[0]},
                **{FACTS[fact]: {"value": float(trial[fact])} for fact in facts},
            },
        }
        for trial, own in zip(known, values, strict=True)
    ]  # fmt: skip


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Nowhere worse and somewhere better."""
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def plot_trade_off(
    frame: pd.DataFrame, metric: str, *, sign: float = 1.0, is_table: bool = False
) -> go.Figure:
    """One panel per cost, its axis logarithmic; the front as filled squares on a line, all others as open dots.

    ``sign`` −1 draws the values of a metric whose scores are its negative.
    """
    frame = frame.assign(score=sign * frame["score"])
    costs = [cost for cost in COSTS if cost in set(frame["cost"])]
    fig = make_subplots(rows=max(len(costs), 1), cols=1, vertical_spacing=0.2 / max(len(costs), 1))
    for place, cost in enumerate(costs, start=1):
        part = frame[frame["cost"] == cost].sort_values("value", kind="stable")
        for is_front in (False, True):
            rows = part[part["on_front"] == is_front]
            if rows.empty:
                continue
            fig.add_trace(_build_trace(rows, is_front=is_front, is_named=place == 1), place, 1)
    lay_out(fig, x="", y=metric, height=120 + 320 * max(len(costs), 1))
    for place, cost in enumerate(costs, start=1):
        title = get_title(cost, is_table=is_table)
        fig.update_xaxes(title_text=title, type="log", dtick="D2", row=place, col=1)
    return fig


def _build_trace(rows: pd.DataFrame, *, is_front: bool, is_named: bool) -> go.Scatter:
    color = COLORS[0] if is_front else NEUTRAL
    return go.Scatter(
        x=rows["value"], y=rows["score"], name="front" if is_front else "beaten in something",
        mode="lines+markers" if is_front else "markers", showlegend=is_named,
        line={"color": color, "width": 1.5, "dash": "dot"},
        marker={"color": color, "size": 9, "symbol": "square" if is_front else "circle-open"},
        text=[
            f"<b>{label(row['name'])}</b><br>{_write(float(row['value']))}"
            for row in rows.to_dict("records")
        ],
        hovertemplate="%{text}<br>%{y:.4f}<extra></extra>",
    )  # fmt: skip


def describe_trade_off(
    frame: pd.DataFrame, metric: str, *, sign: float = 1.0, is_table: bool = False
) -> str:
    """How many models stand on the front, and its two ends."""
    what = "models" if is_table else "networks"
    if frame.empty:
        return f"None of the {what} was trained to its end within the limits."
    frame = frame.assign(score=sign * frame["score"])
    front = frame[frame["on_front"]]
    n_all, n_front = frame["trial"].nunique(), front["trial"].nunique()
    verb = "is" if n_front == 1 else "are"
    texts = [f"{n_front:,} of n = {n_all:,} {what} {verb} beaten by no other in everything."]
    for cost in COSTS:
        part = front[front["cost"] == cost].sort_values("value", kind="stable")
        if len(part) > 1:
            small, large = part.iloc[0], part.iloc[-1]
            title = get_title(cost, is_table=is_table)
            texts.append(f"{title}: from {_say(small)} to {_say(large)} ({metric}, select part).")
    return " ".join(texts)


def _say(row: pd.Series) -> str:
    return f"{_write(float(row['value']))} with {render_number(float(row['score']))}"


def _write(value: float) -> str:
    return render_count(value) if value >= 1000 else f"{value:.3g}"
