"""Test rows in two dimensions, coloured by what is known of them."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_percent
from automl.figures.style import MAX_SERIES, get_style, label, lay_out, thin

OTHERS = "all others"


def plot_error_map(frame: pd.DataFrame, *, x: str, y: str) -> go.Figure:
    """A mark per row; columns ``x, y, series, row, truth, prediction``.

    Six series at most, the most frequent; the others are drawn as one. The last series in the frame lies on top.
    """
    frame = _join_rare(frame)
    fig = go.Figure()
    for index, name in enumerate(dict.fromkeys(frame["series"])):
        part = thin(frame[frame["series"] == name])
        style = get_style(index)
        fig.add_trace(
            go.Scatter(
                x=part["x"], y=part["y"], mode="markers", name=label(name),
                marker={"color": style.color, "symbol": style.symbol, "size": 7, "opacity": 0.7},
                customdata=[
                    [row["row"], label(row["truth"]), label(row["prediction"])]
                    for row in part.to_dict("records")
                ],
                hovertemplate="row %{customdata[0]}<br>true: %{customdata[1]}<br>predicted: %{customdata[2]}<extra></extra>",
            )
        )  # fmt: skip
    lay_out(fig, x=x, y=y, height=560)
    fig.update_xaxes(zeroline=False, showticklabels=False)
    return fig.update_yaxes(zeroline=False, showticklabels=False)


def _join_rare(frame: pd.DataFrame) -> pd.DataFrame:
    counts = frame["series"].value_counts()
    if len(counts) <= MAX_SERIES:
        return frame
    common = counts.index[: MAX_SERIES - 1]
    return frame.assign(series=frame["series"].where(frame["series"].isin(common), OTHERS))


def describe_error_map(frame: pd.DataFrame) -> str:
    """How many rows of each series are drawn."""
    counts = _join_rare(frame)["series"].value_counts()
    total = int(counts.sum())
    parts = [f"{name} {render_percent(n / total)} (n = {n:,})" for name, n in counts.items()]
    return f"{total:,} rows: {', '.join(parts)}."
