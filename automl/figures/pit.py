"""PIT histogram: do errors of new rows fall among known errors as evenly as they should?"""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.style import NEUTRAL, get_style, lay_out


def plot_pit(bins: pd.DataFrame) -> go.Figure:
    """Bars of ``low, high, n`` with the 95 % range of a calibrated forecast, ``expected_low, expected_high``."""
    middle = (bins["low"] + bins["high"]) / 2
    fig = go.Figure()
    fig.add_trace(
        go.Bar(
            x=middle, y=bins["n"], width=(bins["high"] - bins["low"]) * 0.96, name="rows",
            marker={"color": get_style(0).color}, hovertemplate="%{y:,} rows",
        )
    )  # fmt: skip
    fig.add_trace(
        go.Scatter(
            x=middle, y=bins["expected"], mode="markers", name="calibrated, 95 % range",
            marker={"color": NEUTRAL, "symbol": "line-ew-open", "size": 10},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1.5, "width": 3, "color": NEUTRAL,
                "array": bins["expected_high"] - bins["expected"],
                "arrayminus": bins["expected"] - bins["expected_low"],
            },
            customdata=bins[["expected_low", "expected_high"]],
            hovertemplate="calibrated: %{customdata[0]:,} to %{customdata[1]:,} rows",
        )
    )  # fmt: skip
    return lay_out(fig, x="Place of the error among known errors (PIT)", y="Rows", height=360)


def describe_pit(bins: pd.DataFrame) -> str:
    """How many bars leave their range, and what the shape would mean."""
    outside = (bins["n"] < bins["expected_low"]) | (bins["n"] > bins["expected_high"])
    ends, inner = bins.iloc[[0, -1]], bins.iloc[1:-1]
    shape = "Level bars mean that the errors of the calibrate part hold for new rows."
    if (ends["n"] > ends["expected_high"]).all():
        shape = (
            "Both ends stand out: errors of new rows are wider than those of the calibrate part."
        )
    elif (ends["n"] < ends["expected_low"]).all() and (inner["n"] > inner["expected_high"]).any():
        shape = (
            "Both ends are low: errors of new rows are narrower than those of the calibrate part."
        )
    return f"{int(outside.sum())} of {len(bins)} bars leave the 95 % range (n = {int(bins['n'].sum()):,}). {shape}"
