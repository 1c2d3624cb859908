"""Partial dependence, single rows and local effects of one column."""

import streamlit as st

from app.components.figure import show_figure
from app.components.question import show_limits, show_question
from app.components.shap_view import choose_output, name_prediction
from app.table_explanations import ask
from app.wording import escape, say, say_plain
from automl.evaluation.explaining.effects import MOST_COLUMNS
from automl.figures.effects import describe_effect, plot_effect, select_effect
from automl.jobs.records import Job
from automl.worker.explain_spec import Method


def show_effects(search: Job) -> None:
    """The figure of the chosen column; all columns are computed at once, of a wide table each alone."""
    st.markdown(say("effects.what"))
    names = _list_columns(search)
    picked = ()
    if len(names) > MOST_COLUMNS:
        picked = (str(st.selectbox(say("effects.column"), names, key="effect_of", width=320)),)
    asked = ask(search, Method.EFFECTS, columns=picked)
    answer = show_question(search, asked, key="effects", label=say("effects.start"))
    if answer is None:
        return
    columns = list(dict.fromkeys(answer.frame["column"]))
    if not columns:
        st.info(say("effects.none"))
        return
    column = picked[0] if picked else st.selectbox(
        say("effects.column"), columns, key="effect_column", width=320
    )  # fmt: skip
    output = choose_output(answer, key="effect_output")
    effect = select_effect(answer.frame, str(column), output)
    unit = name_prediction(answer, output)
    show_figure(
        plot_effect(effect, answer.facts["kinds"][column], unit), key="effect",
        title=say_plain("effects.title", column=column), alt=say_plain("effects.alt", column=column),
        sentence=describe_effect(effect, unit), frame=effect,
    )  # fmt: skip
    left_out = answer.facts["left_out"]
    if left_out:
        st.caption(escape(say_plain("effects.left_out", names=", ".join(left_out[:10]))))
    show_limits(answer, key="effects")


def _list_columns(search: Job) -> list[str]:
    """The inputs of the model, as the search was told."""
    return [
        str(column["name"])
        for column in search.spec.get("columns") or ()
        if column["role"] == "feature" or (column["role"] == "sensitive" and column.get("is_input"))
    ]
