"""SHAP values: how far each column moves predictions, over a sample and for one row."""

from typing import Any

import streamlit as st

from app import results
from app.components.figure import show_figure
from app.components.question import show_limits, show_question
from app.table_explanations import Answer, ask
from app.wording import escape, say, say_plain
from automl.figures.shapley import (
    compute_shapley_summary,
    compute_waterfall,
    describe_shapley_bars,
    describe_swarm,
    describe_waterfall,
    plot_shapley_bars,
    plot_swarm,
    plot_waterfall,
)
from automl.jobs.records import Job
from automl.worker.explain_spec import ExplainSpec, Method


def show_shap(search: Job) -> None:
    """Bars and swarm of a sample, then one row; or the way to them."""
    st.markdown(say("shap.what"))
    asked = ask(search, Method.SHAP)
    answer = show_question(search, asked, key="shap", label=say("shap.start"))
    if answer is None:
        return
    output = choose_output(answer, key="shap_output")
    unit = name_unit(answer)
    summary = compute_shapley_summary(answer.frame, output)
    show_figure(
        plot_shapley_bars(summary, unit), key="shap_bars", title=say_plain("shap.bars"),
        alt=say_plain("shap.bars_alt"), frame=summary,
        sentence=describe_shapley_bars(summary, output, answer.facts["n_background"]),
    )  # fmt: skip
    show_figure(
        plot_swarm(answer.frame, summary, output, unit), key="shap_swarm",
        title=say_plain("shap.swarm"), alt=say_plain("shap.swarm_alt"),
        sentence=describe_swarm(answer.frame, summary, output), frame=answer.frame,
    )  # fmt: skip
    show_related(answer)
    show_limits(answer, key="shap")
    show_one_row(search, answer, output)


def choose_output(answer: Answer, *, key: str) -> str:
    """The class that is shown; one output needs no choice."""
    outputs = answer.record.outputs
    if len(outputs) == 1:
        return outputs[0]
    return str(st.selectbox(say("explained.output"), outputs, key=key, width=320) or outputs[0])


def name_unit(answer: Answer) -> str:
    """What the values are counted in: probability, or the unit of the target."""
    kind = "value" if answer.record.task_type == "regression" else "probability"
    return say_plain(f"explained.unit_{kind}")


def name_prediction(answer: Answer, output: str) -> str:
    """What is predicted: the probability of a class, or the target."""
    kind = "value" if answer.record.task_type == "regression" else "probability"
    return say_plain(f"explained.predicted_{kind}", output=output)


def show_related(answer: Answer) -> None:
    """Columns that say much the same: their shares may be exchanged."""
    related = answer.facts.get("related") or ()
    if related:
        sets = "; ".join(", ".join(names) for names in related[:5])
        st.caption(escape(say_plain("shap.related", sets=sets)))


def show_one_row(search: Job, sample: Answer, output: str) -> None:
    """The waterfall of a row: of the sample at once, of any other test row by a job."""
    st.markdown(f"#### {say('shap.row')}")
    drawn = [each["row_id"] for each in sample.facts["predictions"]]
    row = st.number_input(
        say("explained.row"), min_value=0, value=drawn[0], step=1, key="shap_row", width=220,
        help=say("explained.row_help"),
    )  # fmt: skip
    answer: Answer | None = sample
    if row not in drawn:
        if not is_tested(search, int(row)):
            st.info(say("explained.not_tested", row=int(row)))
            return
        asked = ExplainSpec(
            search=search.id, method=Method.SHAP, made=str(sample.record.settings["made"]),
            rows=(int(row),),
        )  # fmt: skip
        answer = show_question(search, asked, key="shap_one", label=say("shap.start_row"))
    if answer is not None:
        _show_waterfall(answer, int(row), output)


def is_tested(search: Job, row: int) -> bool:
    """Whether a row id belongs to the test part."""
    predictions = results.read_predictions(search.id)
    return predictions is not None and bool((predictions["row_id"] == row).any())


def _show_waterfall(answer: Answer, row: int, output: str) -> None:
    place = answer.record.outputs.index(output)
    base = float(answer.facts["base"][place])
    predictions: list[dict[str, Any]] = answer.facts["predictions"]
    predicted = next(each["values"][place] for each in predictions if each["row_id"] == row)
    steps = compute_waterfall(answer.frame, row, output)
    show_figure(
        plot_waterfall(steps, base, name_prediction(answer, output)),
        key="shap_waterfall", alt=say_plain("shap.waterfall_alt", row=row), frame=steps,
        sentence=describe_waterfall(steps, base, float(predicted), output, row),
    )  # fmt: skip
