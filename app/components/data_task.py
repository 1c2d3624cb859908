"""What should be predicted, what counts as good, and which columns the audit looks at."""

from dataclasses import replace

import streamlit as st

from app import choices, navigation, pictures, session
from app.components.picture_roles import pick_picture_roles
from app.components.setup_edit import UNSET, keep_choice, pick_by_kind, pick_group
from app.components.states import show_error
from app.wording import say, say_plain
from automl.data.dataset import Dataset, Role
from automl.data.setup import MAX_CLASSES, Setup
from automl.data.task import Task, TaskType
from fairness.errors import FairloomError


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
        if setup.target is not None and dataset.images is None:
            _pick_roles(dataset, setup)
        elif setup.target is not None:
            pick_picture_roles(dataset, setup)
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
    names = list_targets(dataset, setup)
    of_pictures = dataset.images is not None
    # never empty for Streamlit: an empty one is cleared again by the Escape key
    session.put_widget("target", setup.target if setup.target in names else UNSET)
    st.selectbox(
        say("set.target"),
        names if of_pictures and setup.target in names else (UNSET, *names),
        key="target",
        format_func=lambda value: value or say_plain("set.target_placeholder"),
        help=say("set.target_help_pictures" if of_pictures else "set.target_help"),
        on_change=lambda: keep_choice(
            dataset,
            "target",
            lambda now, value: choices.with_target_of(now, dataset, value or None),
        ),
    )


def list_targets(dataset: Dataset, setup: Setup) -> list[str]:
    """Columns that may be the target; of pictures those that came with them and can be classes."""
    if dataset.images is None:
        return [column.name for column in dataset.columns]
    names = pictures.list_manifest(dataset)
    return [
        column.name
        for column in dataset.columns
        if column.name == setup.target
        or (column.name in names and 2 <= column.n_distinct <= MAX_CLASSES)
    ]


def _pick_type(dataset: Dataset, setup: Setup, task: Task | None) -> None:
    session.put_widget("task_type", task.type if task else setup.task_type)
    st.segmented_control(
        say("set.type"),
        list(TaskType) if dataset.images is None else [TaskType.BINARY, TaskType.MULTICLASS],
        key="task_type",
        format_func=lambda kind: say(f"type.{kind}"),
        help=say("set.type_help" if dataset.images is None else "set.type_help_pictures"),
        on_change=lambda: keep_choice(dataset, "task_type", choices.with_task_type),
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
            on_change=lambda: keep_choice(
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
            on_change=lambda: keep_choice(
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
            on_change=lambda: keep_choice(
                dataset,
                "sensitive",
                lambda now, value: choices.with_only(now, dataset, Role.SENSITIVE, value),
            ),
        )
        if sensitive:
            _pick_inputs(dataset, setup)
    with right:
        pick_group(dataset, setup, names)
    left, right = st.columns(2, gap="medium")
    with left:
        pick_by_kind(dataset, setup, names, Role.WEIGHT)
    with right:
        pick_by_kind(dataset, setup, names, Role.TIME)


def _pick_inputs(dataset: Dataset, setup: Setup) -> None:
    session.put_widget("sensitive_inputs", bool(setup.inputs))
    st.toggle(
        say("set.inputs"),
        key="sensitive_inputs",
        help=say("set.inputs_help"),
        on_change=lambda: keep_choice(
            dataset,
            "sensitive_inputs",
            lambda now, value: choices.with_inputs(now, dataset, are_inputs=value),
        ),
    )
    if not setup.inputs:
        st.caption(say("set.inputs_off"))
