"""The search page."""

from app.components.states import show_title

show_title("search", "…")
