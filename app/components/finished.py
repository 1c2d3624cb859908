"""What Results and Audit need first: a search that is open and has a result; else the way there."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import navigation, results, services, session
from app.components.numbers import format_when
from app.components.states import read_query, render_state, show_empty, show_error
from app.wording import say, say_plain
from automl.errors import AutoMLError
from automl.jobs.records import Job, JobState

MAX_OFFERED = 50


def require_result() -> tuple[Job, Mapping[str, Any]]:
    """The open search with its result; otherwise say what is missing and stop the page."""
    search_id = session.get_open("search")
    job = services.read_search(search_id) if search_id else None
    if job is None:
        _show_choice()
        st.stop()
    result = None if job.state.is_active else results.read_result(job.id)
    if result is None:
        _show_absence(job)
        st.stop()
    return job, result


def open_page(name: str) -> None:
    """Go to another page with what is open."""
    st.switch_page(navigation.get_file(name), query_params=read_query())


def _show_choice() -> None:
    """No search is open: offer those with a result, newest first."""
    done = {
        job.id: f"{job.title} · {format_when(job.finished_at)}"
        for job in services.list_searches(limit=MAX_OFFERED)
        if not job.state.is_active and results.read_result(job.id) is not None
    }
    if not done:
        show_empty(
            say("results.none_title"),
            say("results.none_text"),
            page="data",
            label=say("search.empty_button"),
        )
        return
    st.write(say("results.none_text"))
    if len(done) > 1 and st.button(
        say("compare.open_several"), key="compare_searches", icon=":material/compare_arrows:"
    ):
        session.set_view(compare=",".join(list(done)[:2]))
        st.rerun()
    picked = st.selectbox(
        say("results.pick"),
        list(done),
        index=None,
        format_func=lambda key: done[key],
        placeholder=say_plain("results.pick_hint"),
        key="pick_search",
    )
    if picked is not None:
        job = services.read_search(picked)
        session.open_search(picked, job.dataset if job else None)
        st.rerun()


def _show_absence(job: Job) -> None:
    state = render_state(job.state)
    if job.state.is_active:
        text = say("results.active_text", title=job.title, state=state)
        show_empty(say("results.active_title"), text, page="search", label=say("results.to_search"))
        return
    if job.state is JobState.FAILED and job.outcome is not None:
        show_error(AutoMLError(job.outcome.message, hint=job.outcome.hint))
    text = say("results.gone_text", title=job.title, state=state)
    show_empty(say("results.failed_title"), text, page="search", label=say("results.to_search"))
