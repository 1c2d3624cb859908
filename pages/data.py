"""The data page."""

from app.components.states import show_title

show_title("data", "…")
