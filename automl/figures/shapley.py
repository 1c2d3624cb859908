"""SHAP values as pictures: mean size per column, all values of a sample, and one row from base to prediction."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval, render_number
from automl.figures.style import COLORS, NEUTRAL, label, lay_out
from fairness.template import SEQUENTIAL

MOST_BARS, MOST_SWARMS, MOST_STEPS = 20, 12, 10
MOST_DOTS = 250  # per column of a swarm
ROW_HEIGHT, SWARM_HEIGHT = 26, 40
Z = 1.959963984540054
SCALE = [[0.0, SEQUENTIAL[1]], [0.5, SEQUENTIAL[2]], [1.0, SEQUENTIAL[4]]]


def compute_shapley_summary(frame: pd.DataFrame, output: str) -> pd.DataFrame:
    """Per column the mean |value| with its 95 % interval over the rows: ``column, value, low, high, n, error``.

    ``error`` is the largest standard error of one value. The largest mean comes first.
    """
    own = frame[frame["output"] == output]
    grouped = own.assign(size=own["value"].abs()).groupby("column", sort=False)
    table = grouped.agg(
        value=("size", "mean"), spread=("size", "std"), n=("size", "size"), error=("error", "max")
    ).reset_index()
    half = Z * (table["spread"] / np.sqrt(table["n"])).fillna(0.0)
    table = table.assign(low=(table["value"] - half).clip(lower=0), high=table["value"] + half)
    table = table.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    return table[["column", "value", "low", "high", "n", "error"]]


def plot_shapley_bars(summary: pd.DataFrame, unit: str) -> go.Figure:
    """Bars of ``compute_shapley_summary``, the largest on top, at most 20; ``unit`` is what a value is counted in."""
    shown = summary.head(MOST_BARS).iloc[::-1]
    fig = go.Figure(
        go.Bar(
            x=shown["value"], y=[label(name, 32) for name in shown["column"]], orientation="h",
            marker={"color": COLORS[0]},
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.2, "color": NEUTRAL,
                "array": shown["high"] - shown["value"], "arrayminus": shown["value"] - shown["low"],
            },
            customdata=shown[["low", "high", "n"]],
            hovertemplate="%{y}: %{x:.4g} [%{customdata[0]:.4g}, %{customdata[1]:.4g}], "
            "n = %{customdata[2]:,} rows<extra></extra>",
        )
    )  # fmt: skip
    return lay_out(fig, x=f"Mean size of the SHAP value, {unit}", y="", height=120 + ROW_HEIGHT * len(shown))  # fmt: skip


def describe_shapley_bars(summary: pd.DataFrame, output: str, start: str) -> str:
    """The leading columns with their intervals, and the rows; ``start`` names what values are counted from."""
    parts = [
        f"{row['column']} {render_interval(row['value'], row['low'], row['high'])}"
        for row in summary.head(2).to_dict("records")
    ]
    error = summary["error"].max()
    doubt = (
        ""
        if np.isnan(error)
        else f" A single value is sure to ±{render_number(Z * error)} or better."
    )
    return (
        f"By how much a column moves the prediction of {output} on average, up or down, over n = "
        f"{int(summary['n'].iloc[0]):,} test rows (95 % intervals), counted from {start}: "
        f"{' and '.join(parts)} move it most.{doubt}"
    )


def plot_swarm(frame: pd.DataFrame, summary: pd.DataFrame, output: str, unit: str) -> go.Figure:
    """One dot per row and column, the 12 largest columns, at most 250 dots each.

    Colour is the rank of a number among the rows, grey where the column holds none; the hover shows the cell.
    """
    own = frame[frame["output"] == output]
    columns = summary["column"].head(MOST_SWARMS).tolist()[::-1]
    fig = go.Figure()
    for place, name in enumerate(columns):
        part = own[own["column"] == name].iloc[:MOST_DOTS]
        is_number = part["position"].notna().any()
        colour = {"color": part["position"], "colorscale": SCALE, "cmin": 0, "cmax": 1}
        fig.add_trace(
            go.Scatter(
                x=part["value"], y=place + _spread(part["value"].to_numpy(dtype=float)),
                mode="markers", name=label(name), showlegend=False,
                marker={
                    "size": 6, "opacity": 0.85, "line": {"width": 0.5, "color": NEUTRAL},
                    **(colour if is_number else {"color": NEUTRAL, "symbol": "diamond"}),
                },
                customdata=np.column_stack([part["cell"].map(label), part["row_id"]]),
                hovertemplate=f"{label(name)} = %{{customdata[0]}}: %{{x:.4g}}, row %{{customdata[1]}}<extra></extra>",
            )
        )  # fmt: skip
    lay_out(fig, x=f"SHAP value, {unit}", y="", height=120 + SWARM_HEIGHT * len(columns))
    fig.update_yaxes(tickvals=list(range(len(columns))), ticktext=[label(each, 32) for each in columns])  # fmt: skip
    return fig.add_vline(x=0, line={"color": NEUTRAL, "width": 1})


def _spread(values: np.ndarray) -> np.ndarray:
    """Dots of nearly the same value beside each other: places between −0.4 and 0.4."""
    if not len(values):
        return values
    width = np.ptp(values) or 1.0
    bins = np.round((values - values.min()) / width * 60).astype(int)
    order = pd.Series(bins).groupby(bins).cumcount().to_numpy()
    most = max(1, order.max())
    sides = np.where(order % 2 == 0, 1, -1) * np.ceil(order / 2)
    return np.asarray(0.4 * sides / max(1.0, np.ceil(most / 2)))


def describe_swarm(frame: pd.DataFrame, summary: pd.DataFrame, output: str) -> str:
    """How many dots there are, and what the leading column does at its ends."""
    name = str(summary["column"].iloc[0])
    own = frame[(frame["output"] == output) & (frame["column"] == name)]
    n = len(own)
    text = f"Each dot is one of n = {n:,} test rows; darker is a larger number, grey diamonds are no numbers."
    high, low = own[own["position"] >= 0.75], own[own["position"] <= 0.25]
    if len(high) and len(low):
        text += (
            f" The largest quarter of {name} moves {output} by {render_number(high['value'].mean())} on average, the "
            f"smallest by {render_number(low['value'].mean())}."
        )
    if n > MOST_DOTS:
        text += f" The first {MOST_DOTS} of {n:,} drawn rows are shown."
    return text


def compute_waterfall(frame: pd.DataFrame, row_id: int, output: str) -> pd.DataFrame:
    """One row's values, the largest first: ``column, cell, value, error``."""
    own = frame[(frame["row_id"] == row_id) & (frame["output"] == output)]
    order = own["value"].abs().sort_values(ascending=False, kind="stable").index
    return own.loc[order, ["column", "cell", "value", "error"]].reset_index(drop=True)


def plot_waterfall(steps: pd.DataFrame, base: float, unit: str) -> go.Figure:
    """From the base to the prediction, the largest step on top; beyond ten the rest is one step."""
    shown, rest = steps.head(MOST_STEPS), steps.iloc[MOST_STEPS:]
    names = [f"{label(row.column, 20)} = {label(row.cell, 14)}" for row in shown.itertuples()]
    values = shown["value"].tolist()
    if len(rest):
        names.append(f"{len(rest)} further columns")
        values.append(float(rest["value"].sum()))
    names, values = names[::-1], values[::-1]
    fig = go.Figure(
        go.Waterfall(
            orientation="h", base=base, y=names, x=values, measure=["relative"] * len(values),
            text=[f"{'+' if value >= 0 else ''}{render_number(value)}" for value in values],
            textposition="outside",
            increasing={"marker": {"color": COLORS[0]}}, decreasing={"marker": {"color": COLORS[1]}},
            connector={"line": {"color": NEUTRAL, "width": 1}},
            hovertemplate="%{y}: %{delta:.4g}, then %{x:.4g}<extra></extra>",
        )
    )  # fmt: skip
    ends = base + np.cumsum([0.0, *values])
    margin = 0.15 * (np.ptp(ends) or 1.0)
    lay_out(fig, x=unit, y="", height=130 + ROW_HEIGHT * len(names))
    fig.update_xaxes(range=[ends.min() - margin, ends.max() + margin])
    return fig.add_vline(x=base, line={"color": NEUTRAL, "width": 1, "dash": "dash"})


def describe_waterfall(
    steps: pd.DataFrame, base: float, prediction: float, names: tuple[str, str, int]
) -> str:
    """Base, prediction and the steps that moved it most; ``names`` are the output, the start and the row id."""
    output, start, row_id = names
    parts = [
        f"{row['column']} = {row['cell']} by {render_number(row['value'])}"
        for row in steps.head(2).to_dict("records")
    ]
    return (
        f"Row {row_id}: from {render_number(base)} for {output}, {start} (dashed), to "
        f"{render_number(prediction)}. {' and '.join(parts)} moved it most."
    )
