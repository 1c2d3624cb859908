"""The threshold that a model decides by: said, changed for good with a reason, undone, and its job watched."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import services, thresholds
from app.components.states import show_error
from app.thresholds import View
from app.wording import escape, say, say_plain
from automl.data.task import Task
from automl.evaluation.outcomes import THRESHOLD
from automl.evaluation.threshold_change import (
    MOST_NAME,
    MOST_REASON,
    ThresholdRequest,
    describe_change,
    describe_rule,
    read_changes,
    read_threshold,
)
from automl.evaluation.thresholds import BestThreshold
from automl.jobs.records import Job, JobState
from fairness.errors import FairloomError

EVERY = "1s"


def show_stored(job: Job, result: Mapping[str, Any], task: Task) -> None:
    """What the model decides by, who stored it, when and why; the way back; the job that is changing it."""
    changes, positive = read_changes(result), str(task.positive)
    with st.container(key="threshold_stored"):
        if not changes:
            st.markdown(say("threshold.default", positive=positive))
        else:
            st.markdown(
                say(
                    "threshold.stored", positive=positive, threshold=f"{changes[-1].threshold:g}",
                    said=describe_change(changes[-1]).rstrip("."),
                )
            )  # fmt: skip
        running = thresholds.find_change(job.id)
        if running is not None and running.state.is_active:
            _show_live(job.id)
            return
        _show_failure(running)
        if read_threshold(result) != THRESHOLD and st.button(
            say("threshold.undo"), key="threshold_undo", icon=":material/undo:"
        ):
            _submit(job, ThresholdRequest())
        if len(changes) > 1:
            with st.expander(say("threshold.history", n=len(changes) - 1), key="threshold_history"):
                lines = (f"- {escape(describe_change(each))}" for each in reversed(changes[:-1]))
                st.markdown("\n".join(lines))


def _show_live(search_id: str) -> None:
    @st.fragment(run_every=EVERY)
    def live() -> None:
        job = thresholds.find_change(search_id)
        if job is None or not job.state.is_active:
            st.rerun()
        fraction = min(max(float(job.progress.get("fraction", 0.0)), 0.0), 1.0)
        words = str(job.progress.get("words") or say_plain("threshold.starting"))
        key = "threshold.queued" if job.state is JobState.QUEUED else "threshold.running"
        st.progress(fraction, text=say(key, words=words))

    live()


def _show_failure(job: Job | None) -> None:
    if job is None or job.state is not JobState.FAILED:
        return
    if job.outcome is None:
        st.error(say("threshold.failed"))
        return
    show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))


def offer_storing(
    job: Job, result: Mapping[str, Any], view: View, best: BestThreshold | None
) -> None:
    """Store what is looked at, with a reason; as the rule's finding where it is that, else as set by hand."""
    running = thresholds.find_change(job.id)
    if running is not None and running.state.is_active:
        return
    st.subheader(say("threshold.store"), anchor=False)
    text = f"{view.threshold:g}"
    if view.threshold == read_threshold(result):
        st.caption(say("threshold.same", threshold=text))
        return
    is_found = best is not None and best.threshold == view.threshold
    source = (
        say_plain("threshold.source_rule", rule=describe_rule(view.rule))
        if is_found
        else say_plain("threshold.source_hand")
    )
    if not services.has_worker():
        st.caption(say("frame.no_worker"))
    with st.form("store_threshold"):
        st.markdown(say("threshold.store_text", threshold=text, source=source))
        reason = st.text_input(
            say("threshold.reason"), key="threshold_reason", max_chars=MOST_REASON,
            placeholder=say_plain("threshold.reason_hint"),
        )  # fmt: skip
        by = st.text_input(
            say("threshold.by"), key="threshold_by", max_chars=MOST_NAME,
            placeholder=say_plain("threshold.by_hint"), width=320,
        )  # fmt: skip
        label = say("threshold.store_button", threshold=text)
        is_sent = st.form_submit_button(label, key="threshold_store", icon=":material/save:")
    if is_sent:
        _submit(job, _build_request(view, reason, by, is_found=is_found))


def _build_request(view: View, reason: str, by: str, *, is_found: bool) -> ThresholdRequest:
    if is_found:
        return ThresholdRequest(
            goal=view.rule.goal, level=view.rule.level, costs=view.costs, reason=reason, by=by
        )
    return ThresholdRequest(threshold=view.threshold, costs=view.costs, reason=reason, by=by)


def _submit(job: Job, request: ThresholdRequest) -> None:
    try:
        thresholds.submit_change(job, request)
    except FairloomError as error:
        show_error(error)
        return
    st.rerun()
