"""Keeping a choice as soon as it is made: the callbacks of every control that edits a ``Setup``."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import choices, services, session
from app.wording import say, say_plain
from automl.data.dataset import Dataset, Kind, Role
from automl.data.setup import Setup
from fairness.errors import FairloomError

UNSET = ""  # a choice like any other: a select box shows None as nothing chosen


def change_setup(dataset_id: str, change: Callable[[Setup], Setup]) -> None:
    """Apply a change to the saved choices, read anew, so that a second tab's choices are kept.

    Runs in a widget's callback: an error waits for the run that follows, where it can be shown.
    """
    try:
        services.write_setup(dataset_id, change(services.read_setup(dataset_id)))
    except FairloomError as error:
        session.remember("setup_error", error)


def keep_choice(dataset: Dataset, key: str, change: Any) -> None:
    """A control's callback: its new value goes into the saved choices."""
    value = session.recall(key)
    change_setup(dataset.id, lambda setup: change(setup, value))


def pick_group(dataset: Dataset, setup: Setup, names: list[str]) -> None:
    """The column whose equal values stay in one part of the split."""
    group = choices.list_with_role(setup, dataset, Role.GROUP)
    session.put_widget("group", group[0] if group else UNSET)
    st.selectbox(
        say("set.group"),
        (UNSET, *(name for name in names if _may_group(dataset, name))),
        key="group",
        format_func=lambda value: value or say_plain("set.group_none"),
        help=say("set.group_help"),
        on_change=lambda: keep_choice(
            dataset,
            "group",
            lambda now, value: choices.with_only(
                now, dataset, Role.GROUP, [value] if value else []
            ),
        ),
    )


def _may_group(dataset: Dataset, name: str) -> bool:
    column = dataset.column(name)
    return column is not None and column.kind is not Kind.DATETIME and column.n_distinct > 1
