"""The figures of the data page: frames in, Plotly figures out."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.style import get_style, label, lay_out


def plot_distribution(frame: pd.DataFrame, column: str) -> go.Figure:
    """Rows per value, stacked by ``target`` where the frame has it.

    Columns ``value, rows``, optional ``target`` and ``width`` (then the values are middles of bins).
    """
    is_binned = "width" in frame
    parts = frame.groupby("target", sort=False) if "target" in frame else [("", frame)]
    fig = go.Figure()
    for index, (name, rows) in enumerate(parts):
        values = rows["value"] if is_binned else [label(value) for value in rows["value"]]
        fig.add_trace(
            go.Bar(
                x=values if is_binned else rows["rows"],
                y=rows["rows"] if is_binned else values,
                width=rows["width"] if is_binned else None,
                orientation="v" if is_binned else "h",
                name=label(name),
                marker={
                    "color": get_style(index).color,
                    "pattern": {"shape": ("", "/", ".", "x", "-", "+")[index % 6], "size": 5},
                    "line": {"width": 0},
                },
                hovertemplate="%{y:,} rows" if is_binned else "%{x:,} rows",
            )
        )
    n_bars = 12 if is_binned else frame["value"].nunique()
    lay_out(
        fig,
        x=label(column) if is_binned else "Rows",
        y="Rows" if is_binned else "",
        height=max(260, 110 + 24 * n_bars),
    )
    fig.update_layout(barmode="stack", bargap=0.15, showlegend="target" in frame)
    if is_binned:
        return fig.update_yaxes(rangemode="tozero")
    return fig.update_yaxes(autorange="reversed", type="category")


def compute_related(frame: pd.DataFrame, method: str) -> pd.DataFrame:
    """Correlation of every pair of columns: ``a, b, value``, undefined pairs left out."""
    numbers = frame.astype("float64")
    matrix = (numbers.rank() if method == "spearman" else numbers).corr()
    matrix.index.name, matrix.columns.name = "a", "b"
    return matrix.reset_index().melt(id_vars="a", value_name="value").dropna()


def plot_related(related: pd.DataFrame, names: list[str]) -> go.Figure:
    """A heat map, blue for falling and orange for rising together, white at zero, numbers in the cells."""
    matrix = related.pivot_table(index="a", columns="b", values="value").reindex(
        index=names, columns=names
    )
    short = [label(name, 18) for name in names]
    fig = go.Figure(
        go.Heatmap(
            z=matrix.to_numpy(),
            x=short,
            y=short,
            zmin=-1,
            zmax=1,
            colorscale=[[0, "#0072B2"], [0.5, "#f7f7f7"], [1, "#D55E00"]],
            texttemplate="%{z:.2f}" if len(names) <= 12 else None,
            hovertemplate="%{y} with %{x}: %{z:.3f}<extra></extra>",
            colorbar={"title": {"text": "Correlation"}, "thickness": 12},
        )
    )
    lay_out(fig, x="", y="", height=max(320, 90 + 34 * len(names)))
    return fig.update_yaxes(autorange="reversed")


def to_days(values: pd.Series) -> np.ndarray:
    """Numbers as they are, dates as days since 1970, as the profile's histogram has them."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.astype("datetime64[us]").astype("int64").to_numpy() / 86_400e6
    return values.to_numpy(dtype="float64")
