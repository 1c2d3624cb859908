"""What we found: each remark with what can be done about it."""

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from app.choices import (
    count_open,
    is_decided,
    sort_notes,
    with_kind,
    with_pictures,
    with_role,
    without_choice,
    without_pictures,
)
from app.components.picture_gallery import open_finding
from app.components.setup_edit import change_setup
from app.wording import escape, knows, say
from automl.data.dataset import Dataset, Kind, Note, Role
from automl.data.images.profile import DROP, DROPPABLE
from automl.data.setup import Setup

MAX_SHOWN = 5
_CHANGES: Mapping[str, Callable[[Setup, str], Setup]] = {
    "keep": lambda setup, name: with_role(setup, name, Role.FEATURE),
    "ignore": lambda setup, name: with_role(setup, name, Role.IGNORED),
    "sensitive": lambda setup, name: with_role(setup, name, Role.SENSITIVE),
    "group": lambda setup, name: with_role(setup, name, Role.GROUP),
    "weight": lambda setup, name: with_role(setup, name, Role.WEIGHT),
    "numeric": lambda setup, name: with_kind(setup, name, Kind.NUMERIC),
    "categorical": lambda setup, name: with_kind(setup, name, Kind.CATEGORICAL),
}


def show_notes(dataset: Dataset, setup: Setup, notes: tuple[Note, ...]) -> None:
    """The remarks, those that wait for an answer first; a few at once, the rest folded."""
    ordered = sort_notes(notes, setup)
    with st.container(key="found"):
        with st.container(horizontal=True, vertical_alignment="center", key="found_title"):
            st.header(say("set.found_heading"), anchor=False, width="content")
            n_open = count_open(ordered, setup)
            if n_open:
                key = "set.found_one" if n_open == 1 else "set.found_count"
                st.badge(say(key, count=n_open), color="orange")
        if not ordered:
            st.write(say("set.found_none"))
        for index, note in enumerate(ordered[:MAX_SHOWN]):
            _show_note(dataset, setup, note, index)
        rest = ordered[MAX_SHOWN:]
        if rest:
            with st.expander(
                say("set.found_more" if len(rest) > 1 else "set.found_more_one", count=len(rest)),
                key="found_more",
            ):
                for index, note in enumerate(rest, start=MAX_SHOWN):
                    _show_note(dataset, setup, note, index)


def _show_note(dataset: Dataset, setup: Setup, note: Note, index: int) -> None:
    sign = ":orange[▲]" if note.level == "warning" else ":gray[●]"
    with st.container(horizontal=True, vertical_alignment="center", key=f"note_{index}"):
        st.markdown(f"{sign} {escape(note.text)}", width="stretch")
        if dataset.images is not None and note.code in DROPPABLE:
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                _show_pictures_of(note, index)
                _answer_pictures(dataset, setup, note, index)
            return
        if not note.actions or not note.column:
            return
        if is_decided(setup, note):
            _show_decision(dataset, setup, note, index)
            return
        with st.container(horizontal=True, width="content"):  # its buttons wrap together
            for action in note.actions:
                if action in _CHANGES:
                    _show_action(dataset, note, action, index)


def _show_action(dataset: Dataset, note: Note, action: str, index: int) -> None:
    label = say(f"action.{action}") if knows(f"action.{action}") else escape(action)
    st.button(
        label,
        key=f"note_{index}_{action}",
        on_click=change_setup,
        args=(dataset.id, lambda setup: _CHANGES[action](setup, note.column)),
    )


def _show_pictures_of(note: Note, index: int) -> None:
    st.button(
        say("pictures.look"),
        key=f"note_{index}_look",
        type="tertiary",
        icon=":material/visibility:",
        on_click=open_finding,
        args=(note.code,),
    )


def _answer_pictures(dataset: Dataset, setup: Setup, note: Note, index: int) -> None:
    """Leave the pictures of a finding out of searches or keep them, and take that back."""
    if is_decided(setup, note):
        word = "dropped" if note.code in setup.drop_pictures else "kept_pictures"
        st.caption(f"✓ {say(f'action.{word}')}", width="content")
        st.button(
            say("action.undo"),
            key=f"note_{index}_undo",
            type="tertiary",
            on_click=change_setup,
            args=(dataset.id, lambda now: without_pictures(now, note.code)),
        )
        return
    for action in note.actions:
        st.button(
            say(f"action.{action}_pictures"),
            key=f"note_{index}_{action}",
            on_click=change_setup,
            args=(dataset.id, partial(with_pictures, code=note.code, dropped=action == DROP)),
        )


def _show_decision(dataset: Dataset, setup: Setup, note: Note, index: int) -> None:
    st.caption(f"✓ {_describe_decision(setup, note.column)}", width="content")
    if note.column != setup.target:
        st.button(
            say("action.undo"),
            key=f"note_{index}_undo",
            type="tertiary",
            on_click=change_setup,
            args=(dataset.id, lambda now: without_choice(now, note.column)),
        )


def _describe_decision(setup: Setup, name: str) -> str:
    if name == setup.target:
        return say("role.target")
    if name in setup.roles:
        return say(f"role.{setup.roles[name]}")
    return say(f"kind.{setup.kinds[name]}")
