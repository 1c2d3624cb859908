"""Which groups of pictures the audit compares, and which pictures stay together in one part."""

import streamlit as st

from app import choices, pictures, session
from app.components.setup_edit import keep_choice, pick_group
from app.wording import say, say_plain
from automl.data.dataset import Dataset, Role
from automl.data.setup import Setup

MANIFEST, COMPUTED = "sensitive", "sensitive_computed"  # keys of the two pickers


def pick_picture_roles(dataset: Dataset, setup: Setup) -> None:
    """Sensitive columns by where they come from, and the group column."""
    brought = [name for name in pictures.list_manifest(dataset) if name != setup.target]
    suggested = choices.suggest_setup(dataset).target
    left, right = st.columns(2, gap="medium")
    with left:
        _pick(dataset, setup, MANIFEST, brought)
        if not [name for name in brought if name != suggested]:
            st.caption(say("set.no_manifest"))
    with right:
        _pick(dataset, setup, COMPUTED, pictures.list_varying(dataset))
    st.caption(say("set.nothing_guessed"))
    if brought:
        left, _ = st.columns(2, gap="medium")
        with left:
            pick_group(dataset, setup, brought)


def _pick(dataset: Dataset, setup: Setup, key: str, names: list[str]) -> None:
    chosen = choices.list_with_role(setup, dataset, Role.SENSITIVE)
    session.put_widget(key, [name for name in chosen if name in names])
    st.multiselect(
        say(f"set.{key}_pictures"),
        names,
        key=key,
        placeholder=say_plain("set.sensitive_placeholder"),
        format_func=name_column,
        help=say(f"set.{key}_pictures_help"),
        select_all=False,
        on_change=lambda: keep_choice(
            dataset, key, lambda now, value: _with_some(now, dataset, names, value)
        ),
    )


def _with_some(setup: Setup, dataset: Dataset, names: list[str], chosen: list[str]) -> Setup:
    """Of ``names`` exactly the chosen are sensitive; columns of the other picker stay as they are."""
    others = [
        name for name in choices.list_with_role(setup, dataset, Role.SENSITIVE) if name not in names
    ]
    return choices.with_only(setup, dataset, Role.SENSITIVE, [*others, *chosen])


def name_column(name: str) -> str:
    """A computed column as people read it; others by their own name."""
    if not name.startswith(pictures.COMPUTED):
        return name
    return say_plain(f"computed.{name.removeprefix(pictures.COMPUTED)}")
