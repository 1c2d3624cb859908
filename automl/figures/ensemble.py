"""Who is in an ensemble, and how much each says: plain bars."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.style import COLORS, label, lay_out

ROW_HEIGHT = 30


def plot_ensemble(frame: pd.DataFrame) -> go.Figure:
    """One bar per model, the heaviest on top; columns ``name, weight, family``. Weights sum to 1."""
    shown = frame.iloc[::-1]
    fig = go.Figure(
        go.Bar(
            x=100 * shown["weight"], y=[label(name, 40) for name in shown["name"]], orientation="h",
            marker={"color": COLORS[0]}, customdata=shown[["family"]],
            text=[f"{100 * weight:.0f} %" for weight in shown["weight"]], textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y} (%{customdata[0]}): %{x:.1f} %<extra></extra>",
        )
    )  # fmt: skip
    lay_out(fig, x="Weight in the mean, %", y="", height=120 + ROW_HEIGHT * len(shown))
    return fig.update_xaxes(range=[0, 115 * float(shown["weight"].max())])


def describe_ensemble_weights(frame: pd.DataFrame) -> str:
    """How many models of how many families, and the heaviest."""
    n_families = frame["family"].nunique()
    families = "one family" if n_families == 1 else f"{n_families} families"
    first = frame.iloc[0]
    return (
        f"{len(frame)} models of {families}; {first['name']} says most, "
        f"{100 * float(first['weight']):.0f} % of the mean."
    )
