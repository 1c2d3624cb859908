"""What stands above every page: the open data set and search, by name and with their state."""

import streamlit as st

from app import navigation, services, session
from app.components.numbers import format_count
from app.components.states import render_state
from app.wording import escape, say
from automl.data.dataset import Dataset
from automl.errors import DataError
from automl.jobs.records import Job


def show_frame(page: str) -> None:
    """Draw the header; what the address names but the workspace lacks is closed and said.

    On the Data page the data set is the title already, on the Search page the search is.
    """
    search = _open_search()
    dataset = _open_dataset(search)
    has_dataset, has_search = dataset and page != "data", search and page != "search"
    if not (has_dataset or has_search):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="frame"):
        if dataset is not None and has_dataset:
            _show_dataset(dataset)
        if search is not None and has_search:
            _show_search(search)


def _open_search() -> Job | None:
    search_id = session.get_open("search")
    search = services.read_search(search_id) if search_id else None
    if search is not None:
        session.open_search(search.id, search.dataset)
    elif search_id:
        session.set_open("search", None)
        st.warning(say("frame.search_gone"))
    return search


def _open_dataset(search: Job | None) -> Dataset | None:
    dataset_id = session.get_open("dataset")
    if dataset_id is None:
        return None
    try:
        return services.read_dataset(dataset_id)
    except DataError:
        session.set_open("dataset", None)
        if search is None:  # a search keeps its results when its data set is deleted
            st.warning(say("frame.dataset_gone"))
        return None


def _show_dataset(dataset: Dataset) -> None:
    is_table = dataset.images is None
    label = say(
        "frame.dataset" if is_table else "frame.pictures",
        name=dataset.name,
        rows=format_count(dataset.n_rows),
        columns=len(dataset.columns),
    )
    st.page_link(
        navigation.get_file("data"),
        label=label,
        icon=":material/table:" if is_table else ":material/photo_library:",
        query_params={"dataset": dataset.id},
    )


def _show_search(search: Job) -> None:
    st.page_link(
        navigation.get_file("search"),
        label=f"{escape(search.title)} · {render_state(search.state)}",
        icon=":material/search:",
        query_params={"dataset": search.dataset, "search": search.id},
    )
