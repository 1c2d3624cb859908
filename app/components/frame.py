"""What stands above every page: the open data set and search, and whether a worker is there."""

import streamlit as st

from app import navigation, services, session
from app.components.numbers import format_count
from app.components.states import render_state
from app.wording import escape, say
from automl.errors import DataError
from automl.jobs.records import Job


def show_frame(page: str) -> None:
    """Draw the header; what the address names but the workspace lacks is closed and said.

    On the Data page the data set is the title already, on the Search page the search is.
    """
    dataset_id, search_id = session.get_open("dataset"), session.get_open("search")
    search = services.read_search(search_id) if search_id else None
    if search_id and search is None:
        session.set_open("search", None)
        st.warning(say("frame.search_gone"))
    if search is not None and search.dataset != dataset_id:
        session.open_search(search.id, search.dataset)
        dataset_id = search.dataset
    if not (dataset_id and page != "data") and not (search and page != "search"):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="frame"):
        if dataset_id is not None and page != "data":
            _show_dataset(dataset_id, search)
        if search is not None and page != "search":
            _show_search(search)


def _show_dataset(dataset_id: str, search: Job | None) -> None:
    try:
        dataset = services.read_dataset(dataset_id)
    except DataError:
        if search is None:
            session.set_open("dataset", None)
            st.warning(say("frame.dataset_gone"))
        return
    label = say(
        "frame.dataset",
        name=dataset.name,
        rows=format_count(dataset.n_rows),
        columns=len(dataset.columns),
    )
    st.page_link(
        navigation.get_file("data"),
        label=label,
        icon=":material/table:",
        query_params={"dataset": dataset_id},
    )


def _show_search(search: Job) -> None:
    st.page_link(
        navigation.get_file("search"),
        label=f"{escape(search.title)} · {render_state(search.state)}",
        icon=":material/search:",
        query_params={"dataset": search.dataset, "search": search.id},
    )
