"""Would more rows help? The curve over data size: asked for, watched, cancelled, and shown when it is done."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import data_sizes, results, services
from app.components.figure import show_figure
from app.components.states import show_error
from app.wording import escape, say, say_plain
from automl.evaluation.data_size import SizeCurve
from automl.figures.data_size import compute_size_frame, describe_sizes, plot_sizes
from automl.jobs.records import Job, JobState
from automl.worker.sizes_handler import SizesSpec, find_obstacle, plan_sizes
from fairness.errors import FairloomError

EVERY = "1s"


def show_data_sizes(search: Job, result: Mapping[str, Any]) -> None:
    """The curve in its present state; the reason where there can be none."""
    asked = plan_sizes(search.spec, result, search.id)
    if asked is None:
        return
    st.markdown(f"#### {say('sizes.title')}")
    if obstacle := find_obstacle(asked.family):
        st.caption(say("sizes.none", name=asked.name, reason=obstacle))
        return
    with st.container(key="data_size_curve"):
        job = data_sizes.find_curve(asked)
        if job is not None and job.state.is_active:
            _show_live(asked)
        elif job is not None:
            _show_end(job, search, asked)
        else:
            _offer(search, asked, say("sizes.start"))


def _offer(search: Job, asked: SizesSpec, label: str) -> None:
    st.markdown(say("sizes.what", name=asked.name))
    if not services.has_worker():
        st.caption(say("frame.no_worker"))
    if st.button(label, key="sizes_start", icon=":material/trending_up:"):
        data_sizes.submit_curve(search, asked)
        st.rerun()


def _show_live(asked: SizesSpec) -> None:
    @st.fragment(run_every=EVERY)
    def live() -> None:
        job = data_sizes.find_curve(asked)
        if job is None or not job.state.is_active:
            st.rerun()
        _show_progress(job)

    live()


def _show_progress(job: Job) -> None:
    fraction = min(max(float(job.progress.get("fraction", 0.0)), 0.0), 1.0)
    is_queued = job.state is JobState.QUEUED
    words = str(job.progress.get("words") or say_plain("sizes.working"))
    st.progress(fraction, text=say("sizes.queued") if is_queued else escape(words))
    if job.stop_mode is not None:
        st.caption(say("sizes.stopping"))
        return
    st.button(
        say("sizes.cancel"), key="sizes_cancel", icon=":material/close:",
        on_click=services.stop_job, args=(job.id,),
    )  # fmt: skip


def _show_end(job: Job, search: Job, asked: SizesSpec) -> None:
    try:
        curve = data_sizes.read_curve(job) if job.state is JobState.SUCCEEDED else None
    except FairloomError as error:
        show_error(error)
    else:
        if curve is not None:
            show_curve(curve)
            return
        if job.outcome is not None and job.state is JobState.FAILED:
            show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
        else:
            st.info(say("sizes.stopped" if job.state is JobState.STOPPED else "sizes.absent"))
    _offer(search, asked, say("sizes.again"))


def show_curve(curve: SizeCurve) -> None:
    """The figure with its sentence and its table."""
    frame, metric = compute_size_frame(curve), results.get_metric_title(curve.metric)
    show_figure(
        plot_sizes(frame, metric), key="data_sizes", alt=say_plain("sizes.alt", metric=metric),
        sentence=describe_sizes(curve, metric), frame=frame,
    )  # fmt: skip
