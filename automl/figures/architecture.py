"""A network as a drawing: one block per layer, from the rows of ``describe_layers``."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from automl.figures.style import COLORS, NEUTRAL, label, lay_out

BLOCK, GAP = 0.62, 1.0  # height of a block, distance of two blocks
KIND_COLORS = (
    (("embed", "encod", "input"), COLORS[5]),
    (("norm",), COLORS[4]),
    (("linear", "dense", "block", "residual"), COLORS[0]),
    (("dropout",), COLORS[1]),
    (("head", "output"), COLORS[2]),
)


def compute_layers(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The rows as a frame ``name, kind, output, parameters``, inputs first."""
    frame = pd.DataFrame(list(rows), columns=["name", "kind", "output", "parameters"])
    return frame.assign(parameters=frame["parameters"].fillna(0).astype(int))


def plot_architecture(frame: pd.DataFrame) -> go.Figure:
    """Blocks from the top (inputs) to the bottom (output), joined by arrows.

    Columns ``name, kind, output, parameters``; the share of a block's parameters is the dark part of it.
    """
    fig = go.Figure()
    most = max(int(frame["parameters"].max()), 1) if len(frame) else 1
    for position, row in enumerate(frame.to_dict("records")):
        _add_block(fig, row=row, y=-position * GAP, most=most)
        if position:
            fig.add_annotation(
                x=0.5, y=-position * GAP + BLOCK / 2, ax=0.5, ay=-(position - 1) * GAP - BLOCK / 2,
                xref="x", yref="y", axref="x", ayref="y", text="", showarrow=True,
                arrowhead=2, arrowsize=1, arrowwidth=1.5, arrowcolor=NEUTRAL,
            )  # fmt: skip
    lay_out(fig, x="", y="", height=max(160, 40 + 58 * len(frame)))
    fig.update_layout(margin={"l": 8, "r": 8, "t": 8, "b": 8})
    fig.update_xaxes(visible=False, range=[-0.02, 1.02], fixedrange=True)
    bottom = -(len(frame) - 1) * GAP - GAP / 2
    return fig.update_yaxes(visible=False, range=[bottom, GAP / 2], fixedrange=True)


def describe_architecture(frame: pd.DataFrame) -> str:
    """Number of layers and parameters, and the block that holds most of them."""
    if frame.empty:
        return "This model has no layers to draw."
    total = int(frame["parameters"].sum())
    if total == 0:
        return f"{len(frame)} steps without parameters."
    largest = frame.loc[frame["parameters"].idxmax()]
    return (
        f"{len(frame)} layers with {total:,} parameters; {largest['name']} holds "
        f"{100 * largest['parameters'] / total:.0f} % of them."
    )


def _add_block(fig: go.Figure, *, row: dict[str, Any], y: float, most: int) -> None:
    color = next(
        (
            color
            for words, color in KIND_COLORS
            if any(w in str(row["kind"]).lower() for w in words)
        ),
        NEUTRAL,
    )
    low, high = y - BLOCK / 2, y + BLOCK / 2
    fig.add_shape(
        type="rect", x0=0, x1=1, y0=low, y1=high, line={"color": color, "width": 1.5},
        fillcolor=color, opacity=0.16, layer="below",
    )  # fmt: skip
    fig.add_shape(
        type="rect", x0=0, x1=1, y0=low, y1=high, line={"color": color, "width": 1.5}, layer="below"
    )
    fig.add_shape(
        type="rect", x0=0, x1=row["parameters"] / most, y0=low, y1=low + 0.07, line={"width": 0},
        fillcolor=color, layer="below",
    )  # fmt: skip
    counted = f"{row['parameters']:,} parameters" if row["parameters"] else "no parameters"
    texts = (
        (0.02, "left", f"<b>{label(row['name'], 30)}</b><br>{label(row['kind'], 34)}"),
        (0.98, "right", f"{label(row['output'], 24)}<br>{counted}"),
    )
    for x, anchor, text in texts:
        fig.add_annotation(
            x=x, y=y, text=text, showarrow=False, xanchor=anchor, align=anchor, font={"size": 12}
        )
