"""The one Plotly template: Okabe–Ito colours, light and dark, no chart junk."""

from dataclasses import dataclass

import plotly.graph_objects as go

PALETTE = (
    "#0072B2",  # blue
    "#E69F00",  # orange
    "#009E73",  # green
    "#D55E00",  # vermillion
    "#CC79A7",  # purple
    "#56B4E9",  # sky
    "#F0E442",  # yellow
    "#999999",  # grey
)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
ACCENT = PALETTE[0]
SEQUENTIAL = ("#f7fbff", "#c6dbef", "#6baed6", "#2171b5", "#08306b")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
CONFIG = {
    "showSendToCloud": False,
    "displaylogo": False,
    "responsive": True,
    "displayModeBar": "hover",
}
"""How every figure is shown: no upload button, no logo, its tools only under the pointer."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one of the two themes."""

    text: str
    muted: str
    grid: str
    line: str
    paper: str


LIGHT = Theme(text="#1f2933", muted="#52606d", grid="#e4e7eb", line="#9aa5b1", paper="#ffffff")
DARK = Theme(text="#e6e9ee", muted="#a7b1bd", grid="#323a45", line="#616e7c", paper="#0e1117")


def get_theme(*, dark: bool = False) -> Theme:
    """The light or the dark colours."""
    return DARK if dark else LIGHT


def build_template(*, dark: bool = False) -> go.layout.Template:
    """The template; paper and plot stay transparent so that the page's own ground shows."""
    theme = get_theme(dark=dark)
    axis = {
        "gridcolor": theme.grid,
        "linecolor": theme.line,
        "zerolinecolor": theme.line,
        "zerolinewidth": 1,
        "tickcolor": theme.line,
        "ticks": "outside",
        "ticklen": 4,
        "showline": True,
        "automargin": True,
        "title": {"font": {"size": 13, "color": theme.muted}, "standoff": 10},
        "tickfont": {"size": 12, "color": theme.muted},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": theme.text},
            "title": {"font": {"size": 15, "color": theme.text}, "x": 0, "xanchor": "left"},
            "colorway": list(PALETTE),
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 16, "r": 16, "t": 40, "b": 16},
            "xaxis": axis,
            "yaxis": axis,
            "colorscale": {"sequential": [[i / 4, c] for i, c in enumerate(SEQUENTIAL)]},
            "hoverlabel": {"font": {"family": FONT, "size": 12}},
            "legend": {
                "orientation": "h",
                "y": 1.02,
                "yanchor": "bottom",
                "x": 0,
                "title": "",
                "font": {"size": 12},
            },
            "modebar": {
                "bgcolor": "rgba(0,0,0,0)",
                "color": theme.muted,
                "activecolor": theme.text,
            },
            "separators": ".,",
        }
    )


def apply_template(figure: go.Figure, *, dark: bool = False) -> go.Figure:
    """The same figure in the product's look."""
    return figure.update_layout(template=build_template(dark=dark))
