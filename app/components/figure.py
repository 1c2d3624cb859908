"""One chart as every page shows it: picture, one sentence, the table behind it, and its CSV."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app import session
from app.theme import is_dark
from app.wording import escape, say
from fairness.cells import neutralise_text
from fairness.template import CONFIG, apply_template

CHART_CONFIG = {
    **CONFIG,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
FORMATS = ("SVG", "PNG")  # what the camera of the toolbar saves
MAX_TABLE_ROWS = 2_000  # a longer table is cut on the page, never in the CSV


def render_csv(frame: pd.DataFrame) -> str:
    """The frame as CSV; text that a spreadsheet would run as a formula is prefixed with ``'``."""
    safe = frame.copy()
    for position in range(safe.shape[1]):
        column = safe.iloc[:, position]
        if not pd.api.types.is_numeric_dtype(column):
            safe.isetitem(position, column.map(_neutralise))
    safe.columns = [neutralise_text(str(name)) for name in safe.columns]
    return safe.to_csv(index=False)


def _neutralise(value: object) -> object:
    return neutralise_text(value) if isinstance(value, str) else value


def show_figure(
    fig: go.Figure,
    *,
    key: str,
    alt: str,
    sentence: str,
    frame: pd.DataFrame,
    title: str = "",
    is_pickable: bool = False,
) -> Any:
    """Draw ``fig`` with what look.md asks of every chart; of a pickable one, what is selected.

    ``alt`` says what the picture is (read aloud), ``sentence`` what it shows in numbers, ``frame`` is the
    tidy frame it was drawn from. ``key`` is stable; the table has ``<key>_table``, the download
    ``<key>_csv``, the choice between SVG and PNG ``<key>_format``.
    """
    with st.container(key=f"{key}_figure"):
        if title:
            st.markdown(f"#### {escape(title)}")
        event = st.plotly_chart(
            apply_template(fig, dark=is_dark()),
            key=key, alt=alt, theme=None, config=_build_config(key), width="stretch",
            on_select="rerun" if is_pickable else "ignore", selection_mode="points",
        )  # fmt: skip
        st.caption(escape(sentence))
        with st.expander("Table", key=f"{key}_expander"):
            st.dataframe(
                frame.head(MAX_TABLE_ROWS), key=f"{key}_table", hide_index=True, alt=f"Table: {alt}"
            )
            if len(frame) > MAX_TABLE_ROWS:
                st.caption(f"First {MAX_TABLE_ROWS:,} of {len(frame):,} rows; the CSV has all.")
            with st.container(horizontal=True, vertical_alignment="bottom"):
                show_csv(frame, key=key)
                st.segmented_control(
                    say("figure.format"),
                    FORMATS,
                    default=FORMATS[0],
                    required=True,
                    key=f"{key}_format",
                )
    return event if is_pickable else None


def _build_config(key: str) -> dict[str, Any]:
    """The toolbar, which saves a file of that name in the format that was chosen under the chart."""
    chosen = str(session.recall(f"{key}_format") or FORMATS[0])
    return {**CHART_CONFIG, "toImageButtonOptions": {"format": chosen.lower(), "filename": key}}


def show_csv(frame: pd.DataFrame | Callable[[], pd.DataFrame], *, key: str) -> None:
    """The button ``<key>_csv`` that downloads the whole frame; a large one may be built when it is pressed."""

    def render() -> bytes:
        return render_csv(frame() if callable(frame) else frame).encode()

    st.download_button(
        "Download CSV", data=render, file_name=f"{key}.csv",
        mime="text/csv", key=f"{key}_csv", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
