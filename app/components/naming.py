"""The name and the note of a search, and the form that changes them."""

import streamlit as st

from app import services, session
from app.components.states import show_error
from app.wording import say
from automl.jobs.records import Job
from automl.jobs.requests import MOST_NOTE, MOST_TITLE
from fairness.errors import FairloomError


def show_note(search: Job) -> None:
    """What a person wrote about the search, as plain text."""
    if search.note:
        st.text(search.note, width="stretch")


def show_naming(search: Job) -> None:
    """A folded form; the new name stands in every list from then on."""
    said = session.recall("naming_said")
    if said is not None:
        session.forget("naming_said")
        if isinstance(said, FairloomError):
            show_error(said)
        else:
            st.toast(said)
    with (
        st.expander(say("naming.heading"), key="naming", icon=":material/edit:"),
        st.form(f"naming_form_{search.id[:12]}", border=False),
    ):
        title = st.text_input(
            say("naming.title"),
            value=search.title,
            max_chars=MOST_TITLE,
            key=f"name_{search.id[:12]}",
        )
        note = st.text_area(
            say("naming.note"), value=search.note, max_chars=MOST_NOTE, key=f"note_{search.id[:12]}",
            help=say("naming.note_help"), height=96,
        )  # fmt: skip
        if st.form_submit_button(say("naming.save"), key="naming_save"):
            _save(search, title, note)
            st.rerun()


def _save(search: Job, title: str, note: str) -> None:
    """What came of it is kept for the run that follows, which shows the new name everywhere."""
    try:
        services.describe_search(search.id, title, note)
        session.remember("naming_said", say("naming.saved"))
    except FairloomError as error:
        session.remember("naming_said", error)
