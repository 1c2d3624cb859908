"""The Errors tab: where the model errs, row by row, and what may be wrong with the labels."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import error_rows, session
from app.components.error_browser import show_rows
from app.components.error_map_view import show_map
from app.components.error_repeats_view import show_repeats
from app.components.error_slices_view import show_slices
from app.components.label_errors_view import show_labels
from app.wording import say, say_plain
from automl.jobs.records import Job

VIEWS = ("slices", "rows", "labels", "map")
VIEW = "errors_view"


def show_errors(job: Job, result: Mapping[str, Any]) -> None:
    """One of the views of a finished search's errors."""
    found = error_rows.read_error_rows(job, result)
    if found is None:
        st.info(say("mistakes.none"))
        return
    if session.recall(VIEW) not in VIEWS:
        session.put_widget(VIEW, VIEWS[0])
    view = st.segmented_control(
        say("mistakes.view"), VIEWS, required=True, key=VIEW, label_visibility="collapsed",
        format_func=lambda name: say_plain(f"mistakes.view_{name}"),
    )  # fmt: skip
    if found.dataset is None:
        st.caption(say("mistakes.gone"))
    if (result.get("protocol") or {}).get("weight"):
        st.caption(say("mistakes.weights"))
    if view == "slices":
        show_slices(found)
        show_repeats(found, result)
    elif view == "rows":
        show_rows(found)
    elif view == "labels":
        show_labels(found)
    else:
        show_map(found)
