"""Permutation importance: which columns the score of the model hangs on."""

import streamlit as st

from app import results
from app.components.figure import show_figure
from app.components.question import show_limits, show_question
from app.table_explanations import ask
from app.wording import escape, say, say_plain
from automl.figures.permutation import describe_permutation, describe_score, plot_permutation
from automl.jobs.records import Job
from automl.worker.explain_spec import Method


def show_importance(search: Job) -> None:
    """The figure with its sentence and table, or the way to it."""
    st.markdown(say("importance.what"))
    asked = ask(search, Method.IMPORTANCE)
    answer = show_question(search, asked, key="importance", label=say("importance.start"))
    if answer is None:
        return
    metric = results.get_metric_title(answer.facts["metric"])
    frame = answer.frame
    show_figure(
        plot_permutation(frame, metric), key="permutation", alt=say_plain("importance.alt"),
        title=say_plain("importance.title"), frame=frame,
        sentence=describe_permutation(
            frame, metric, answer.facts["n_repeats"], answer.facts["related"]
        ),
    )  # fmt: skip
    st.caption(escape(describe_score(answer.facts["score"], metric)))
    show_limits(answer, key="importance")
