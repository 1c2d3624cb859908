"""The audit's pictures: pure functions from a tidy frame to a Plotly figure."""

from collections.abc import Hashable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fairness.template import ACCENT, DASHES, PALETTE, SYMBOLS, apply_template, get_theme
from fairness.wording import escape_label, format_value, get_title, is_rate

ROW_HEIGHT = 30
MAX_SERIES = 6


def plot_group_rates(frame: pd.DataFrame, metric: str, *, dark: bool = False) -> go.Figure:
    """One dot with its interval per group; hollow dots rest on few cases; the dashed line is all rows."""
    theme = get_theme(dark=dark)
    names = frame["group"].tolist()
    known = frame[frame["value"].notna()]
    figure = go.Figure()
    for few, symbol in ((False, "circle"), (True, "circle-open")):
        part = known[known["few"] == few]
        if part.empty:
            continue
        figure.add_trace(
            go.Scatter(
                x=part["value"].tolist(),
                y=[names.index(name) for name in part["group"]],
                error_x=_build_bars(part),
                mode="markers",
                marker={"size": 10, "symbol": symbol, "color": ACCENT, "line": {"width": 2, "color": ACCENT}},
                name="few cases" if few else get_title(metric),
                customdata=[_describe_row(row, metric) for row in part.to_dict("records")],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )  # fmt: skip
    overall = frame.attrs.get("overall")
    if overall is not None:
        _add_reference(
            figure, float(overall), f"all rows {format_value(metric, overall)}", theme.muted
        )
    figure.update_yaxes(**_build_group_axis(names))
    figure.update_xaxes(**_build_axis(metric, known))
    figure.update_layout(
        height=_compute_height(len(frame)), showlegend=False, xaxis_title=get_title(metric)
    )
    return apply_template(figure, dark=dark)


def _build_bars(part: pd.DataFrame, scale: float = 1.0) -> dict[str, object]:
    high = scale * (part["high"].fillna(part["value"]) - part["value"])
    low = scale * (part["value"] - part["low"].fillna(part["value"]))
    return {
        "type": "data",
        "symmetric": False,
        "array": high.astype(float).tolist(),
        "arrayminus": low.astype(float).tolist(),
        "color": ACCENT,
        "thickness": 1.6,
        "width": 4,
    }


def _describe_row(row: dict[Hashable, Any], metric: str) -> str:
    text = f"<b>{escape_label(str(row['group']))}</b><br>{format_value(metric, row['value'])}"
    if pd.notna(row["low"]):
        text += f" [{format_value(metric, row['low'])}, {format_value(metric, row['high'])}]"
    if pd.notna(row["denominator"]):
        text += f"<br>{int(row['numerator']):,} of {int(row['denominator']):,}"
    return text + ("<br>few cases" if row["few"] else "")


def _add_reference(figure: go.Figure, at: float, text: str, color: str) -> None:
    figure.add_vline(
        x=at,
        line={"dash": "dash", "width": 1.2, "color": color},
        annotation={"text": text, "font": {"size": 11, "color": color}, "yshift": 2},
        annotation_position="top",
    )


def _build_axis(metric: str, known: pd.DataFrame) -> dict[str, object]:
    if not is_rate(metric):
        return {"rangemode": "normal"}
    ends = [*known["value"].tolist(), *known["high"].dropna().tolist()]
    return {"tickformat": ".0%", "range": [0, min(1.02, max(ends, default=1.0) * 1.08 + 0.01)]}


def _build_group_axis(names: list[str]) -> dict[str, object]:
    """Groups from top to bottom by position, so that equal shortened names stay apart."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [escape_label(name, 28) for name in names],
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        "zeroline": False,
    }


def _compute_height(n_rows: int) -> int:
    return 110 + ROW_HEIGHT * max(2, n_rows)


def plot_gaps(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Signed differences to the reference group, one panel per metric, zero in the middle of the eye."""
    theme = get_theme(dark=dark)
    titles = dict(zip(frame["metric"], frame["title"], strict=True))
    metrics = list(titles)
    groups = list(dict.fromkeys(frame["group"]))
    figure = make_subplots(
        rows=max(1, len(metrics)), cols=1, shared_xaxes=True, vertical_spacing=_compute_spacing(len(metrics), len(groups)),
        subplot_titles=[titles[metric] for metric in metrics] or None,
    )  # fmt: skip
    for place, metric in enumerate(metrics, start=1):
        part = frame[(frame["metric"] == metric) & frame["value"].notna()]
        figure.add_trace(_build_gap_trace(part, groups), row=place, col=1)
        figure.add_vline(x=0, line={"width": 1.2, "color": theme.line}, row=place, col=1)
    figure.update_yaxes(**_build_group_axis(groups))
    figure.update_xaxes(zeroline=False)
    reference = escape_label(str(frame.attrs.get("reference", "the reference")), 40)
    figure.update_xaxes(title=f"Difference to {reference}, points", row=max(1, len(metrics)), col=1)
    figure.update_annotations(font_size=12, x=0, xanchor="left")
    height = 100 + len(metrics) * (44 + 24 * max(1, len(groups)))
    return apply_template(figure.update_layout(height=height, showlegend=False), dark=dark)


def _compute_gap_height(n_metrics: int, n_groups: int) -> int:
    return 100 + n_metrics * (52 + 24 * max(1, n_groups))


def _compute_spacing(n_metrics: int, n_groups: int) -> float:
    """Room for a panel's title, about 34 pixels, as a share of the figure."""
    return min(0.5 / max(2, n_metrics), 34 / _compute_gap_height(n_metrics, n_groups))


def _build_gap_trace(part: pd.DataFrame, names: list[str]) -> go.Scatter:
    hover = [
        f"<b>{escape_label(str(row['group']))}</b> − {escape_label(str(row['reference']))}"
        f"<br>{100 * row['value']:+.1f} points"
        + (f" [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]" if pd.notna(row["low"]) else "")
        + ("<br>few cases" if row["few"] else "")
        for row in part.to_dict("records")
    ]
    return go.Scatter(
        x=(100 * part["value"]).tolist(),
        y=[names.index(name) for name in part["group"]],
        error_x=_build_bars(part, scale=100),
        mode="markers",
        marker={
            "size": 9,
            "color": ACCENT,
            "symbol": ["diamond-open" if few else "diamond" for few in part["few"]],
            "line": {"width": 2, "color": ACCENT},
        },
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def plot_group_reliability(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Observed rate against mean score, 15 equal-mass bins per group, at most six groups."""
    theme = get_theme(dark=dark)
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": theme.line, "dash": "dash", "width": 1.2},
        )
    )  # fmt: skip
    for place, group in enumerate(list(dict.fromkeys(frame["group"]))[:MAX_SERIES]):
        part = frame[frame["group"] == group]
        color = PALETTE[place % len(PALETTE)]
        figure.add_trace(
            go.Scatter(
                x=part["mean_score"].tolist(),
                y=part["observed"].tolist(),
                error_y={
                    "type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": color,
                    "array": (part["high"] - part["observed"]).tolist(),
                    "arrayminus": (part["observed"] - part["low"]).tolist(),
                },
                mode="lines+markers",
                name=escape_label(str(group), 28),
                line={"color": color, "width": 1.6, "dash": DASHES[place % len(DASHES)]},
                marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 7},
                customdata=part["n"].tolist(),
                hovertemplate="score %{x:.2f}, observed %{y:.2f}, n = %{customdata}",
            )
        )  # fmt: skip
    figure.update_xaxes(range=[-0.02, 1.02], title="Mean score")
    figure.update_yaxes(range=[-0.02, 1.02], title="Observed share of positives")
    figure.update_layout(height=430)
    return apply_template(figure, dark=dark)
