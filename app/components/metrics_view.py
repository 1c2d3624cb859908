"""The Metrics tab: every number of the opened models on the test part, and class by class."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import results
from app.components.curves_view import pick_model
from app.components.figure import show_csv
from app.components.numbers import ABSENT, format_count, format_estimate
from app.results import Opened
from app.wording import escape, say, say_plain

NAME_WIDTH = 240  # most names whole, and room for a value beside them on a telephone
CLASS_METRICS = ("precision", "recall", "f1", "true_negative_rate", "roc_auc", "average_precision")


def show_metrics(opened: Sequence[Opened]) -> None:
    """Overall, models side by side; then, of a classification, by class and averaged three ways."""
    if not opened:
        st.info(say("metrics.none"))
        return
    _show_overall(opened)
    if opened[0].evaluation.task_type == "regression":
        st.caption(say("metrics.no_classes"))
        return
    st.markdown(f"#### {say('metrics.classes')}")
    _show_classes(pick_model(opened, key="metrics_model"))


def _show_overall(opened: Sequence[Opened]) -> None:
    long = results.build_metric_table(opened)
    st.subheader(say("metrics.title"), anchor=False)
    st.dataframe(
        build_overall(long, [model.name for model in opened]),
        key="metric_table",
        hide_index=True,
        height="content",
        column_config={
            say_plain("metrics.metric"): st.column_config.TextColumn(pinned=True, width=NAME_WIDTH),
            say_plain("metrics.better"): st.column_config.TextColumn(width="small"),
        },
        alt=say_plain("metrics.title"),
    )
    has_ece = opened[0].evaluation.task_type != "regression"
    note = say("metrics.note", n=format_count(opened[0].evaluation.n))
    st.caption(f"{note} {say('metrics.note_ece')}" if has_ece else note)
    show_csv(long, key="metrics")


def build_overall(long: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Metrics down, models across: value, interval, and ``n`` where it is not all rows."""
    n_rows = int(long["n"].max()) if len(long) else 0
    cells = [_render(row, n_rows) for row in _iterate(long)]
    wide = long.assign(text=cells).pivot_table(
        index=["metric", "better"], columns="name", values="text", aggfunc="first", sort=False
    )
    ordered = wide[[name for name in names if name in wide]].fillna(ABSENT).reset_index()
    words = {
        "metric": say_plain("metrics.metric"),
        "better": say_plain("metrics.better"),
    }
    return ordered.rename(columns=words)


def _show_classes(model: Opened) -> None:
    frame = model.evaluation.curves.get("classes")
    if frame is None or frame.empty:
        st.info(say("metrics.classes_absent"))
        return
    classes, averages = (frame[frame["kind"] == kind] for kind in ("class", "average"))
    st.dataframe(
        build_class_table(classes), key="class_table", hide_index=True,
        column_config={say_plain("metrics.class"): st.column_config.TextColumn(pinned=True)},
        alt=say_plain("metrics.classes"),
    )  # fmt: skip
    st.caption(say("metrics.classes_note"))
    st.markdown(f"#### {say('metrics.averages')}")
    st.dataframe(
        build_average_table(averages), key="average_table", hide_index=True, height="content",
        column_config={say_plain("metrics.average"): st.column_config.TextColumn(pinned=True)},
        alt=say_plain("metrics.averages"),
    )  # fmt: skip
    st.caption(say("metrics.averages_note", n=format_count(model.evaluation.n)))
    for note in model.evaluation.notes:
        st.caption(escape(note))
    show_csv(frame, key="classes")


def build_class_table(classes: pd.DataFrame) -> pd.DataFrame:
    """One row per class: its rows, those decided so, and every metric with its interval."""
    rows = []
    for name, part in classes.groupby("name", sort=False):
        first = part.iloc[0]
        rows.append(
            {
                say_plain("metrics.class"): name,
                say_plain("metrics.n"): int(first["n_true"]),
                say_plain("metrics.n_decided"): int(first["n_decided"]),
                **_render_metrics(part),
            }
        )
    return pd.DataFrame(rows)


def build_average_table(averages: pd.DataFrame) -> pd.DataFrame:
    """One row per way of averaging."""
    return pd.DataFrame(
        [
            {say_plain("metrics.average"): say_plain(f"metrics.{name}"), **_render_metrics(part)}
            for name, part in averages.groupby("name", sort=False)
        ]
    )


def _render_metrics(part: pd.DataFrame) -> dict[str, str]:
    cells = {row["metric"]: _render(row) for row in _iterate(part)}
    return {say_plain(f"metrics.{name}"): cells.get(name, ABSENT) for name in CLASS_METRICS}


def _iterate(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]


def _render(row: dict[str, Any], n_rows: int | None = None) -> str:
    if row["value"] is None:
        return say_plain("audit.not_estimable")
    text = format_estimate(row["value"], row["low"], row["high"])
    is_part = n_rows is not None and row["n"] != n_rows
    return f"{text}, n = {format_count(row['n'])}" if is_part else text
