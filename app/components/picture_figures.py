"""Figures about sets of pictures: frames in, Plotly figures out."""

import pandas as pd
import plotly.graph_objects as go

from app.wording import say_plain
from automl.figures.style import NEUTRAL, get_style, label, lay_out

PARTS = ("train", "val", "test")
PATTERNS = ("", "/", ".")
MAX_SIZES = 2_000  # points of a scatter


def compute_class_counts(index: pd.DataFrame, *, by_part: bool) -> pd.DataFrame:
    """Pictures per class, the largest class first: ``class, part, pictures``; without parts, no ``part``."""
    known = index[index["label"] != ""]
    order = list(known["label"].value_counts().index)
    keys = ["label", "part"] if by_part else ["label"]
    counts = known.groupby(keys, sort=False).size().rename("pictures").reset_index()
    counts["label"] = pd.Categorical(counts["label"], order, ordered=True)
    if by_part:
        counts["part"] = pd.Categorical(counts["part"], PARTS, ordered=True)
    counts = counts.sort_values(keys, kind="stable", ignore_index=True)
    text = {key: counts[key].astype(str) for key in keys}
    return counts.assign(**text).rename(columns={"label": "class"})


def plot_class_counts(counts: pd.DataFrame) -> go.Figure:
    """Bars of pictures per class, stacked by part where the frame has it."""
    fig = go.Figure()
    has_parts = "part" in counts
    known = [part for part in PARTS if has_parts and (counts["part"] == part).any()]
    for index, part in enumerate(known or [""]):
        rows = counts[counts["part"] == part] if has_parts else counts
        fig.add_trace(
            go.Bar(
                x=rows["pictures"], y=[label(name) for name in rows["class"]], orientation="h",
                name=say_plain(f"pictures.part_{part}") if part else "",
                marker={
                    "color": get_style(index).color,
                    "pattern": {"shape": PATTERNS[index], "size": 5}, "line": {"width": 0},
                },
                hovertemplate="%{y}: %{x:,}<extra></extra>",
            )
        )  # fmt: skip
    n_bars = counts["class"].nunique()
    lay_out(fig, x=say_plain("pictures.axis_pictures"), y="", height=max(200, 110 + 24 * n_bars))
    fig.update_layout(
        barmode="stack", bargap=0.15, showlegend=has_parts, legend_traceorder="normal"
    )
    order = [label(name) for name in dict.fromkeys(counts["class"])]
    return fig.update_yaxes(
        autorange="reversed", type="category", categoryorder="array", categoryarray=order
    )


def compute_sizes(originals: pd.DataFrame) -> pd.DataFrame:
    """Different sizes with their counts, the most frequent first: ``width, height, pictures``."""
    return (
        originals.groupby(["width", "height"]).size().rename("pictures").reset_index()
        .sort_values("pictures", ascending=False, kind="stable", ignore_index=True)
    )  # fmt: skip


def plot_sizes(sizes: pd.DataFrame, side: int) -> go.Figure:
    """Width against height, the area of a mark by the number of pictures; lines at the stored side."""
    drawn = sizes.head(MAX_SIZES)
    # the largest mark is for the most frequent size, and for a tenth of all pictures at least
    biggest = max(1.0, float(drawn["pictures"].max()), drawn["pictures"].sum() / 10)
    fig = go.Figure(
        go.Scatter(
            x=drawn["width"], y=drawn["height"], mode="markers", customdata=drawn["pictures"],
            marker={
                "size": drawn["pictures"], "sizemode": "area", "sizeref": biggest / 24**2,
                "sizemin": 4, "color": get_style(0).color, "opacity": 0.6, "line": {"width": 0},
            },
            hovertemplate="%{x} × %{y}: %{customdata:,}<extra></extra>",
        )
    )  # fmt: skip
    lay_out(
        fig, x=say_plain("pictures.axis_width"), y=say_plain("pictures.axis_height"), height=360
    )
    line = {"color": NEUTRAL, "dash": "dot", "width": 1}
    fig.add_hline(y=side, line=line, annotation_text=say_plain("pictures.stored", side=side))
    fig.add_vline(x=side, line=line)
    fig.update_layout(showlegend=False)
    return fig.update_xaxes(rangemode="tozero").update_yaxes(rangemode="tozero")


def count_kinds(originals: pd.DataFrame) -> pd.DataFrame:
    """Formats and colour modes of the originals: ``format, mode, pictures``, the most frequent first."""
    return (
        originals.groupby(["format", "mode"]).size().rename("pictures").reset_index()
        .sort_values("pictures", ascending=False, kind="stable", ignore_index=True)
    )  # fmt: skip


def plot_kinds(kinds: pd.DataFrame) -> go.Figure:
    """One bar per format and mode."""
    names = [f"{row.format} · {row.mode}" for row in kinds.itertuples()]
    fig = go.Figure(
        go.Bar(
            x=kinds["pictures"], y=names, orientation="h", marker={"color": get_style(0).color},
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )  # fmt: skip
    lay_out(
        fig, x=say_plain("pictures.axis_pictures"), y="", height=max(180, 110 + 24 * len(kinds))
    )
    fig.update_layout(bargap=0.15, showlegend=False)
    return fig.update_yaxes(autorange="reversed", type="category")
