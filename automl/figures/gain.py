"""Gain and lift: what flagging the rows with the highest scores finds."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_interval, render_percent
from automl.figures.style import (
    MAX_SERIES,
    NEUTRAL,
    add_reference,
    get_style,
    label,
    lay_out,
    thin,
)

LEAST_SHARE = 0.005  # of the rows; the lift of fewer is mostly noise
TENTH = 0.1


def plot_gain(frame: pd.DataFrame) -> go.Figure:
    """Share of the positives found by share of rows flagged; columns ``series, share, found``, all in 0..1."""
    fig = go.Figure()
    add_reference(fig, x=(0, 1), y=(0, 1), text="chance")
    _add_lines(fig, frame, "found", "flagged %{x:.1%}<br>found %{y:.1%}")
    lay_out(fig, x="Share of rows flagged, highest score first", y="Share of the positives found")
    fig.update_xaxes(range=[-0.01, 1.01], tickformat=".0%")
    return fig.update_yaxes(range=[-0.01, 1.02], tickformat=".0%")


def plot_lift(frame: pd.DataFrame) -> go.Figure:
    """Times as many positives among the flagged as among all rows; columns ``series, share, lift``.

    Drawn from half a percent of the rows on: of fewer rows it is mostly noise.
    """
    fig = go.Figure()
    shown = frame[frame["share"] >= LEAST_SHARE]
    _add_lines(fig, shown, "lift", "flagged %{x:.1%}<br>lift %{y:.2f}")
    fig.add_hline(
        y=1, line={"color": NEUTRAL, "dash": "dash", "width": 1},
        annotation={"text": "chance", "font": {"color": NEUTRAL}}, annotation_position="bottom left",
    )  # fmt: skip
    lay_out(fig, x="Share of rows flagged, highest score first", y="Lift: times chance")
    fig.update_xaxes(range=[-0.01, 1.01], tickformat=".0%")
    return fig.update_yaxes(rangemode="tozero")


def _add_lines(fig: go.Figure, frame: pd.DataFrame, column: str, hover: str) -> None:
    for index, (name, rows) in enumerate(frame.groupby("series", sort=False)):
        if index == MAX_SERIES:
            break
        style, shown = get_style(index), thin(rows)
        fig.add_trace(
            go.Scatter(
                x=shown["share"], y=shown[column], name=label(name), mode="lines",
                line={"color": style.color, "dash": style.dash, "width": 2}, hovertemplate=hover,
            )
        )  # fmt: skip


def describe_gain(table: pd.DataFrame) -> str:
    """What a tenth of the rows finds, for the first series; ``table`` has the gain with its intervals by share."""
    row = _find_tenth(table)
    if row is None:
        return "There is no curve to draw."
    found = render_interval(*(100 * row[key] for key in ("found", "found_low", "found_high")))
    return (
        f"Where {row['series']} flags the {render_percent(row['share'])} of the rows with the highest score "
        f"(n = {int(row['n_flagged']):,}), it finds {found} % of the {int(row['n_positive']):,} positives; chance "
        f"finds {render_percent(row['share'])}."
    )


def describe_lift(table: pd.DataFrame) -> str:
    """How many times chance that is."""
    row = _find_tenth(table)
    if row is None:
        return "There is no curve to draw."
    lift = render_interval(row["lift"], row["lift_low"], row["lift_high"])
    return (
        f"Among the {render_percent(row['share'])} of the rows that {row['series']} scores highest there are {lift} "
        "times as many positives as among as many rows taken by chance."
    )


def _find_tenth(table: pd.DataFrame) -> pd.Series | None:
    if table.empty:
        return None
    rows = table[table["series"] == table["series"].iloc[0]]
    nearest: pd.Series = rows.iloc[int(np.abs(rows["share"].to_numpy() - TENTH).argmin())]
    return nearest
