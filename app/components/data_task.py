"""What should be predicted, what counts as good, and which columns the audit looks at."""

from dataclasses import replace
from typing import Any

import streamlit as st

from app import choices, navigation, session
from app.components.setup_edit import change_setup
from app.components.states import show_error
from app.wording import say, say_plain
from automl.data.dataset import Dataset, Kind, Role
from automl.data.setup import Setup
from automl.data.task import Task, TaskType
from fairness.errors import FairloomError

UNSET = ""  # a choice like any other: a select box shows None as nothing chosen


def edit_task(
    dataset: Dataset, setup: Setup, task: Task | None, error: FairloomError | None
) -> None:
    """The form of the task; every choice is kept at once and can be changed until the search starts."""
    with st.container(border=True, key="task"):
        st.header(say("set.task_heading"), anchor=False)
        left, right = st.columns(2, gap="medium")
        with left:
            _pick_target(dataset, setup)
        with right:
            if setup.target is not None:
                _pick_type(dataset, setup, task)
        if setup.target is None:
            st.caption(say("set.target_first"))
        if error is not None:
            show_error(error)
        if task is not None:
            st.caption(say("set.reason", type=say_plain(f"type.{task.type}"), reason=task.reason))
            if task.type is TaskType.BINARY:
                _pick_outcomes(dataset, task)
        if setup.target is not None:
            _pick_roles(dataset, setup)
        if st.button(
            say("set.continue"),
            key="continue",
            type="primary",
            icon=":material/arrow_forward:",
            icon_position="right",
            disabled=task is None,
        ):
            session.set_open("search", None)
            st.switch_page(navigation.get_file("search"), query_params={"dataset": dataset.id})


def _pick_target(dataset: Dataset, setup: Setup) -> None:
    names = [column.name for column in dataset.columns]
    # never empty for Streamlit: an empty one is cleared again by the Escape key
    session.put_widget("target", setup.target if setup.target in names else UNSET)
    st.selectbox(
        say("set.target"),
        (UNSET, *names),
        key="target",
        format_func=lambda value: value or say_plain("set.target_placeholder"),
        help=say("set.target_help"),
        on_change=lambda: _keep(
            dataset, "target", lambda setup, value: choices.with_target(setup, value or None)
        ),
    )


def _pick_type(dataset: Dataset, setup: Setup, task: Task | None) -> None:
    session.put_widget("task_type", task.type if task else setup.task_type)
    st.segmented_control(
        say("set.type"),
        list(TaskType),
        key="task_type",
        format_func=lambda kind: say(f"type.{kind}"),
        help=say("set.type_help"),
        on_change=lambda: _keep(dataset, "task_type", choices.with_task_type),
    )


def _pick_outcomes(dataset: Dataset, task: Task) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        session.put_widget("positive", task.positive)
        st.selectbox(
            say("set.positive"),
            task.classes,
            key="positive",
            help=say("set.positive_help"),
            on_change=lambda: _keep(
                dataset, "positive", lambda setup, value: replace(setup, positive=value)
            ),
        )
    with right:
        session.put_widget("beneficial", task.beneficial or UNSET)
        st.selectbox(
            say("set.beneficial"),
            (UNSET, *task.classes),
            key="beneficial",
            format_func=lambda value: value or say_plain("set.beneficial_unset"),
            help=say("set.beneficial_help"),
            on_change=lambda: _keep(
                dataset, "beneficial", lambda setup, value: replace(setup, beneficial=value or None)
            ),
        )


def _pick_roles(dataset: Dataset, setup: Setup) -> None:
    left, right = st.columns(2, gap="medium")
    names = [column.name for column in dataset.columns if column.name != setup.target]
    sensitive = choices.list_with_role(setup, dataset, Role.SENSITIVE)
    with left:
        session.put_widget("sensitive", sensitive)
        st.multiselect(
            say("set.sensitive"),
            names,
            key="sensitive",
            placeholder=say_plain("set.sensitive_placeholder"),
            help=say("set.sensitive_help"),
            select_all=False,
            on_change=lambda: _keep(
                dataset,
                "sensitive",
                lambda now, value: choices.with_only(now, dataset, Role.SENSITIVE, value),
            ),
        )
        if sensitive:
            _pick_inputs(dataset, setup)
    with right:
        group = choices.list_with_role(setup, dataset, Role.GROUP)
        session.put_widget("group", group[0] if group else UNSET)
        st.selectbox(
            say("set.group"),
            (UNSET, *(name for name in names if _may_group(dataset, name))),
            key="group",
            format_func=lambda value: value or say_plain("set.group_none"),
            help=say("set.group_help"),
            on_change=lambda: _keep(
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


def _pick_inputs(dataset: Dataset, setup: Setup) -> None:
    session.put_widget("sensitive_inputs", bool(setup.inputs))
    st.toggle(
        say("set.inputs"),
        key="sensitive_inputs",
        help=say("set.inputs_help"),
        on_change=lambda: _keep(
            dataset,
            "sensitive_inputs",
            lambda now, value: choices.with_inputs(now, dataset, are_inputs=value),
        ),
    )
    if not setup.inputs:
        st.caption(say("set.inputs_off"))


def _keep(dataset: Dataset, key: str, change: Any) -> None:
    """A control's callback: its new value goes into the saved choices."""
    value = session.recall(key)
    change_setup(dataset.id, lambda setup: change(setup, value))
