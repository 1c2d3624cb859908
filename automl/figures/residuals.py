"""Residuals (predicted minus true): where and how far the predictions miss."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_number, render_percent
from automl.figures.style import COLORS, NEUTRAL, find_highest, label, lay_out, thin

MAX_MARKS = 3_000


def plot_residuals(frame: pd.DataFrame, unit: str) -> go.Figure:
    """Residual against prediction; columns ``prediction, residual``; ``unit`` names the target."""
    shown = thin(frame.sort_values("prediction"), MAX_MARKS)
    fig = go.Figure(
        go.Scatter(
            x=shown["prediction"], y=shown["residual"], mode="markers", showlegend=False,
            marker={"color": COLORS[0], "size": 5, "opacity": 0.45},
            hovertemplate="predicted %{x:,.4g}<br>residual %{y:,.4g}<extra></extra>",
        )
    )  # fmt: skip
    fig.add_hline(y=0, line={"color": NEUTRAL, "dash": "dash", "width": 1})
    return lay_out(fig, x=f"Predicted {label(unit)}", y="Residual (predicted − true)", height=460)


def plot_residual_histogram(frame: pd.DataFrame, unit: str) -> go.Figure:
    """Bars of the residuals; columns ``low, high, n`` (edges in the unit of the target).

    Neighbouring bins are joined where there are few rows.
    """
    frame = _join_bins(frame)
    fig = go.Figure(
        go.Bar(
            x=(frame["low"] + frame["high"]) / 2, y=frame["n"], width=frame["high"] - frame["low"],
            marker={"color": COLORS[0], "line": {"width": 0}}, showlegend=False,
            customdata=frame[["low", "high"]],
            hovertemplate="%{customdata[0]:,.4g} to %{customdata[1]:,.4g}<br>n = %{y:,}<extra></extra>",
        )
    )  # fmt: skip
    fig.add_vline(x=0, line={"color": NEUTRAL, "dash": "dash", "width": 1})
    return lay_out(fig, x=f"Residual of {label(unit)}", y="Rows", height=380)


def _join_bins(frame: pd.DataFrame) -> pd.DataFrame:
    """Bins in pairs, or pairs of pairs, until there are about 2·n^⅓ (Rice's rule), ten at least."""
    wanted = max(10.0, 2 * float(frame["n"].sum()) ** (1 / 3))
    while len(frame) >= 2 * wanted and len(frame) % 2 == 0:
        pairs = np.arange(len(frame)) // 2
        frame = frame.groupby(pairs).agg(
            low=("low", "first"), high=("high", "last"), n=("n", "sum")
        )
    return frame


def describe_residual_histogram(frame: pd.DataFrame) -> str:
    """From where to where the residuals reach, and the fullest bar."""
    if frame.empty:
        return "There are no residuals to show."
    bars = _join_bins(frame)
    top = find_highest(bars, "n")
    return (
        f"The residuals of {int(bars['n'].sum()):,} rows reach from "
        f"{render_number(float(bars['low'].iloc[0]))} to {render_number(float(bars['high'].iloc[-1]))}; the "
        f"fullest bar, {int(top['n']):,} rows, lies between {render_number(float(top['low']))} and "
        f"{render_number(float(top['high']))}."
    )


def describe_residuals(frame: pd.DataFrame) -> str:
    """The middle half of the residuals and the balance of too high and too low."""
    residual = frame["residual"].dropna()
    if residual.empty:
        return "There are no residuals to show."
    low, middle, high = residual.quantile([0.25, 0.5, 0.75])
    above = float((residual > 0).mean())
    return (
        f"Half of the {len(residual):,} points at hand lie between {render_number(low)} and "
        f"{render_number(high)} (median {render_number(middle)}); {render_percent(above)} are "
        "predicted too high."
    )
