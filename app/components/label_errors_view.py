"""Labels that may be wrong: asked for, watched, cancelled; then read row by row, marked, and searched with again."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import label_errors, navigation, results, services, session
from app.components.error_browser import MAX_COLUMNS, PAGE_ROWS
from app.components.figure import show_csv
from app.components.numbers import format_count
from app.components.states import show_error
from app.error_rows import ErrorRows
from app.label_errors import FoundLabels
from app.wording import escape, say, say_plain
from automl.data.corrections import Corrections
from automl.jobs.records import Job, JobState
from fairness.errors import FairloomError

EVERY = "1s"
PAGE = "labels_page"


def show_labels(found: ErrorRows) -> None:
    """The job of the search in its present state; the reason where there can be none."""
    search = services.read_search(found.source.search)
    if search is None or found.dataset is None:
        st.info(say("labels.gone"))
        return
    if found.is_value:
        st.info(say("labels.value"))
        return
    show_provenance(search)
    with st.container(key="labels"):
        job = label_errors.find_labels(search.id)
        if job is None:
            _offer(search, say("labels.start"))
        elif job.state.is_active:
            _show_live(search)
        else:
            _show_end(job, search, found)


def show_provenance(search: Job) -> None:
    """That this search was made with corrections itself, where it was."""
    corrections = search.spec.get("corrections") or {}
    n_dropped, n_relabelled = (len(corrections.get(key) or ()) for key in ("dropped", "relabelled"))
    if n_dropped or n_relabelled:
        st.caption(say("labels.provenance", dropped=n_dropped, relabelled=n_relabelled, source=str(corrections.get("source"))[:8]))  # fmt: skip


def _offer(search: Job, label: str) -> None:
    st.markdown(say("labels.what"))
    if not services.has_worker():
        st.caption(say("frame.no_worker"))
    if st.button(label, key="labels_start", icon=":material/fact_check:"):
        label_errors.submit_labels(search)
        st.rerun()


def _show_live(search: Job) -> None:
    @st.fragment(run_every=EVERY)
    def live() -> None:
        job = label_errors.find_labels(search.id)
        if job is None or not job.state.is_active:
            st.rerun()
        _show_progress(job)

    live()


def _show_progress(job: Job) -> None:
    fraction = min(max(float(job.progress.get("fraction", 0.0)), 0.0), 1.0)
    is_queued = job.state is JobState.QUEUED
    words = str(job.progress.get("words") or say_plain("labels.working"))
    st.progress(fraction, text=say("labels.queued") if is_queued else escape(words))
    if job.stop_mode is not None:
        st.caption(say("labels.stopping"))
        return
    st.button(
        say("labels.cancel"), key="labels_cancel", icon=":material/close:",
        on_click=services.stop_job, args=(job.id,),
    )  # fmt: skip


def _show_end(job: Job, search: Job, found: ErrorRows) -> None:
    try:
        labels = label_errors.read_labels(job) if job.state is JobState.SUCCEEDED else None
        marks = label_errors.read_marks(job)
    except FairloomError as error:
        show_error(error)
    else:
        if labels is not None:
            _show_found(job, search, found, labels, marks)
            return
        if job.outcome is not None and job.state is JobState.FAILED:
            show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
        else:
            st.info(say("labels.stopped" if job.state is JobState.STOPPED else "labels.absent"))
    _offer(search, say("labels.again"))


def _show_found(
    job: Job, search: Job, found: ErrorRows, labels: FoundLabels, marks: Corrections
) -> None:
    facts = {name: format_count(getattr(labels, name)) for name in ("n_rows", "n_contradicted", "n_suspected")}  # fmt: skip
    family = results.get_family_title(labels.family)
    st.markdown(say("labels.found", **facts, family=family, folds=labels.n_folds))
    st.caption(say("labels.limits"))
    if labels.frame.empty:
        return
    n_pages = -(-len(labels.frame) // PAGE_ROWS)
    page = min(max(1, int(session.recall(PAGE, 1) or 1)), n_pages)
    part = labels.frame.iloc[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    first = (page - 1) * PAGE_ROWS + 1
    counts = {"first": first, "last": first + len(part) - 1, "all": len(labels.frame)}
    st.caption(say("labels.shown", **{name: format_count(n) for name, n in counts.items()}))
    table = build_table(found, part, marks)
    event = st.dataframe(
        table.iloc[:, :MAX_COLUMNS], key="labels_table", hide_index=True, column_config=_name_columns(),
        on_select="rerun", selection_mode="multi-row",
    )  # fmt: skip
    if n_pages > 1:
        st.pagination(n_pages, key=PAGE)
    _show_marking(job, part, list(event.selection.rows))
    _show_search_again(search, marks)
    show_csv(build_table(found, labels.frame, marks), key="label_errors")


def build_table(found: ErrorRows, part: pd.DataFrame, marks: Corrections) -> pd.DataFrame:
    """Rows of the list with their mark and the columns of the data set, the target left out."""
    names = [c.name for c in found.dataset.columns if c.name != found.source.target] if found.dataset else []  # fmt: skip
    frame = services.read_frame(found.source.dataset, names).iloc[part["row"].to_numpy()]
    words = {**dict.fromkeys(marks.dropped, "drop"), **dict.fromkeys(marks.relabelled, "relabel")}
    marked = [say_plain(f"labels.mark_{words[row]}") if row in words else "" for row in part["row"]]
    own = part.drop(columns="is_suspected").assign(suspected=part["is_suspected"])
    own.insert(0, "mark", marked)
    shown = frame.rename(columns=lambda name: f"column {name}" if name in own else name)
    return pd.concat([own.reset_index(drop=True), shown.reset_index(drop=True)], axis=1)


def _name_columns() -> Mapping[str, Any]:
    column = st.column_config
    return {
        "mark": column.TextColumn(say_plain("labels.mark"), pinned=True),
        "row": column.NumberColumn(say_plain("rows.row_id"), format="%d"),
        "label": column.TextColumn(say_plain("labels.label")),
        "likely": column.TextColumn(say_plain("labels.likely")),
        "label_probability": column.NumberColumn(say_plain("labels.label_probability"), format="%.3f"),
        "likely_probability": column.NumberColumn(say_plain("labels.likely_probability"), format="%.3f"),
        "suspected": column.CheckboxColumn(say_plain("labels.suspected")),
    }  # fmt: skip


def _show_marking(job: Job, part: pd.DataFrame, chosen: list[int]) -> None:
    """The buttons mark the rows that are ticked in the table, or the whole page where none is."""
    rows = part["row"].iloc[[place for place in chosen if place < len(part)]].tolist()
    with st.container(horizontal=True, vertical_alignment="center", key="labels_marking"):
        st.caption(
            say("labels.for_chosen" if rows else "labels.for_page", n=len(rows) or len(part)),
            width="content",
        )
        for action in ("drop", "relabel", "keep"):
            st.button(
                say(f"labels.do_{action}"), key=f"labels_{action}",
                on_click=label_errors.mark, args=(job, rows or part["row"].tolist(), action),
            )  # fmt: skip


def _show_search_again(search: Job, marks: Corrections) -> None:
    if not len(marks):
        st.caption(say("labels.unmarked"))
        return
    st.markdown(say("labels.marked", dropped=len(marks.dropped), relabelled=len(marks.relabelled)))
    if st.button(say("labels.search_again"), key="labels_search", icon=":material/search:"):
        try:
            job = label_errors.search_again(search, marks)
        except FairloomError as error:
            show_error(error)
            return
        session.open_search(job.id, search.dataset)
        st.switch_page(navigation.get_file("search"), query_params={"dataset": search.dataset, "search": job.id})  # fmt: skip
