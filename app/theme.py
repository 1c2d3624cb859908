"""Colours, pictures and the one style sheet of the interface, and the question whether it is dark."""

from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).resolve().parent / "components" / "assets"
LOGO = _ASSETS / "logo.svg"
ICON = _ASSETS / "icon.png"
STYLE = _ASSETS / "style.css"

ACCENT = "#0072B2"
OKABE_ITO = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#999999",
)


def is_dark() -> bool:
    """True when the browser shows the dark theme; light until it says so."""
    return bool(st.context.theme.type == "dark")
