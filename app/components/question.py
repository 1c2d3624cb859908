"""One question about a model as a page shows it: asked for, watched, cancelled, answered and kept."""

import streamlit as st

from app import services, table_explanations
from app.components.states import show_error
from app.table_explanations import Answer
from app.wording import escape, say, say_plain
from automl.jobs.records import Job, JobState
from automl.worker.explain_spec import ExplainSpec
from fairness.errors import FairloomError

EVERY = "1s"


def show_question(search: Job, asked: ExplainSpec, *, key: str, label: str) -> Answer | None:
    """The answer, once it is there; until then its state, and the button ``<key>_start`` that asks.

    ``label`` is the button's. Progress has the button ``<key>_cancel``.
    """
    with st.container(key=f"{key}_question"):
        job = table_explanations.find_question(asked)
        if job is None:
            _offer(search, asked, key, label)
            return None
        if job.state.is_active:
            _show_live(asked, key)
            return None
        return _show_end(job, search, asked, key)


def _offer(search: Job, asked: ExplainSpec, key: str, label: str) -> None:
    if not services.has_worker():
        st.caption(say("frame.no_worker"))
    if st.button(label, key=f"{key}_start", icon=":material/lightbulb:"):
        table_explanations.submit_question(search, asked)
        st.rerun()


def _show_live(asked: ExplainSpec, key: str) -> None:
    @st.fragment(run_every=EVERY)
    def live() -> None:
        job = table_explanations.find_question(asked)
        if job is None or not job.state.is_active:
            st.rerun()
        _show_progress(job, key)

    live()


def _show_progress(job: Job, key: str) -> None:
    fraction = min(max(float(job.progress.get("fraction", 0.0)), 0.0), 1.0)
    is_queued = job.state is JobState.QUEUED
    words = str(job.progress.get("words") or say_plain("explained.working"))
    st.progress(fraction, text=say("explained.queued") if is_queued else escape(words))
    if job.stop_mode is not None:
        st.caption(say("explained.stopping"))
        return
    st.button(
        say("explained.cancel"), key=f"{key}_cancel", icon=":material/close:",
        on_click=services.stop_job, args=(job.id,),
    )  # fmt: skip


def _show_end(job: Job, search: Job, asked: ExplainSpec, key: str) -> Answer | None:
    try:
        answer = table_explanations.read_answer(job) if job.state is JobState.SUCCEEDED else None
    except FairloomError as error:
        answer = None
        show_error(error)
    else:
        if answer is not None:
            return answer
        if job.outcome is not None and job.state is JobState.FAILED:
            show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
        else:
            st.info(
                say("explained.stopped" if job.state is JobState.STOPPED else "explained.absent")
            )
    _offer(search, asked, key, say("explained.again"))
    return None


def show_limits(answer: Answer, *, key: str) -> None:
    """What the method cannot tell, and the button ``<key>_json`` with everything that was found."""
    st.caption(escape(say_plain("explained.limits", text=answer.record.limits)))
    record = answer.record
    st.download_button(
        say("explained.json"), data=lambda: table_explanations.render_answer(answer).encode(),
        file_name=f"{record.method}-{record.model_hash[:8] or 'model'}.json",
        mime="application/json", key=f"{key}_json", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
