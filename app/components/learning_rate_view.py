"""The learning-rate test under the network's drawing: asked for, watched, cancelled, and shown when it is done."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import learning_rates, services
from app.components.figure import show_figure
from app.components.states import show_error
from app.wording import escape, say, say_plain
from automl.figures.learning_rates import (
    compute_rate_frame,
    describe_learning_rates,
    plot_learning_rates,
)
from automl.jobs.records import Job, JobState
from automl.training.learning_rates import RateTest, find_obstacle
from automl.worker.rates_handler import RatesSpec, plan_test
from fairness.errors import FairloomError

EVERY = "1s"


def show_learning_rates(search: Job, result: Mapping[str, Any]) -> None:
    """The test of the best network in its present state; the reason where there can be none."""
    asked = plan_test(search.spec, result, search.id)
    if asked is None:
        return
    st.markdown(f"#### {say('rates.title', name=asked.name)}")
    if obstacle := find_obstacle(asked.family, asked.config):
        st.caption(say("rates.none", reason=obstacle))
        return
    with st.container(key="learning_rate_test"):
        job = learning_rates.find_test(asked)
        if job is not None and job.state.is_active:
            _show_live(asked)
        elif job is not None:
            _show_end(job, search, asked)
        else:
            _offer(search, asked, say("rates.start"))


def _offer(search: Job, asked: RatesSpec, label: str) -> None:
    st.markdown(say("rates.what"))
    if not services.has_worker():
        st.caption(say("frame.no_worker"))
    if st.button(label, key="rates_start", icon=":material/speed:"):
        learning_rates.submit_test(search, asked)
        st.rerun()


def _show_live(asked: RatesSpec) -> None:
    @st.fragment(run_every=EVERY)
    def live() -> None:
        job = learning_rates.find_test(asked)
        if job is None or not job.state.is_active:
            st.rerun()
        _show_progress(job)

    live()


def _show_progress(job: Job) -> None:
    fraction = min(max(float(job.progress.get("fraction", 0.0)), 0.0), 1.0)
    is_queued = job.state is JobState.QUEUED
    words = str(job.progress.get("words") or say_plain("rates.working"))
    st.progress(fraction, text=say("rates.queued") if is_queued else escape(words))
    if job.stop_mode is not None:
        st.caption(say("rates.stopping"))
        return
    st.button(
        say("rates.cancel"), key="rates_cancel", icon=":material/close:",
        on_click=services.stop_job, args=(job.id,),
    )  # fmt: skip


def _show_end(job: Job, search: Job, asked: RatesSpec) -> None:
    try:
        test = learning_rates.read_test(job) if job.state is JobState.SUCCEEDED else None
    except FairloomError as error:
        test = None
        show_error(error)
    else:
        if test is not None:
            show_test(test)
            return
        if job.outcome is not None and job.state is JobState.FAILED:
            show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
        else:
            st.info(say("rates.stopped" if job.state is JobState.STOPPED else "rates.absent"))
    _offer(search, asked, say("rates.again"))


def show_test(test: RateTest) -> None:
    """The figure with its sentence and its table."""
    frame = compute_rate_frame(test)
    show_figure(
        plot_learning_rates(frame, test), key="learning_rates", alt=say_plain("rates.alt"),
        sentence=describe_learning_rates(frame, test), frame=frame,
    )  # fmt: skip
