"""Pictures of an audit of several classes: one rate of every class in every group."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fairness.template import apply_template
from fairness.wording import escape_label, format_percent

MAX_WRITTEN = 12  # more classes or groups than this leave no room for numbers in the cells
RAMP = [[0.0, "#eef4f9"], [1.0, "#6baed6"]]  # one hue, opaque, so light that INK reads on all of it
INK = "#102a43"


def plot_class_rates(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Classes down, groups across, from ``build_class_frame``; darker is more, ◇ rests on few cases."""
    classes, groups = (list(dict.fromkeys(frame[name])) for name in ("class", "group"))
    shape = (len(classes), len(groups))
    values = frame["value"].astype(float).to_numpy().reshape(shape[::-1]).T
    texts = np.array([_write(row) for row in frame.to_dict("records")], dtype=object)
    hover = np.array([_describe(row) for row in frame.to_dict("records")], dtype=object)
    is_written = max(shape) <= MAX_WRITTEN
    figure = go.Figure(
        go.Heatmap(
            z=values, x=list(range(shape[1])), y=list(range(shape[0])), zmin=0, zmax=1,
            colorscale=RAMP, showscale=False, xgap=2, ygap=2,
            textfont={"color": INK}, hoverongaps=True,
            text=texts.reshape(shape[::-1]).T if is_written else None,
            texttemplate="%{text}" if is_written else None,
            customdata=hover.reshape(shape[::-1]).T,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )  # fmt: skip
    ticks = {"tickmode": "array", "showgrid": False, "zeroline": False}
    figure.update_xaxes(
        **ticks, tickvals=list(range(shape[1])), ticktext=[escape_label(name, 24) for name in groups],
        title=escape_label(str(frame.attrs.get("attribute", ""))),
    )  # fmt: skip
    figure.update_yaxes(
        **ticks, tickvals=list(range(shape[0])), ticktext=[escape_label(name, 20) for name in classes],
        autorange="reversed",
    )  # fmt: skip
    figure.update_layout(
        height=min(900, 130 + 40 * shape[0]), margin={"l": 16, "r": 16, "t": 16, "b": 48}
    )
    return apply_template(figure, dark=dark)


def _write(row: dict[Hashable, Any]) -> str:
    if pd.isna(row["value"]):
        return "–"
    return f"{format_percent(row['value'], 0)}{' ◇' if row['few'] else ''}"


def _describe(row: dict[Hashable, Any]) -> str:
    name = f"<b>{escape_label(str(row['class']))}</b>, {escape_label(str(row['group']))}"
    if pd.isna(row["value"]):
        return f"{name}<br>not estimable: {row['reason']}"
    counts = f"{int(row['numerator']):,} of {int(row['denominator']):,}"
    text = f"{name}<br>{format_percent(row['value'])} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
    return f"{text}<br>{counts}{'<br>few cases' if row['few'] else ''}"
