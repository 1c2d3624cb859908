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
from app.components.picture_gallery import show_pictures
from app.components.picture_reading import show_picture_reading
from app.components.picture_views import show_classes, show_left_out, show_sizes
from app.components.reading import show_reading
from app.components.states import show_error
from app.wording import escape, say, say_plain
from automl.data.dataset import DataKind, Dataset
from automl.data.task import Task
from fairness.errors import FairloomError

VIEWS = ("columns", "views", "related")
PICTURE_VIEWS = ("pictures", "classes", "sizes", "columns", "left_out")

PLURALS = {
    "row": "rows",
    "column": "columns",
    "picture": "pictures",
    "class": "classes",
    "left": "lefts",
}


def show_dataset(dataset_id: str) -> None:
    """Draw an open data set."""
    dataset = services.read_dataset(dataset_id)
    session.set_open("dataset", dataset_id)  # a link from the same page leaves the address behind
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
    # one column of pictures cannot give the target away as a column of numbers can
    is_table = dataset.kind is DataKind.TABLE
    leaks = watch_leaks(dataset, setup, task) if task is not None and is_table else ()
    show_notes(dataset, setup, (*leaks, *profile.notes, *dataset.notes))
    _show_reread(dataset)
    match _pick_view(VIEWS if is_table else PICTURE_VIEWS):
        case "views":
            show_distribution(dataset, profile, task)
        case "related":
            show_related(dataset, setup)
        case "pictures":
            show_pictures(dataset, setup.target)
        case "classes":
            show_classes(dataset, setup.target)
        case "sizes":
            show_sizes(dataset)
        case "left_out":
            show_left_out(dataset)
        case _:
            edit_columns(dataset, profile, setup)


def _pick_view(views: tuple[str, ...]) -> str:
    view = st.segmented_control(
        say("set.view"),
        views,
        default=views[0],
        required=True,
        format_func=lambda name: say(f"set.tab_{name}"),
        key="set_view",
        label_visibility="collapsed",
    )
    # a view that was chosen for a data set of the other kind
    return view if view in views else views[0]


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
    facts = _describe_table(dataset) if dataset.images is None else _describe_pictures(dataset)
    question = say("set.question" if dataset.images is None else "set.question_pictures")
    st.caption(f"{question} · {facts}")
    show_said()
    saved = session.recall("setup_error")
    if isinstance(saved, FairloomError):
        session.forget("setup_error")
        show_error(saved)


def _describe_table(dataset: Dataset) -> str:
    values = {
        "rows": _count(dataset.n_rows, "row"),
        "columns": _count(len(dataset.columns), "column"),
        "size": format_bytes(dataset.size_bytes),
    }
    if not dataset.n_test_rows:
        return say("set.facts", **values)
    test = format_count(dataset.n_test_rows)
    return say("set.facts_test", test=test, test_name=dataset.test_name, **values)


def _describe_pictures(dataset: Dataset) -> str:
    """Pictures, classes, parts, how they are stored, what was left out."""
    facts = dataset.images
    if facts is None:
        return ""
    parts = [_count(dataset.n_rows, "picture")]
    for name, count in (("val", dataset.n_val_rows), ("test", dataset.n_test_rows)):
        if count:
            parts.append(say_plain(f"set.given_{name}", count=format_count(count)))
    classes = services.count_classes(dataset)
    if classes:
        parts.append(_count(classes, "class"))
    colour = say_plain("set.grey" if facts.channels == 1 else "set.colour")
    parts.append(say_plain("set.stored", side=facts.side, colour=colour))
    parts.append(format_bytes(dataset.size_bytes))
    if facts.n_left_out:
        parts.append(_count(facts.n_left_out, "left"))
    return escape(", ".join(parts))


def _count(count: int, noun: str) -> str:
    key = f"set.{noun}" if count == 1 else f"set.{PLURALS[noun]}"
    return say_plain(key, count=format_count(count))


def _show_reread(dataset: Dataset) -> None:
    """While the upload is here, it can be read another way; what was guessed stands in the remarks above."""
    job = imports.find_import(dataset)
    if job is None:
        return
    if dataset.images is not None:
        with st.expander(say("pattern.folded"), key="reread"):
            st.caption(say("pattern.note"))
            show_picture_reading(dataset, job)
        return
    with st.expander(say("reading.folded"), key="reread"):
        st.caption(say("reading.note"))
        show_reading(job, is_primary=False)
