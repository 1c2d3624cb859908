"""A network as a drawing: one block per layer, from the rows of ``describe_layers``."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from automl.figures.style import COLORS, NEUTRAL, find_highest, label, lay_out

JOIN = "concatenation"  # the layers before it stand beside each other
BLOCK, GAP = 0.70, 1.0  # height of a block, distance of two levels
BAR = 0.06  # height of the bar that shows the share of the parameters
KIND_COLORS = (
    (("embed", JOIN), COLORS[5]),
    (("norm",), COLORS[4]),
    (("linear", "block", "residual"), COLORS[0]),
    (("head", "output"), COLORS[2]),
)


def compute_layers(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows as a frame ``name, kind, output, parameters, detail, level``, inputs first.

    Layers before the concatenation share level 0; every other layer has its own.
    """
    frame = pd.DataFrame(
        [dict(row) for row in rows], columns=["name", "kind", "output", "parameters", "detail"]
    )
    joins = [position for position, kind in enumerate(frame["kind"]) if kind == JOIN]
    first = joins[0] if joins else 0
    levels = [0 if at < first else at - max(first - 1, 0) for at in range(len(frame))]
    return frame.assign(
        parameters=frame["parameters"].fillna(0).astype(int),
        detail=frame["detail"].fillna(""),
        level=levels,
    )


def plot_architecture(frame: pd.DataFrame) -> go.Figure:
    """Blocks from the top (inputs) to the bottom (output), joined by arrows.

    The frame is that of ``compute_layers``. The bar at the foot of a block is its number of parameters
    against the largest block's.
    """
    fig = go.Figure()
    most = max(int(frame["parameters"].max()), 1) if len(frame) else 1
    centers: list[float] = []
    records: list[dict[str, Any]] = [
        dict(zip(frame.columns, values, strict=True)) for values in frame.itertuples(index=False)
    ]
    n_levels = int(frame["level"].max()) + 1 if len(frame) else 1
    for level in range(n_levels):
        rows = [dict(row) for row in records if row["level"] == level]
        width = 1 / max(len(rows), 1)
        previous, centers = centers, []
        for place, row in enumerate(rows):
            left = place * width + (0.01 if place else 0)
            right = (place + 1) * width - (0.01 if place + 1 < len(rows) else 0)
            box = (left, right, -level * GAP)
            _add_block(fig, row=row, box=box, share=row["parameters"] / most)
            centers.append((left + right) / 2)
        for start in previous:
            _add_arrow(
                fig, start=start, end=centers[0] if len(centers) == 1 else start, level=level
            )
    lay_out(fig, x="", y="", height=24 + 84 * n_levels)
    fig.update_layout(margin={"l": 4, "r": 4, "t": 4, "b": 4})
    fig.update_xaxes(visible=False, range=[-0.01, 1.01], fixedrange=True)
    return fig.update_yaxes(
        visible=False, range=[-(n_levels - 1) * GAP - GAP / 2, GAP / 2], fixedrange=True
    )


def describe_architecture(frame: pd.DataFrame) -> str:
    """Number of layers and parameters, and the block that holds most of them."""
    total = int(frame["parameters"].sum())
    if total == 0:
        return "This model has no layers with parameters to draw."
    largest = find_highest(frame, "parameters")
    n_layers = int((frame["parameters"] > 0).sum())
    return (
        f"{n_layers} layers with {total:,} parameters; {largest['name']} holds "
        f"{100 * largest['parameters'] / total:.0f} % of them."
    )


def _add_block(
    fig: go.Figure, *, row: Mapping[str, Any], box: tuple[float, float, float], share: float
) -> None:
    left, right, y = box
    kind = str(row["kind"]).lower()
    color = next((c for words, c in KIND_COLORS if any(word in kind for word in words)), NEUTRAL)
    low, high = y - BLOCK / 2, y + BLOCK / 2
    place = {"type": "rect", "x0": left, "y0": low, "layer": "below"}
    fig.add_shape(**place, x1=right, y1=high, fillcolor=color, opacity=0.14, line={"width": 0})
    fig.add_shape(**place, x1=right, y1=high, line={"color": color, "width": 1.5})
    end = left + share * (right - left)
    fig.add_shape(**place, x1=end, y1=low + BAR, fillcolor=color, line={"width": 0})
    lines = _write_lines(row, is_narrow=right - left < 0.75)
    fig.add_annotation(
        x=left + 0.015, y=y + BAR / 2, text="<br>".join(lines), showarrow=False,
        xanchor="left", align="left", font={"size": 12},
    )  # fmt: skip
    fig.add_trace(
        go.Scatter(
            x=[(left + right) / 2], y=[y], mode="markers", showlegend=False,
            marker={"size": 28, "color": color, "opacity": 0}, text=["<br>".join(_write_lines(row, is_narrow=False))],
            hovertemplate="%{text}<extra></extra>",
        )
    )  # fmt: skip


def _write_lines(row: Mapping[str, Any], *, is_narrow: bool) -> list[str]:
    """The lines of a block: what it is, how it is made, its numbers; short enough for a phone."""
    name, parameters = label(row["name"], 16 if is_narrow else 30), row["parameters"]
    output = "" if pd.isna(row["output"]) else f"→ {row['output']:,} values"
    counted = f"{parameters:,} parameters" if parameters else ""
    if is_narrow:
        return [f"<b>{name}</b>", output, counted]
    numbers = " · ".join(part for part in (output, counted) if part)
    lines = [f"<b>{name}</b> {label(row['kind'], 22)}", label(row["detail"], 44), numbers]
    return [line for line in lines if line]


def _add_arrow(fig: go.Figure, *, start: float, end: float, level: int) -> None:
    fig.add_annotation(
        x=end, y=-level * GAP + BLOCK / 2, ax=start, ay=-(level - 1) * GAP - BLOCK / 2,
        xref="x", yref="y", axref="x", ayref="y", text="", showarrow=True,
        arrowhead=2, arrowsize=1, arrowwidth=1.5, arrowcolor=NEUTRAL,
    )  # fmt: skip
