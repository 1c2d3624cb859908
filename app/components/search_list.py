"""Searches that run or have run."""

import streamlit as st

from app import navigation, services
from app.components.numbers import format_estimate, format_when
from app.components.states import render_state
from app.live import get_metric_title
from app.wording import escape, say
from automl.jobs.records import Job

MAX_SHOWN = 30


def show_searches(dataset: str | None) -> None:
    """The newest searches, of one data set where one is open."""
    st.header(say("search.list_dataset" if dataset else "search.list_heading"), anchor=False)
    jobs = services.list_searches(dataset, limit=MAX_SHOWN)
    if not jobs:
        st.caption(say("search.list_empty"))
        return
    with st.container(key="searches"):
        for job in jobs:
            _show_row(job)
    done = [job for job in jobs if not job.state.is_active and services.has_result(job.id)]
    if done:
        _show_done(done, dataset)


def _show_done(done: list[Job], dataset: str | None) -> None:
    """The ways on from searches that have ended; charts are imported only where they are drawn."""
    from app.comparison import list_comparable
    from app.components.comparison_view import open_comparison
    from app.components.run_history import show_run_history

    if len(done) > 1 and st.button(
        say("compare.open_several"), key="compare_searches", icon=":material/compare_arrows:"
    ):
        open_comparison([job.id for job in done[:2]])
    if dataset:
        show_run_history(list_comparable(dataset))


def _show_row(job: Job) -> None:
    name, state, best, when = st.columns([5, 2, 4, 2], vertical_alignment="center")
    name.page_link(
        navigation.get_file("search"),
        label=escape(job.title),
        icon=":material/search:",
        query_params={"dataset": job.dataset, "search": job.id},
    )
    state.write(render_state(job.state))
    best.write(_describe_best(job))
    when.write(format_when(job.created_at))


def _describe_best(job: Job) -> str:
    best = job.progress.get("best")
    if not best:
        return "–"
    value = format_estimate(best.get("value"), best.get("low"), best.get("high"))
    return f"{escape(get_metric_title(str(best.get('metric', ''))))} {escape(value)}"
