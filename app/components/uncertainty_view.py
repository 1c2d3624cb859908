"""The Uncertainty tab: sets or intervals of a stated coverage, and the queue of rows for people."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import audits, results
from app.components.address import bind_choice
from app.components.review_view import show_review
from app.components.sets_view import show_sets
from app.wording import say, say_plain
from automl.jobs.records import Job

VIEWS = ("sets", "review")


def show_uncertainty(job: Job, result: Mapping[str, Any]) -> None:
    """One of two views; values have intervals and no queue."""
    task = audits.read_task(job, result)
    if results.read_predictions(job.id) is None:
        st.info(say("uncertainty.no_predictions"))
        return
    if not task.classes:
        show_sets(job, result, task.classes)
        st.caption(say("review.none"))
        return
    keep = bind_choice("show", "uncertainty_view", VIEWS, VIEWS[0])
    view = st.segmented_control(
        say("uncertainty.view"), VIEWS, required=True, key="uncertainty_view", on_change=keep,
        format_func=lambda name: say_plain(f"uncertainty.view_{name}"), label_visibility="collapsed",
    )  # fmt: skip
    if view == "review":
        show_review(job, result, task.classes)
    else:
        show_sets(job, result, task.classes)
