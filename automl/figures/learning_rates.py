"""How far the loss falls at each learning rate, with the rate that suggests and the one the search chose."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_number
from automl.figures.style import COLORS, NEUTRAL, get_style, lay_out
from automl.training.learning_rates import RateTest

PADDING = 0.08  # of the span of the losses, above and below


def compute_rate_frame(test: RateTest) -> pd.DataFrame:
    """One row per rate: ``rate, loss`` (smoothed, after the last step), ``highest`` (smoothed, of all steps), ``diverges``.

    A loss that is no number is NaN. Whether a rate above the first diverging one fell again does not matter.
    """
    smoothed = np.array(test.smoothed, dtype=float)
    is_known = np.isfinite(smoothed).all(axis=1)
    highest = np.where(is_known, np.where(np.isfinite(smoothed), smoothed, 0).max(axis=1), np.nan)
    limit = np.inf if test.first_diverging is None else test.first_diverging
    return pd.DataFrame(
        {
            "rate": test.rates,
            "loss": smoothed[:, -1],
            "highest": highest,
            "diverges": np.array(test.rates) >= limit,
        }
    )


def plot_learning_rates(frame: pd.DataFrame, test: RateTest) -> go.Figure:
    """The loss after the last step by rate (log), open crosses where it diverges, and up to three marked rates.

    ``frame`` is that of ``compute_rate_frame``. The y axis spans the losses of the rates that do not diverge.
    """
    fig = go.Figure()
    parts = (("loss after the last step", False, 0), ("diverges", True, 1))
    for name, diverges, index in parts:
        rows = frame[frame["diverges"] == diverges]
        if rows.empty:
            continue
        style = get_style(index)
        fig.add_trace(
            go.Scatter(
                x=rows["rate"], y=rows["loss"], name=name, mode="markers" if diverges else "lines+markers",
                line={"color": style.color, "width": 2},
                marker={"color": style.color, "size": 8, "symbol": "x-open" if diverges else style.symbol},
                hovertemplate="rate %{x:.2g}: loss %{y:.4g}<extra></extra>",
            )
        )  # fmt: skip
    span = _find_span(frame)
    for name, rate, color, dash in (
        ("suggested", test.suggested, COLORS[2], "solid"),
        ("chosen", test.chosen, NEUTRAL, "dash"),
    ):
        if rate is not None:
            fig.add_trace(
                go.Scatter(
                    x=[rate, rate], y=span, mode="lines", name=f"{name}: {rate:.2g}",
                    line={"color": color, "dash": dash, "width": 2},
                    hovertemplate=f"{name}: {rate:.2g}<extra></extra>",
                )
            )  # fmt: skip
    lay_out(fig, x="Learning rate (log)", y=f"Loss after {test.n_steps} steps, smoothed")
    fig.update_xaxes(type="log", exponentformat="power", dtick=1)
    return fig.update_yaxes(range=span)


def _find_span(frame: pd.DataFrame) -> list[float]:
    """Lowest and highest loss of the rates that do not diverge, with some room; of all where every rate does."""
    losses = frame.loc[~frame["diverges"], "loss"]
    losses = (losses if len(losses) else frame["loss"]).dropna()
    if losses.empty:
        return [0.0, 1.0]
    low, high = float(losses.min()), float(losses.max())
    room = PADDING * (high - low or abs(high) or 1.0)
    return [low - room, high + room]


def describe_learning_rates(frame: pd.DataFrame, test: RateTest) -> str:
    """What was trained on how many rows, what is suggested and why, and what the configuration has."""
    text = (
        f"{len(frame)} networks like {test.network}, {test.n_steps} steps each in batches of {test.batch_size} of "
        f"n = {test.n_rows:,} training rows. {test.reason}"
    )
    if test.suggested is not None:
        place = int(np.abs(np.log(frame["rate"] / test.suggested)).argmin())
        first, there = float(frame["loss"].iloc[0]), float(frame["loss"].iloc[place])
        text += (
            f" Suggested: {test.suggested:.2g} (loss {render_number(there)} near it, {render_number(first)} at "
            "the lowest rate)."
        )
    if test.first_diverging is None:
        text += " No rate diverges."
    return (
        f"{text} Chosen for {test.network} was {test.chosen:.2g}, the peak of its schedule. One run at each rate, so "
        "there is no interval: a hint where to look, not a result."
    )
