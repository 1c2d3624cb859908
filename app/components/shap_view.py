"""SHAP values: how far each column moves predictions, over a sample and for one row."""

from typing import Any

import streamlit as st

from app import results
from app.components.figure import show_figure
from app.components.numbers import format_number, format_share
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
    """Bars and swarm of a sample, then one row; or the way to them. Networks may be asked by their gradients too."""
    method = Method.SHAP
    if _has_network(search):
        picked = st.segmented_control(
            say("shap.method"), [Method.SHAP, Method.GRADIENTS], default=Method.SHAP,
            required=True, key="shap_method",
            format_func=lambda each: say_plain(f"shap.method_{each}"),
        )  # fmt: skip
        method = Method(picked or Method.SHAP)
    st.markdown(say(f"shap.what_{method}"))
    asked = ask(search, method)
    answer = show_question(search, asked, key=str(method), label=say(f"shap.start_{method}"))
    if answer is None:
        return
    output = choose_output(answer, key="shap_output")
    unit = name_unit(answer)
    summary = compute_shapley_summary(answer.frame, output)
    show_figure(
        plot_shapley_bars(summary, unit), key="shap_bars", title=say_plain("shap.bars"),
        alt=say_plain("shap.bars_alt"), frame=summary,
        sentence=describe_shapley_bars(summary, output, _name_start(answer)),
    )  # fmt: skip
    show_figure(
        plot_swarm(answer.frame, summary, output, unit), key="shap_swarm",
        title=say_plain("shap.swarm"), alt=say_plain("shap.swarm_alt"),
        sentence=describe_swarm(answer.frame, summary, output), frame=answer.frame,
    )  # fmt: skip
    show_related(answer)
    _show_gap(answer)
    show_limits(answer, key=str(method))
    show_one_row(search, answer, output)


def _has_network(search: Job) -> bool:
    """Whether the winner is a network, or an ensemble with one in it."""
    winner = (results.read_result(search.id) or {}).get("winner") or {}
    members = winner.get("ensemble") or ()
    return bool(winner.get("is_network")) or any(each.get("is_network") for each in members)


def _name_start(answer: Answer) -> str:
    """What values are counted from."""
    key = "shap.from_mean" if answer.record.method is Method.SHAP else "shap.from_input"
    return say_plain(key, n=answer.facts["n_background"])


def _show_gap(answer: Answer) -> None:
    """How far gradients miss the prediction, and what was left out because it has none."""
    if answer.record.method is not Method.GRADIENTS:
        return
    facts = answer.facts
    st.caption(
        say(
            "shap.gap", steps=facts["n_steps"], gap=format_number(facts["largest_gap"]),
            share=format_share(facts["relative_gap"]), n=facts["n_networks"],
        )
    )  # fmt: skip
    if facts["share"] < 1 - 1e-9:
        st.caption(say("shap.left_out", share=format_share(1 - facts["share"])))


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
            search=search.id, method=sample.record.method, made=str(sample.record.settings["made"]),
            rows=(int(row),),
        )  # fmt: skip
        answer = show_question(
            search, asked, key=f"{asked.method}_one", label=say("shap.start_row")
        )
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
        sentence=describe_waterfall(
            steps, base, float(predicted), (output, _name_start(answer), row)
        ),
    )  # fmt: skip
