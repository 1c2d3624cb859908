"""The progress of an import, from the upload to the open data set."""

import streamlit as st

from app import services, session
from app.components.states import show_error, show_title
from app.wording import say
from automl.jobs.records import Job, JobKind, JobState
from fairness.errors import FairloomError


def show_import(job_id: str) -> None:
    """Draw one import; when it is done its data set opens."""
    job = services.read_job(job_id, JobKind.IMPORT)
    if job is None:
        session.set_open("import", None)
        st.warning(say("import.gone"))
        return
    if job.state is JobState.SUCCEEDED:
        session.open_dataset(services.accept_import(job))
        st.rerun()
    show_title(say("import.title", name=job.title), say("import.question"))
    if job.state.is_active:
        _show_live(job)
        if st.button(say("import.cancel"), key="cancel_import"):
            services.stop_job(job.id)
            session.set_open("import", None)
            st.rerun()
        return
    _show_end(job)


def _show_live(job: Job) -> None:
    @st.fragment(run_every="0.5s")
    def live() -> None:
        now = services.read_job(job.id, JobKind.IMPORT)
        if now is None or not now.state.is_active:
            st.rerun()
        else:
            _show_progress(now)

    live()


def _show_progress(job: Job) -> None:
    fraction = float(job.progress.get("fraction", 0.0))
    starting = "import.waiting" if job.state is JobState.QUEUED else "import.starting"
    st.progress(min(max(fraction, 0.0), 1.0), text=str(job.progress.get("words") or say(starting)))
    if job.state is JobState.QUEUED and not services.has_worker():
        st.warning(say("frame.no_worker"))


def _show_end(job: Job) -> None:
    if job.outcome is not None and job.state is JobState.FAILED:
        st.markdown(f"**{say('import.failed', name=job.title)}**")
        show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
    else:
        st.info(say("import.stopped", name=job.title))
    if st.button(say("import.back"), key="import_back", type="primary"):
        session.set_open("import", None)
        st.rerun()
