"""Quantile coverage: does a share τ of the truths lie below the quantile τ?"""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_percent
from automl.figures.style import NEUTRAL, get_style, lay_out


def plot_quantile_coverage(frame: pd.DataFrame) -> go.Figure:
    """Observed share by ``level`` with its 95 % interval, and the range of a calibrated forecast as a grey band."""
    style = get_style(0)
    fig = go.Figure()
    fig.add_trace(
        go.Scatter(
            x=[*frame["level"], *frame["level"][::-1]],
            y=[*frame["expected_low"], *frame["expected_high"][::-1]],
            mode="lines", fill="toself", name="calibrated, 95 % range", hoverinfo="skip",
            line={"color": NEUTRAL, "width": 0.5}, fillcolor="rgba(128, 128, 128, 0.25)",
        )
    )  # fmt: skip
    fig.add_trace(
        go.Scatter(
            x=frame["level"], y=frame["observed"], mode="markers", name="observed, 95 % intervals",
            marker={"color": style.color, "symbol": style.symbol, "size": 8},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1.5, "width": 3,
                "array": frame["high"] - frame["observed"],
                "arrayminus": frame["observed"] - frame["low"],
            },
            hovertemplate="quantile %{x:.2f}<br>observed %{y:.3f}",
        )
    )  # fmt: skip
    lay_out(fig, x="Quantile", y="Share of the truths below", height=380)
    return fig.update_xaxes(range=[0, 1]).update_yaxes(range=[-0.02, 1.02])


def describe_quantile_coverage(frame: pd.DataFrame) -> str:
    """How many quantiles lie in their range, and the widest miss."""
    inside = (frame["expected_low"] <= frame["observed"]) & (frame["observed"] <= frame["expected_high"])  # fmt: skip
    far = frame.iloc[int((frame["observed"] - frame["level"]).abs().to_numpy().argmax())]
    return (
        f"{int(inside.sum())} of {len(frame)} quantiles cover a share within the 95 % range of a calibrated forecast; "
        f"farthest at the {render_percent(float(far['level']))} quantile, below which "
        f"{render_percent(float(far['observed']))} lie (n = {int(far['n']):,})."
    )
