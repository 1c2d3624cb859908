"""The Threshold tab: one threshold and four costs move everything that depends on a decision."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import audits, results, thresholds
from app.components.audit_tables import describe_gaps
from app.components.audit_view import pick_attribute
from app.components.figure import show_figure
from app.components.threshold_choice import edit_costs, pick_rule, pick_threshold, show_best
from app.components.threshold_store import offer_storing, show_stored
from app.components.threshold_tables import (
    build_confusion,
    build_group_table,
    build_measure_table,
    build_measures,
)
from app.results import Opened
from app.theme import is_dark
from app.thresholds import View
from app.wording import say, say_plain
from automl.data.task import Task
from automl.evaluation.cuts import Cuts
from automl.evaluation.decision_curve import compute_cost_curve, compute_decision_curve
from automl.evaluation.threshold_change import read_threshold
from automl.figures.confusion import compute_shares, describe_confusion, plot_confusion
from automl.figures.decision import (
    describe_cost_curve,
    describe_decision_curve,
    describe_point,
    mark_point,
    plot_cost_curve,
    plot_decision_curve,
)
from automl.figures.precision_recall import plot_precision_recall
from automl.figures.roc import plot_roc
from automl.jobs.records import Job
from fairness import figures, frames
from fairness.estimates import Estimate

Measures = Mapping[str, Mapping[str, Estimate]]


def show_threshold(job: Job, result: Mapping[str, Any], opened: Sequence[Opened]) -> None:
    """What the model decides by, and what another threshold would give; the reason where there is none."""
    task = thresholds.read_task(job, result)
    if task is None:
        kind = audits.read_task(job, result).type
        st.info(say(f"threshold.none_{kind}"))
        return
    if results.read_predictions(job.id) is None:
        st.info(say("audit.no_predictions"))
        return
    show_stored(job, result, task)
    _show_look(job, result, task, opened)


@st.fragment
def _show_look(job: Job, result: Mapping[str, Any], task: Task, opened: Sequence[Opened]) -> None:
    """All that follows the slider; drawn alone when it moves."""
    view = thresholds.read_view(read_threshold(result))
    cuts = {part: thresholds.read_cuts(job.id, task, part) for part in ("calibrate", "test")}
    st.caption(say("threshold.look"))
    if view.ignored:
        st.warning(say("threshold.ignored", names=", ".join(view.ignored)))
    left, right = st.columns(2, gap="large")
    with left:
        pick_threshold(view, task)
        st.subheader(say("threshold.best"), anchor=False)
        pick_rule(view)
        best = thresholds.find_best(job.id, task, view.rule)
        show_best(best)
    with right:
        edit_costs(view, task)
    measures = build_measures(cuts, view.threshold, view.costs)
    tested = cuts["test"]
    if tested is None:
        return
    _show_numbers(result, task, tested, view, measures)
    _show_ranking(opened, tested, view, measures["test"])
    _show_worth(tested, view)
    _show_groups(job, task, view)
    offer_storing(job, result, view, best)


def _show_numbers(
    result: Mapping[str, Any], task: Task, cuts: Cuts, view: View, measures: Measures
) -> None:
    st.subheader(say("threshold.numbers", threshold=f"{view.threshold:g}"), anchor=False)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.dataframe(
            build_measure_table(measures), key="threshold_measures", hide_index=True,
            height="content", alt=say_plain("threshold.measure"),
        )  # fmt: skip
        st.caption(say("threshold.numbers_note"))
        if (result.get("protocol") or {}).get("weight"):
            st.caption(say("threshold.weighted"))
    frame = build_confusion(task, cuts, view.threshold)
    with right:
        show_figure(
            plot_confusion(frame, "row"), key="threshold_confusion",
            title=say_plain("curves.confusion"), alt=say_plain("curves.confusion_alt"),
            sentence=describe_confusion(frame), frame=compute_shares(frame, "row"),
        )  # fmt: skip


def _show_ranking(
    opened: Sequence[Opened], cuts: Cuts, view: View, measures: Mapping[str, Estimate]
) -> None:
    """The curves of the winner with the place of the threshold on them."""
    if not opened:
        return
    curves = opened[0].evaluation.curves
    recall, alarm, precision = (
        measures[name].value for name in ("true_positive_rate", "false_positive_rate", "precision")
    )
    at, name = view.threshold, f"at {view.threshold:g}"
    left, right = st.columns(2, gap="medium")
    if len(curves.get("roc", ())):
        with left:
            show_figure(
                mark_point(plot_roc(curves["roc"]), alarm, recall, name), key="threshold_roc",
                title=say_plain("curves.roc"), alt=say_plain("curves.roc_alt", n=1),
                sentence=describe_point(
                    at, ("false-positive rate", alarm), ("true-positive rate", recall), cuts.n
                ),
                frame=curves["roc"],
            )  # fmt: skip
    if len(curves.get("precision_recall", ())):
        rate = cuts.n_positive / cuts.n
        with right:
            show_figure(
                mark_point(plot_precision_recall(curves["precision_recall"], rate), recall, precision, name),
                key="threshold_pr", title=say_plain("curves.pr"), alt=say_plain("curves.pr_alt", n=1),
                sentence=describe_point(at, ("recall", recall), ("precision", precision), cuts.n),
                frame=curves["precision_recall"],
            )  # fmt: skip


def _show_worth(cuts: Cuts, view: View) -> None:
    left, right = st.columns(2, gap="medium")
    benefit, cost = compute_decision_curve(cuts), compute_cost_curve(cuts, view.costs)
    with left:
        show_figure(
            plot_decision_curve(benefit, view.threshold), key="decision_curve",
            title=say_plain("threshold.decision"), alt=say_plain("threshold.decision_alt"),
            sentence=describe_decision_curve(benefit, view.threshold, cuts.n), frame=benefit,
        )  # fmt: skip
    with right:
        show_figure(
            plot_cost_curve(cost, view.threshold, view.costs.implied_threshold), key="cost_curve",
            title=say_plain("threshold.cost"), alt=say_plain("threshold.cost_alt"),
            sentence=describe_cost_curve(cost, view.threshold, cuts.n), frame=cost,
        )  # fmt: skip


def _show_groups(job: Job, task: Task, view: View) -> None:
    """Rates of every group and their signed gaps at this threshold."""
    audit = thresholds.compute_groups(job.id, task, view.threshold, audits.read_plan(job))
    st.subheader(say("threshold.groups", threshold=f"{view.threshold:g}"), anchor=False)
    if audit is None:
        st.caption(say("threshold.groups_none"))
        return
    attribute = pick_attribute(tuple(audit.references), key="threshold_attribute")
    reference = audit.references[attribute]
    st.dataframe(
        build_group_table(audit, attribute), key="threshold_group_table", hide_index=True,
        alt=say_plain("audit.table_groups"),
    )  # fmt: skip
    st.caption(say("threshold.groups_note", reference=reference))
    gaps = frames.build_gap_frame(audit, attribute)
    if len(gaps):
        show_figure(
            figures.plot_gaps(gaps, dark=is_dark()), key="threshold_gaps", frame=gaps,
            alt=say_plain("threshold.groups_alt", attribute=attribute, reference=reference),
            sentence=describe_gaps(gaps, reference),
        )  # fmt: skip
