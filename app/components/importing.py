"""The progress of an import, from the upload to the open data set."""

import streamlit as st

from app import imports, services, session
from app.components.reading import show_reading
from app.components.states import show_error, show_title
from app.errors import UploadError
from app.wording import say
from automl.errors import UnclearFile
from automl.jobs.records import Job, JobKind, JobState
from fairness.errors import FairloomError


def show_import(job_id: str) -> None:
    """Draw one import; when it is done its data set opens."""
    job = services.read_job(job_id, JobKind.IMPORT)
    if job is None:
        session.set_open("import", None)
        session.remember(
            "data_error", UploadError(say("import.gone"), hint=say("import.gone_hint"))
        )
        st.rerun()
    if job.state is JobState.SUCCEEDED:
        session.open_dataset(imports.accept_import(job))
        st.rerun()
    if job.state.is_active:
        show_title(say("import.title", name=job.title), say("import.question"))
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
    """What went wrong and the ways on: read it another way where that may help, or take another file."""
    can_reread = False
    if job.outcome is not None and job.state is JobState.FAILED:
        show_title(say("import.failed", name=job.title), say("import.failed_question"))
        show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
        can_reread = job.outcome.kind == UnclearFile.__name__ and imports.has_upload(job)
    else:
        show_title(say("import.stopped", name=job.title), say("import.stopped_question"))
    if can_reread:
        with st.container(border=True, key="reread"):
            st.header(say("reading.heading"), anchor=False)
            st.caption(say("import.failed_again"))
            show_reading(job, is_primary=True)
    if st.button(
        say("import.back"), key="import_back", type="secondary" if can_reread else "primary"
    ):
        session.set_open("import", None)
        st.rerun()
