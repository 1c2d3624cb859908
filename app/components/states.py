"""What a page shows when it has little to show: state signs, empty places, errors, confirmations."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from app import navigation
from app.wording import escape, say, say_plain
from automl.jobs.records import JobState, TrialState
from fairness.errors import FairloomError

Colour = Literal["blue", "gray", "green", "orange", "red"]

# a word and a shape; colour comes third
SHAPES: dict[str, str] = {
    "queued": "◐",
    "running": "●",
    "succeeded": "✓",
    "stopped": "■",
    "failed": "▲",
    "waiting": "◐",
    "complete": "✓",
    "pruned": "◇",
}
_COLOURS: dict[str, Colour] = {
    "queued": "gray",
    "running": "blue",
    "succeeded": "green",
    "stopped": "gray",
    "failed": "orange",
}


def render_state(state: JobState | TrialState) -> str:
    """Shape and word, for tables and sentences: ``● running``."""
    prefix = "trial" if isinstance(state, TrialState) else "state"
    return f"{SHAPES[state.value]} {say_plain(f'{prefix}.{state.value}')}"


def show_state(state: JobState) -> None:
    """The sign of a job's state."""
    st.badge(render_state(state), color=_COLOURS[state.value])


def show_title(title: str, question: str) -> None:
    """A page's title and the one grey sentence that says what it answers."""
    st.title(title, anchor=False)
    st.caption(question)


def show_empty(title: str, text: str, *, page: str = "", label: str = "") -> None:
    """An empty place: what would be here, why it is not, and one button to get there.

    ``page`` is a name of ``navigation.PLACES``; without it there is no button.
    """
    with st.container(border=True, key=f"empty_{page or 'place'}"):
        st.header(title, anchor=False)
        st.write(text)
        if page and st.button(label or say(f"nav.{page}"), key=f"go_{page}", type="primary"):
            st.switch_page(navigation.get_file(page), query_params=read_query())


def show_error(error: FairloomError) -> None:
    """What was wrong and what to do, in plain text that no file name can dress up."""
    text = escape(error.message)
    if error.hint:
        text += f"\n\n**{escape(error.hint)}**"
    st.error(text, icon=":material/error:")


def confirm(title: str, text: str, label: str, on_confirm: Callable[[], None]) -> None:
    """Open a dialog that names what will be lost; ``on_confirm`` runs when the person agrees."""

    @st.dialog(title)
    def ask() -> None:
        st.write(text)
        keep, go = st.columns(2)
        if keep.button(say("confirm.cancel"), key="delete_keep", width="stretch"):
            st.rerun()
        if go.button(label, key="delete_confirm", width="stretch", on_click=on_confirm):
            st.rerun()

    ask()


def read_query() -> dict[str, str]:
    """The address' query, to be handed on when moving to another page."""
    return {name: st.query_params[name] for name in st.query_params}
