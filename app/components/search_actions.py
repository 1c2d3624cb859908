"""What can be done with a search: stop, resume, delete, open its results."""

import streamlit as st

from app import navigation, services, session
from app.components.states import confirm, show_error
from app.wording import say
from automl.errors import DataError, SpecError
from automl.jobs.records import Job, JobState
from fairness.errors import FairloomError

REFUSALS = (DataError.__name__, SpecError.__name__)  # what was asked for has to change first


def show_actions(search: Job) -> None:
    """The buttons that fit the state; one of them is primary, and never one that destroys."""
    error = session.recall("search_error")
    if isinstance(error, FairloomError):
        session.forget("search_error")
        show_error(error)
    has_result = services.has_result(search.id)
    with st.container(horizontal=True, key="actions"):
        if search.state.is_active:
            _show_stop(search)
        else:
            _show_ended(search, has_result=has_result)
        if st.button(say("live.new"), key="new_search", icon=":material/add:"):
            session.set_open("search", None)
            st.rerun()
    if search.state in (JobState.STOPPED, JobState.FAILED):
        st.caption(say("live.resume_help"))


def _show_stop(search: Job) -> None:
    st.button(
        say("live.stop"),
        key="stop",
        icon=":material/stop:",
        disabled=search.stop_mode is not None,
        on_click=_run,
        args=("stop", search.id),
    )


def _show_ended(search: Job, *, has_result: bool) -> None:
    query = {"dataset": search.dataset, "search": search.id}
    if has_result:
        if st.button(say("live.results"), key="open_results", type="primary"):
            st.switch_page(navigation.get_file("results"), query_params=query)
        if services.has_audit(search.id) and st.button(say("live.audit"), key="open_audit"):
            st.switch_page(navigation.get_file("audit"), query_params=query)
    if search.state in (JobState.STOPPED, JobState.FAILED):
        is_refused = search.outcome is not None and search.outcome.kind in REFUSALS
        if is_refused and st.button(say("live.change"), key="change_data", type="primary"):
            st.switch_page(navigation.get_file("data"), query_params={"dataset": search.dataset})
        st.button(
            say("live.resume"),
            key="resume",
            icon=":material/play_arrow:",
            type="secondary" if has_result or is_refused else "primary",
            on_click=_run,
            args=("resume", search.id),
        )
    if st.button(say("live.delete"), key="delete", icon=":material/delete:"):
        confirm(
            say("live.delete_title"),
            say("live.delete_text", title=search.title, trials=services.count_trials(search.id)),
            say("live.delete_confirm"),
            lambda: _delete(search.id),
        )


def _delete(search_id: str) -> None:
    _run("delete", search_id)
    session.set_open("search", None)


def _run(action: str, search_id: str) -> None:
    """A callback: an error is kept for the run that follows, where it can be shown."""
    actions = {
        "stop": services.stop_search,
        "resume": services.resume_search,
        "delete": services.delete_search,
    }
    try:
        actions[action](search_id)
    except FairloomError as error:
        session.remember("search_error", error)
