"""Row by row: the confusion matrix, conditions, and the rows that meet them, the most confident mistakes first."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import error_rows, picture_results, services, session
from app.components.confusion_view import read_pressed
from app.components.figure import show_csv, show_figure
from app.components.numbers import format_count
from app.components.picture_errors import show_page_of_tiles
from app.error_rows import ErrorRows, Marks, Wanted
from app.picture_results import FILE
from app.wording import say, say_plain
from automl.figures.confusion import compute_shares, describe_confusion, plot_confusion

PAGE_ROWS = 25
MAX_COLUMNS = 40  # shown beside each other; the CSV has all
ANY = "rows.any"
TRUTH, PREDICTION, WHICH, SEEN = "rows_truth", "rows_prediction", "rows_which", "rows_seen"


def show_rows(found: ErrorRows) -> None:
    """Matrix and conditions, then a page of rows with the download of all of them."""
    if not found.is_value:
        _show_matrix(found)
    wanted = _pick_value(found) if found.is_value else _pick_class(found)
    places = error_rows.select_rows(found, wanted)
    st.caption(say("rows.numbers"))
    for reason in found.refused:
        st.caption(say("rows.refused", reason=reason))
    if not len(places):
        st.info(say("rows.none"))
        return
    pictures = _find_pictures(found)
    if pictures is not None:
        show_page_of_tiles(
            pictures, found.rows.iloc[places], key="rows", title=say_plain("rows.title")
        )
    else:
        _show_page(found, places)
    show_csv(error_rows.build_table(found, places), key="error_rows")


def _find_pictures(found: ErrorRows) -> picture_results.PictureResults | None:
    job = services.read_search(found.source.search)
    if FILE not in found.rows or job is None:
        return None
    return picture_results.read_picture_results(job, {})


def _show_page(found: ErrorRows, places: np.ndarray) -> None:
    n_pages = -(-len(places) // PAGE_ROWS)
    page = min(max(1, int(session.recall("rows_page", 1) or 1)), n_pages)
    shown = places[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    first = (page - 1) * PAGE_ROWS + 1
    st.markdown(f"#### {say('rows.title')}")
    counts = {"first": first, "last": first + len(shown) - 1, "all": len(places)}
    key = "rows.shown_value" if found.is_value else "rows.shown"
    st.caption(say(key, **{name: format_count(n) for name, n in counts.items()}))
    table = error_rows.build_table(found, shown)
    st.dataframe(
        table.iloc[:, :MAX_COLUMNS], key="rows_table", hide_index=True, column_config=_name_columns(found)
    )  # fmt: skip
    if table.shape[1] > MAX_COLUMNS:
        st.caption(say("rows.more_columns", n=MAX_COLUMNS, all=format_count(table.shape[1])))
    if n_pages > 1:
        st.pagination(n_pages, key="rows_page")


def _name_columns(found: ErrorRows) -> Mapping[str, Any]:
    column = st.column_config
    if found.is_value:
        names = {
            "truth": "rows.true_value",
            "prediction": "rows.value",
            "residual": "rows.residual",
        }
        more: dict[str, Any] = {key: column.NumberColumn(say_plain(word), format="%.4g") for key, word in names.items()}  # fmt: skip
    else:
        more = {
            "truth": column.TextColumn(say_plain("rows.truth")),
            "prediction": column.TextColumn(say_plain("rows.prediction")),
            "confidence": column.NumberColumn(say_plain("rows.confidence"), format="%.3f"),
        }
    return {"row_id": column.NumberColumn(say_plain("rows.row_id"), pinned=True), **more}


def _show_matrix(found: ErrorRows) -> None:
    frame = error_rows.count_cells(found)
    event = show_figure(
        plot_confusion(frame, "row", is_pickable=True), key="rows_confusion", is_pickable=True,
        title=say_plain("curves.confusion"), alt=say_plain("curves.confusion_alt"),
        sentence=f"{describe_confusion(frame)} {say_plain('rows.press')}", frame=compute_shares(frame, "row"),
    )  # fmt: skip
    pressed = read_pressed(event)
    if pressed != session.recall(SEEN):
        session.remember(SEEN, pressed)
        if pressed is not None:
            _go_to_cell(found, pressed)


def _go_to_cell(found: ErrorRows, pressed: str) -> None:
    """Set the conditions to those of one cell, before they are drawn."""
    names = found.source.classes
    pairs = {f"{truth} → {decided}": (truth, decided) for truth in names for decided in names}
    if pressed not in pairs:
        return
    truth, decided = pairs[pressed]
    for key, value in ((TRUTH, truth), (PREDICTION, decided), (WHICH, "all"), ("rows_page", 1)):
        session.put_widget(key, value)
    session.put_widget("rows_confidence", (0.0, 1.0))
    session.put_widget("rows_cohort", 0)


def _pick_class(found: ErrorRows) -> Wanted:
    options = (None, *found.source.classes)
    for key in (TRUTH, PREDICTION):
        if session.recall(key) not in options:
            session.forget(key)
    with st.container(horizontal=True, vertical_alignment="bottom", key="rows_conditions"):
        which = _pick_which("rows.which", ("wrong", "right", "all"))
        truth = st.selectbox(
            say("rows.truth"), options, key=TRUTH, format_func=_name_class, width=200
        )
        decided = st.selectbox(
            say("rows.prediction"), options, key=PREDICTION, format_func=_name_class, width=200
        )
        cohort = _pick_cohort(found)
    if session.recall("rows_confidence") is None:
        session.put_widget("rows_confidence", (0.0, 1.0))
    low, high = st.slider(
        say("rows.confidence"), 0.0, 1.0, step=0.01, key="rows_confidence", width=420
    )
    return Wanted(
        which=which, truth=truth, prediction=decided, confidence=(low, high), cohort=cohort
    )


def _pick_value(found: ErrorRows) -> Wanted:
    with st.container(horizontal=True, vertical_alignment="bottom", key="rows_conditions"):
        which = _pick_which("rows.which_value", ("all", "high", "low"))
        cohort = _pick_cohort(found)
    return Wanted(which=which, cohort=cohort)


def _pick_which(title: str, options: tuple[error_rows.Which, ...]) -> error_rows.Which:
    if session.recall(WHICH) not in options:
        session.put_widget(WHICH, options[0])
    which = st.segmented_control(
        say(title), options, required=True, key=WHICH,
        format_func=lambda name: say_plain(f"rows.which_{name}"),
    )  # fmt: skip
    return which or options[0]


def _name_class(name: str | None) -> str:
    return say_plain(ANY) if name is None else name


def _pick_cohort(found: ErrorRows) -> Marks | None:
    """The slices that were found, then every group of the sensitive columns."""
    slices = error_rows.read_slices(found).frame if found.kinds else pd.DataFrame({"slice": []})
    labels = [
        say_plain("rows.everybody"),
        *(say_plain("rows.of_slice", name=name) for name in slices["slice"]),
    ]
    pairs = [
        (place, group)
        for place, each in enumerate(found.groups)
        for group in range(len(each.names))
    ]
    labels += [
        say_plain(
            "rows.of_group",
            attribute=found.groups[place].attribute,
            name=found.groups[place].names[group],
        )
        for place, group in pairs
    ]
    if session.recall("rows_cohort", 0) not in range(len(labels)):
        session.forget("rows_cohort")
    number = st.selectbox(
        say("rows.cohort"), range(len(labels)), key="rows_cohort", format_func=lambda place: labels[place],
        width=420,
    )  # fmt: skip
    number = int(number or 0)
    if number == 0:
        return None
    if number <= len(slices):
        return error_rows.mark_slice(found, number - 1)
    return error_rows.mark_group(found, *pairs[number - 1 - len(slices)])
