"""One data set: what was found in it, what should be predicted, its columns."""

import streamlit as st

from app import imports, services, session
from app.components.data_columns import edit_columns
from app.components.data_list import ask_to_delete, show_said
from app.components.data_notes import show_notes
from app.components.data_task import edit_task
from app.components.data_views import show_distribution, show_related
from app.components.leak_check import watch_leaks
from app.components.numbers import format_bytes, format_count
from app.components.reading import show_reading
from app.components.states import show_error
from app.wording import escape, say, say_plain
from automl.data.dataset import Dataset
from automl.data.task import Task
from fairness.errors import FairloomError

VIEWS = ("columns", "views", "related")


def show_dataset(dataset_id: str) -> None:
    """Draw an open data set."""
    dataset = services.read_dataset(dataset_id)
    _show_title(dataset)
    profile, setup = services.read_profile(dataset_id), services.read_setup(dataset_id)
    task: Task | None = None
    error: FairloomError | None = None
    if setup.target is not None:
        try:
            task = services.infer_task(dataset, profile, setup)
        except FairloomError as caught:
            error = caught
    edit_task(dataset, setup, task, error)
    leaks = watch_leaks(dataset, setup, task) if task is not None else ()
    show_notes(dataset, setup, (*leaks, *profile.notes, *dataset.notes))
    _show_reread(dataset)
    view = st.segmented_control(
        say("set.tab_columns"),
        VIEWS,
        default="columns",
        required=True,
        format_func=lambda name: say(f"set.tab_{name}"),
        key="set_view",
        label_visibility="collapsed",
    )
    match view:
        case "views":
            show_distribution(dataset, profile, task)
        case "related":
            show_related(dataset, setup)
        case _:
            edit_columns(dataset, profile, setup)


def _show_title(dataset: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="set_title"):
        st.title(escape(dataset.name), anchor=False, width="content")
        if st.button(
            say("set.all"), key="all_datasets", type="tertiary", icon=":material/arrow_back:"
        ):
            session.open_dataset(None)
            st.rerun()
        if st.button(say("data.delete"), key="delete", type="tertiary", icon=":material/delete:"):
            ask_to_delete(dataset)
    values = {
        "rows": _count(dataset.n_rows, "row"),
        "columns": _count(len(dataset.columns), "column"),
        "size": format_bytes(dataset.size_bytes),
    }
    facts = say("set.facts", **values)
    if dataset.n_test_rows:
        facts = say(
            "set.facts_test",
            test=format_count(dataset.n_test_rows),
            test_name=dataset.test_name,
            **values,
        )
    st.caption(f"{say('set.question')} · {facts}")
    show_said()
    saved = session.recall("setup_error")
    if isinstance(saved, FairloomError):
        session.forget("setup_error")
        show_error(saved)


def _count(count: int, noun: str) -> str:
    key = f"set.{noun}" if count == 1 else f"set.{noun}s"
    return say_plain(key, count=format_count(count))


def _show_reread(dataset: Dataset) -> None:
    """While the upload is here, it can be read another way; what was guessed stands in the remarks above."""
    job = imports.find_import(dataset)
    if job is None:
        return
    with st.expander(say("reading.folded"), key="reread"):
        st.caption(say("reading.note"))
        show_reading(job, is_primary=False)
