"""Which settings decided how good a trial was: bars with intervals."""

import pandas as pd
import plotly.graph_objects as go

from automl.figures.style import COLORS, NEUTRAL, label, lay_out

MOST_BARS = 12
ROW_HEIGHT = 26
LINE_HEIGHT = 8  # more, where names have two lines
LONGEST_LINE = 22  # characters of a name, so that a phone has room for the bars


def plot_importance(frame: pd.DataFrame) -> go.Figure:
    """One bar per setting, the most important on top; columns ``label, share, low, high, n``.

    Shares of one family, 0..1. At most 12 are drawn.
    """
    shown = frame.nlargest(MOST_BARS, "share").iloc[::-1]
    names = [_break(label(name, 40)) for name in shown["label"]]
    fig = go.Figure(
        go.Bar(
            x=100 * shown["share"], y=names, orientation="h", marker={"color": COLORS[0]},
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.2, "color": NEUTRAL,
                "array": 100 * (shown["high"] - shown["share"]),
                "arrayminus": 100 * (shown["share"] - shown["low"]),
            },
            customdata=shown[["low", "high", "n"]].assign(low=100 * shown["low"], high=100 * shown["high"]),
            hovertemplate="%{y}: %{x:.1f} % [%{customdata[0]:.1f}, %{customdata[1]:.1f}], "
            "n = %{customdata[2]} trials<extra></extra>",
        )
    )  # fmt: skip
    row_height = ROW_HEIGHT + (LINE_HEIGHT if any("<br>" in name for name in names) else 0)
    lay_out(fig, x="Share, %", y="", height=120 + row_height * len(shown))
    return fig.update_xaxes(range=[0, max(5.0, 105 * float(shown["high"].max()))])


def _break(name: str) -> str:
    """A long name with dots over two lines."""
    return name if len(name) <= LONGEST_LINE else name.replace(".", "<br>.", 1)


def describe_importance(frame: pd.DataFrame) -> str:
    """The leading settings with their intervals, and how far that may be trusted."""
    if frame.empty or not frame["share"].any():
        return "No setting tells the best trials from the others."
    parts = [
        f"{row['label']} {100 * row['share']:.0f} % [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"
        for row in frame.nlargest(2, "share").to_dict("records")
    ]
    n = int(frame["n"].iloc[0])
    cut = f" The first {MOST_BARS} of {len(frame)} are drawn." if len(frame) > MOST_BARS else ""
    return (
        f"Where the best tenth (at least five) of n = {n:,} trials lies, against all of them: {' and '.join(parts)} "
        "set it apart most (PED-ANOVA; 95 % intervals over resampled trials). It speaks of this search's "
        f"trials, not of cause.{cut}"
    )
