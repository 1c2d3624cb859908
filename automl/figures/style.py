"""What all pictures share: how series are told apart, how text is made inert, how they are laid out."""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fairness.template import DASHES, PALETTE, SYMBOLS, apply_template

COLORS = PALETTE[:6]
NEUTRAL = "#808080"  # reference lines; readable on both backgrounds
MAX_SERIES = len(COLORS)
MAX_POINTS = 2_000  # marks drawn per trace; the frame and the CSV keep all


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesStyle:
    """Three signs of one series; colour is never the only one."""

    color: str
    dash: str
    symbol: str


def get_style(index: int) -> SeriesStyle:
    """The signs of series number ``index``; colours and dashes repeat after six, with another symbol."""
    position = index % MAX_SERIES
    symbol = SYMBOLS[index % len(SYMBOLS)]
    return SeriesStyle(color=COLORS[position], dash=DASHES[position], symbol=symbol)


def label(text: object, limit: int = 28) -> str:
    """A name as Plotly may show it: cut to ``limit`` characters, without markup."""
    plain = str(text)
    short = plain if len(plain) <= limit else f"{plain[: limit - 1]}…"
    return escape(short, quote=False)


def thin(frame: pd.DataFrame, limit: int = MAX_POINTS) -> pd.DataFrame:
    """At most ``limit`` rows, evenly spaced, first and last kept."""
    if len(frame) <= limit:
        return frame
    return frame.iloc[np.unique(np.linspace(0, len(frame) - 1, limit).astype(int))]


def lay_out(fig: go.Figure, *, x: str, y: str, height: int = 420) -> go.Figure:
    """Axis titles and the one template; its legend stands above the plot, in as many rows as the width needs."""
    fig.update_layout(
        height=height,
        margin={"l": 64, "r": 16, "t": 16, "b": 56},
        dragmode=False,
    )
    fig.update_xaxes(title_text=x, automargin=True)
    fig.update_yaxes(title_text=y, automargin=True)
    return apply_template(fig)


def add_reference(
    fig: go.Figure, *, x: tuple[float, float], y: tuple[float, float], text: str
) -> None:
    """A dashed grey reference line with its name written on it."""
    fig.add_trace(
        go.Scatter(
            x=list(x), y=list(y), mode="lines", hoverinfo="skip", showlegend=False, name=text,
            line={"color": NEUTRAL, "dash": "dash", "width": 1},
        )
    )  # fmt: skip
    fig.add_annotation(
        x=x[0] + 0.62 * (x[1] - x[0]), y=y[0] + 0.62 * (y[1] - y[0]), text=text,
        showarrow=False, yshift=-12, xshift=6, xanchor="left", font={"color": NEUTRAL},
    )  # fmt: skip


def find_highest(frame: pd.DataFrame, column: str, *, sign: float = 1.0) -> pd.Series:
    """The row with the greatest value of ``column`` (the least with ``sign`` −1); at least one is finite."""
    return frame.iloc[int(np.nanargmax(sign * frame[column].to_numpy(dtype=float)))]
