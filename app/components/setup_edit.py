"""Keeping a choice as soon as it is made: the callbacks of every control that edits a ``Setup``."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import choices, services, session
from app.wording import say, say_plain
from automl.data.dataset import Dataset, Kind, Role
from automl.data.setup import KINDS_OF_ROLES, Setup
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
    _pick_one(dataset, setup, Role.GROUP, [name for name in names if _may_group(dataset, name)])


def pick_by_kind(dataset: Dataset, setup: Setup, names: list[str], role: Role) -> None:
    """The column that says when a row was, or how many cases it stands for; nothing where none can."""
    fitting = [name for name in names if _get_kind(dataset, setup, name) in KINDS_OF_ROLES[role]]
    if fitting:
        _pick_one(dataset, setup, role, fitting)


def _pick_one(dataset: Dataset, setup: Setup, role: Role, names: list[str]) -> None:
    """A select box for a role that one column at most has."""
    chosen, key = choices.list_with_role(setup, dataset, role), str(role)
    session.put_widget(key, chosen[0] if chosen else UNSET)
    st.selectbox(
        say(f"set.{key}"),
        (UNSET, *names, *(name for name in chosen[:1] if name not in names)),
        key=key,
        format_func=lambda value: value or say_plain(f"set.{key}_none"),
        help=say(f"set.{key}_help"),
        on_change=lambda: keep_choice(
            dataset,
            key,
            lambda now, value: choices.with_only(now, dataset, role, [value] if value else []),
        ),
    )


def _may_group(dataset: Dataset, name: str) -> bool:
    column = dataset.column(name)
    return column is not None and column.kind is not Kind.DATETIME and column.n_distinct > 1


def _get_kind(dataset: Dataset, setup: Setup, name: str) -> Kind | None:
    column = dataset.column(name)
    return None if column is None else choices.get_kind(setup, column)
