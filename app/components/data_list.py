"""The start: bring a table, take a sample, or open a data set that is here."""

from typing import TYPE_CHECKING

import streamlit as st

from app import imports, navigation, services, session
from app.components.numbers import format_count, format_when
from app.components.states import confirm, show_error, show_title
from app.components.upload import Upload, pick_upload, show_upload_done
from app.wording import escape, say, say_plain
from automl.data.dataset import Dataset
from fairness.errors import FairloomError

if TYPE_CHECKING:
    from automl.data.store import DatasetEntry

PAGE_ROWS = 25


def show_datasets() -> None:
    """The Data page while nothing is open."""
    show_title(say("data.title"), say("data.question"))
    show_said()
    _show_upload()
    _show_folders()
    _show_samples()
    _show_list()


def show_said() -> None:
    """What came of deleting, once."""
    said = session.recall("data_said")
    if said is not None:
        session.forget("data_said")
        st.toast(said)
    error = session.recall("data_error")
    if isinstance(error, FairloomError):
        session.forget("data_error")
        show_error(error)


def _show_upload() -> None:
    with st.container(key="bring"):
        main = _pick_main() or session.recall("upload_main")
        if not st.toggle(say("data.own_test"), key="own_test", help=say("data.own_test_help")):
            if main:
                _start_import(main, None)
            return
        test = pick_upload("upload_test", label=say_plain("data.drop_test"))
        test = test or session.recall("upload_test_file")
        if main and test:
            _start_import(main, test)
        session.remember("upload_main", main)
        session.remember("upload_test_file", test)
        if main:
            show_upload_done(main)
            st.info(say("data.wait_test"))
        if test:
            show_upload_done(test)


def _pick_main() -> Upload | None:
    return pick_upload("upload", label=say_plain("data.drop"), pictures=True)


def _show_folders() -> None:
    """Folders of the server, only where an administrator allowed some."""
    folders = imports.list_folders()
    if not folders:
        return
    with (
        st.expander(say("folder.heading"), key="server_folder"),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        folder = st.selectbox(
            say("folder.pick"), folders, key="folder", format_func=str, help=say("folder.help")
        )
        if st.button(say("folder.read"), key="read_folder") and folder is not None:
            try:
                job = imports.submit_folder(folder, session.get_ticket("folder"))
            except FairloomError as error:
                show_error(error)
                return
            session.renew_ticket("folder")
            session.set_open("import", job.id)
            st.rerun()


def _start_import(main: Upload, test: Upload | None) -> None:
    for key in ("upload_main", "upload_test_file"):
        session.forget(key)
    job = imports.submit_import(
        services.require_upload(main.id, main.name),
        main.name,
        test=services.require_upload(test.id, test.name) if test else None,
        test_name=test.name if test else "",
    )
    session.set_open("import", job.id)
    st.rerun()


def _show_samples() -> None:
    st.markdown(f"**{say('data.samples_heading')}**")
    with st.container(horizontal=True, key="samples"):
        for sample in services.list_samples():
            with st.container(width=186, gap="xsmall", key=f"card_{sample.name}"):
                pressed = st.button(
                    escape(sample.title), key=f"sample_{sample.name}", width="stretch"
                )
                st.caption(escape(sample.description))
            if pressed:
                _start_sample(sample.name)


def _start_sample(name: str) -> None:
    ticket = session.get_ticket(f"sample_{name}")
    session.renew_ticket(f"sample_{name}")
    session.set_open("import", imports.submit_sample(name, ticket).id)
    st.rerun()


def _show_list() -> None:
    st.header(say("data.list_heading"), anchor=False)
    entries = services.list_datasets()
    if not entries:
        st.write(say("data.list_empty"))
        return
    shown = session.recall("data_shown", PAGE_ROWS)
    with st.container(key="datasets"):
        for entry in entries[:shown]:
            _show_entry(entry)
    if len(entries) > shown and st.button(say("data.more"), key="more_datasets"):
        session.remember("data_shown", shown + PAGE_ROWS)
        st.rerun()


def _show_entry(entry: "DatasetEntry") -> None:
    dataset = entry.dataset
    name, size, when, delete = st.columns([5, 2, 2, 1.2], vertical_alignment="center")
    name.page_link(
        navigation.get_file("data"),
        label=escape(dataset.name),
        icon=":material/table:" if dataset.images is None else ":material/photo_library:",
        query_params={"dataset": dataset.id},
    )
    size.write(_describe_size(dataset))
    when.write(format_when(entry.created_at))
    if delete.button(
        say("data.delete"),
        icon=":material/delete:",
        key=f"delete_{dataset.id[:12]}",
        type="tertiary",
    ):
        ask_to_delete(dataset)


def _describe_size(dataset: Dataset) -> str:
    rows = format_count(dataset.n_rows)
    if dataset.images is None:
        return say("data.rows_columns", rows=rows, columns=len(dataset.columns))
    classes = services.count_classes(dataset)
    if not classes:
        return say("data.pictures", count=rows)
    return say("data.pictures_classes", count=rows, classes=classes)


def ask_to_delete(dataset: Dataset) -> None:
    """Name what will be lost, then delete; an active search is a reason not to ask at all."""
    searches = services.list_searches(dataset.id)
    active = next((job for job in searches if job.state.is_active), None)
    if active is not None:
        session.remember("data_error", services.refuse_to_delete(active))
        st.rerun()
    key = "data.delete_text" if dataset.images is None else "data.delete_pictures"
    text = say(key, name=dataset.name, rows=format_count(dataset.n_rows))
    if searches:
        key = "data.delete_search" if len(searches) == 1 else "data.delete_searches"
        text += "\n\n" + say(key, count=len(searches), title=searches[0].title)
    confirm(
        say("data.delete_title"),
        text,
        say("data.delete_confirm"),
        lambda: delete_dataset(dataset),
    )


def delete_dataset(dataset: Dataset) -> None:
    """Delete a data set and go back to the list, which says what came of it."""
    job = imports.find_import(dataset)
    try:
        services.delete_dataset(dataset.id)
    except FairloomError as error:
        session.remember("data_error", error)
    else:
        if job is not None:
            imports.remove_upload(job)
        session.remember("data_said", say("data.deleted", name=dataset.name))
    session.open_dataset(None)
