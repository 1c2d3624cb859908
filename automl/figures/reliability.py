"""Reliability diagram: does a thing that is said to happen in 30 % of cases happen in 30 %?"""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.figures.reading import render_percent
from automl.figures.style import NEUTRAL, get_style, label, lay_out, thin


def plot_reliability(
    bins: pd.DataFrame,
    curve: pd.DataFrame | None = None,
    histogram: pd.DataFrame | None = None,
    band: pd.DataFrame | None = None,
) -> go.Figure:
    """Observed share against score per ``series``, with the scores' histogram by outcome below.

    ``bins``: ``series, mean_score, observed, low, high, n`` (dots with 95 % binomial intervals; drawn for
    the last series only, so that they can be read). ``curve``: ``series, score_low, score_high,
    observed`` (isotonic, CORP). ``histogram``: ``series`` (the outcome), ``low, high, n``
    over equal bins of the score. ``band``: ``score, low, high``, where the curve of calibrated scores would lie.
    """
    has_histogram = histogram is not None and len(histogram) > 0
    heights = [0.74, 0.26] if has_histogram else [1.0]
    fig = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.06
    )
    if band is not None:
        _add_band(fig, band)
    _add_identity(fig)
    names = list(dict.fromkeys(bins["series"]))
    for index, name in enumerate(names):
        if curve is not None:
            _add_curve(fig, rows=curve[curve["series"] == name], name=name, index=index)
        if curve is None or index == len(names) - 1:
            _add_bins(fig, rows=bins[bins["series"] == name], name=name, index=index)
    lay_out(fig, x="", y="", height=520 if has_histogram else 420)
    fig.update_yaxes(title_text="Observed share", range=[-0.02, 1.02], row=1, col=1)
    fig.update_xaxes(range=[-0.02, 1.02])
    if histogram is not None and has_histogram:
        _add_histogram(fig, histogram)
        fig.update_yaxes(title_text="Rows", row=2, col=1, nticks=3)
    return fig.update_xaxes(title_text="Predicted probability", row=len(heights), col=1)


def describe_reliability(bins: pd.DataFrame) -> str:
    """How many bins of the last series have the score inside their interval, and the widest miss."""
    if bins.empty:
        return "There are no scores to compare with what happened."
    name = bins["series"].iloc[-1]
    rows = bins[bins["series"] == name]
    inside = (rows["low"] <= rows["mean_score"]) & (rows["mean_score"] <= rows["high"])
    far = rows.loc[(rows["observed"] - rows["mean_score"]).abs().idxmax()]
    return (
        f"{name}: in {int(inside.sum())} of {len(rows)} bins the score lies inside the 95 % interval of "
        f"what happened; farthest where the score is {render_percent(float(far['mean_score']))} and "
        f"{render_percent(float(far['observed']))} happened (n = {int(far['n']):,})."
    )


def _add_identity(fig: go.Figure) -> None:
    fig.add_trace(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name="calibrated", showlegend=False, hoverinfo="skip",
            line={"color": NEUTRAL, "dash": "dash", "width": 1},
        ),
        row=1, col=1,
    )  # fmt: skip
    fig.add_annotation(
        x=0.3, y=0.3, text="calibrated", showarrow=False, xanchor="left", xshift=6, yshift=-14,
        font={"color": NEUTRAL}, row=1, col=1,
    )  # fmt: skip


def _add_band(fig: go.Figure, band: pd.DataFrame) -> None:
    """One closed shape: up along the low ends, back along the high ones."""
    rows = thin(band)
    fig.add_trace(
        go.Scatter(
            x=[*rows["score"], *rows["score"][::-1]], y=[*rows["low"], *rows["high"][::-1]],
            mode="lines", fill="toself", name="calibrated, 90 % band", hoverinfo="skip",
            line={"color": NEUTRAL, "width": 0.5}, fillcolor="rgba(128, 128, 128, 0.25)",
        ),
        row=1, col=1,
    )  # fmt: skip


def _add_curve(fig: go.Figure, *, rows: pd.DataFrame, name: str, index: int) -> None:
    """A block of the isotonic fit is a level piece from its least to its greatest score."""
    style = get_style(index)
    ordered = rows.sort_values("score_low")
    x = ordered[["score_low", "score_high"]].to_numpy().ravel()
    y = ordered["observed"].repeat(2)
    fig.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines", name=f"{label(name)} · curve", legendgroup=name,
            line={"color": style.color, "dash": style.dash, "width": 2},
            hovertemplate="score %{x:.3f}<br>observed %{y:.3f}",
        ),
        row=1, col=1,
    )  # fmt: skip


def _add_bins(fig: go.Figure, *, rows: pd.DataFrame, name: str, index: int) -> None:
    style = get_style(index)
    fig.add_trace(
        go.Scatter(
            x=rows["mean_score"], y=rows["observed"], mode="markers", legendgroup=name,
            name=f"{label(name)} · 95 % intervals", customdata=rows[["n", "low", "high"]],
            marker={"color": style.color, "symbol": style.symbol, "size": 8},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1.5, "width": 3,
                "array": rows["high"] - rows["observed"],
                "arrayminus": rows["observed"] - rows["low"],
            },
            hovertemplate=(
                "score %{x:.3f}<br>observed %{y:.3f} [%{customdata[1]:.3f}, %{customdata[2]:.3f}]"
                "<br>n = %{customdata[0]:,}"
            ),
        ),
        row=1, col=1,
    )  # fmt: skip


def _add_histogram(fig: go.Figure, histogram: pd.DataFrame) -> None:
    for index, (name, rows) in enumerate(histogram.groupby("series", sort=False)):
        fig.add_trace(
            go.Bar(
                x=(rows["low"] + rows["high"]) / 2, y=rows["n"], width=rows["high"] - rows["low"],
                name=f"scores of {label(name)}", hovertemplate="%{y:,} rows",
                marker={
                    "color": get_style(index + 2).color, "line": {"width": 0},
                    "pattern": {"shape": ("", "/", "x", "-", "+", ".")[index % 6]},
                },
            ),
            row=2, col=1,
        )  # fmt: skip
    fig.update_layout(barmode="stack")
