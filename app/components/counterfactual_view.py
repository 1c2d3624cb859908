"""The nearest changes of a row that lead the model to another answer."""

from typing import Any

import pandas as pd
import streamlit as st

from app.components.figure import show_csv
from app.components.numbers import format_number, format_share
from app.components.question import show_limits, show_question
from app.table_explanations import Answer, InputColumn, ask
from app.wording import say, say_plain
from automl.jobs.records import Job
from automl.worker.explain_spec import Method

Ends = tuple[float | None, float | None]


def show_counterfactual(search: Job, row: int, columns: list[InputColumn]) -> None:
    """What is wished for, what may not change and how far numbers may go; then the answer."""
    st.markdown(f"#### {say('counter.title')}")
    st.markdown(say("counter.what"))
    task = search.spec.get("task") or {}
    wish = _show_wish(task)
    if wish is None:
        st.info(say("counter.no_wish"))
        return
    names = [column.name for column in columns]
    locked = st.multiselect(
        say("counter.locked"), names, default=[each.name for each in columns if each.is_sensitive],
        key="counter_locked", help=say("counter.locked_help"),
    )  # fmt: skip
    ranges = _show_ranges([each for each in columns if each.name not in locked])
    asked = ask(
        search, Method.COUNTERFACTUAL, rows=(row,), locked=tuple(locked), ranges=ranges, **wish
    )
    answer = show_question(search, asked, key="counter", label=say("counter.start"))
    if answer is not None:
        _show_answer(answer)


def _show_wish(task: dict[str, Any]) -> dict[str, Any] | None:
    """A class, or a value between two ends; None where no end is given."""
    classes = list(task.get("classes") or ())
    if classes:
        wanted = str(task.get("beneficial") or task.get("positive") or classes[0])
        picked = st.selectbox(
            say("counter.class"), classes, index=classes.index(wanted), key="counter_class",
            width=320,
        )  # fmt: skip
        return {"output": str(picked or wanted)}
    left, right = st.columns(2)
    low = left.number_input(say("counter.low"), value=None, key="counter_low")
    high = right.number_input(say("counter.high"), value=None, key="counter_high")
    return None if low is None and high is None else {"between": (low, high)}


def _show_ranges(columns: list[InputColumn]) -> dict[str, Ends]:
    """How far each number may go; only what was filled in."""
    numbers = [column for column in columns if column.kind == "numeric"]
    if not numbers:
        return {}
    frame = pd.DataFrame(
        {
            "column": [column.name for column in numbers],
            "value": [column.value or "" for column in numbers],
            "lowest": pd.Series([None] * len(numbers), dtype="float64"),
            "highest": pd.Series([None] * len(numbers), dtype="float64"),
        }
    )
    with st.expander(say("counter.ranges"), key="counter_ranges"):
        edited = st.data_editor(
            frame, key="counter_ranges_table", hide_index=True, disabled=["column", "value"],
            column_config={
                name: st.column_config.Column(say_plain(f"counter.{name}"))
                for name in ("column", "value", "lowest", "highest")
            },
        )  # fmt: skip
    ends = zip(edited["column"], edited["lowest"], edited["highest"], strict=True)
    found = {str(name): (_read(low), _read(high)) for name, low, high in ends}
    return {name: pair for name, pair in found.items() if pair != (None, None)}


def _read(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _show_answer(answer: Answer) -> None:
    facts = answer.facts
    own = _say(facts["own"])
    if facts["is_reached"]:
        st.info(say("counter.reached", row=facts["row_id"], value=own))
        return
    if not facts["alternatives"]:
        st.info(say("counter.none", n=facts["n_searched"]))
        show_limits(answer, key="counter")
        return
    n = facts["n_searched"]
    st.markdown(say("counter.found", row=facts["row_id"], value=own, n=f"{n:,}"))
    for each in facts["alternatives"]:
        lines = answer.frame[answer.frame["place"] == each["place"]]
        st.markdown(say("counter.one", place=each["place"], n=len(lines), value=_say(each)))
        st.dataframe(
            lines.drop(columns="place"), key=f"counter_{each['place']}", hide_index=True,
            alt=say_plain("counter.alt", place=each["place"]),
            column_config={
                name: st.column_config.Column(say_plain(f"counter.{name}"))
                for name in ("column", "before", "after", "distance")
            },
        )  # fmt: skip
    show_csv(answer.frame, key="counterfactual")
    show_limits(answer, key="counter")


def _say(answer: dict[str, Any]) -> str:
    if answer["confidence"] is None:
        return format_number(answer["values"][0])
    return f"{answer['decision']} ({format_share(answer['confidence'])})"
