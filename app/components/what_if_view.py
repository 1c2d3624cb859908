"""One row as a form: other cells and what the model answers to them, and the nearest changes to another answer."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import table_explanations
from app.components.counterfactual_view import show_counterfactual
from app.components.numbers import format_number, format_share
from app.components.question import show_limits, show_question
from app.components.shap_view import is_tested
from app.components.states import show_error
from app.table_explanations import Answer, InputColumn, ask
from app.wording import escape, say, say_plain
from automl.jobs.records import Job
from automl.worker.explain_spec import Method
from fairness.errors import FairloomError

N_ACROSS = 3
MOST_WIDGETS = 60
MISSING = ""  # among the levels of a selectbox


def show_what_if(search: Job) -> None:
    """The form of one test row, the answer before and after, and the counterfactual below."""
    st.markdown(say("whatif.what"))
    first = table_explanations.find_first_row(search.id)
    row = int(
        st.number_input(
            say("explained.row"), min_value=0, value=first, step=1, key="whatif_row", width=220,
            help=say("explained.row_help"),
        )
    )  # fmt: skip
    if not is_tested(search, row):
        st.info(say("explained.not_tested", row=row))
        return
    try:
        columns = table_explanations.read_inputs(search, row)
    except FairloomError as error:
        show_error(error)
        return
    changes = _show_form(columns, row)
    asked = ask(search, Method.WHAT_IF, rows=(row,), changes=changes)
    label = say("whatif.start") if changes else say("whatif.start_own")
    answer = show_question(search, asked, key="whatif", label=label)
    if answer is not None:
        _show_answer(answer)
    st.divider()
    show_counterfactual(search, row, columns)


def _show_form(columns: list[InputColumn], row: int) -> dict[str, str | None]:
    """A widget per input, in the order of the table; the cells that differ from the row's."""
    changes: dict[str, str | None] = {}
    with st.container(key="whatif_form"):
        for start in range(0, min(len(columns), MOST_WIDGETS), N_ACROSS):
            places = st.columns(N_ACROSS)
            chunk = columns[start : min(start + N_ACROSS, MOST_WIDGETS)]
            for place, column in zip(places, chunk, strict=False):
                with place:
                    value = _show_widget(column, f"whatif_{row}_{column.name}")
                if value != column.value:
                    changes[column.name] = value
    if len(columns) > MOST_WIDGETS:
        st.caption(say("whatif.many", n=MOST_WIDGETS, all=len(columns)))
    if changes:
        st.caption(say("whatif.changed", names=", ".join(changes)))
        st.button(
            say("whatif.reset"), key="whatif_reset", icon=":material/undo:",
            on_click=_reset, args=(tuple(f"whatif_{row}_{name}" for name in changes),),
        )  # fmt: skip
    return changes


def _reset(keys: tuple[str, ...]) -> None:
    """Back to the row's own cells: a widget without a state shows its default."""
    for key in keys:
        del st.session_state[key]


def _show_widget(column: InputColumn, key: str) -> str | None:
    """The cell as text, None where it is missing; an untouched widget gives the very text of the row."""
    label = escape(column.name)
    if column.kind == "numeric":
        return _show_number(column, key, label)
    if column.kind in ("categorical", "boolean") and column.levels:
        options = list(dict.fromkeys([*column.levels, column.value or MISSING, MISSING]))
        picked = st.selectbox(
            label, options, index=options.index(column.value or MISSING), key=key,
            format_func=lambda level: level or say_plain("whatif.missing"),
        )  # fmt: skip
        return picked or None
    text = st.text_input(label, value=column.value or "", key=key, max_chars=2_000)
    return text or None


def _show_number(column: InputColumn, key: str, label: str) -> str | None:
    own = None if column.value is None else float(column.value)
    value = st.number_input(
        label, value=own, key=key, step=1.0 if own is None or own == round(own) else None,
        format="%g" if own is None or abs(own) < 1e6 else "%.0f",
        placeholder=say_plain("whatif.missing"), help=column.range_text or None,
    )  # fmt: skip
    if value == own:
        return column.value
    return None if value is None else repr(float(value))


def _show_answer(answer: Answer) -> None:
    """Before and after beside each other, then every class."""
    before, after = answer.facts["before"], answer.facts["after"]
    left, right = st.columns(2)
    left.metric(say("whatif.before"), _say_value(before))
    right.metric(say("whatif.after"), _say_value(after))
    st.markdown(_describe(answer, before, after))
    if len(answer.frame) > 1:
        st.dataframe(
            answer.frame.rename(columns={"output": say_plain("explained.output")}),
            key="whatif_table", hide_index=True, alt=say_plain("whatif.table_alt"),
        )  # fmt: skip
    if answer.facts["changes"]:
        st.dataframe(
            pd.DataFrame(answer.facts["changes"]), key="whatif_changes", hide_index=True,
            alt=say_plain("whatif.changes_alt"),
        )  # fmt: skip
    show_limits(answer, key="whatif")


def _say_value(answer: Mapping[str, Any]) -> str:
    """A decision with its probability, or a value."""
    if answer["confidence"] is None:
        return format_number(answer["values"][0])
    return f"{answer['decision']} · {format_share(answer['confidence'])}"


def _describe(answer: Answer, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    row = answer.facts["row_id"]
    if not answer.facts["changes"]:
        return say("whatif.own", row=row, value=_say_value(before))
    values = {"row": row, "before": _say_value(before), "after": _say_value(after)}
    is_same = before["decision"] == after["decision"] and before["confidence"] is not None
    return say("whatif.same" if is_same else "whatif.moved", **values)
