"""The check for columns that give the target away: a background job, watched while it runs."""

import streamlit as st
from pydantic import TypeAdapter

from app import services, session
from app.wording import say
from automl.data.dataset import Dataset, Note
from automl.data.setup import Setup
from automl.data.task import Task
from automl.jobs.records import Job, JobKind, JobState

_NOTES = TypeAdapter(tuple[Note, ...])


def watch_leaks(dataset: Dataset, setup: Setup, task: Task) -> tuple[Note, ...]:
    """The notes of the check for this target; while it runs, one line that says so, and no notes."""
    job = _find_check(dataset, setup, task)
    if job.state is JobState.SUCCEEDED:
        notes = _NOTES.validate_python(job.result.get("notes", ()))
        if not notes:
            text = say("set.leak_none")
            return (Note(code="leak", text=text),)
        return notes
    if job.state.is_active:
        _show_running(job, task)
    elif job.outcome is not None:
        st.caption(say("set.leak_failed", reason=job.outcome.message))
    return ()


def _find_check(dataset: Dataset, setup: Setup, task: Task) -> Job:
    key = services.get_check_key(dataset.id, setup, task)
    known = session.recall(f"check_{key}")
    job = services.read_job(known, JobKind.CHECK) if known else None
    if job is None:
        job = services.submit_check(dataset, setup, task)
        session.remember(f"check_{key}", job.id)
    return job


def _show_running(job: Job, task: Task) -> None:
    @st.fragment(run_every="1s")
    def live() -> None:
        now = services.read_job(job.id, JobKind.CHECK)
        if now is None or not now.state.is_active:
            st.rerun()
        elif now.state is JobState.QUEUED and not services.has_worker():
            st.caption(say("set.leak_waiting"))
        else:
            share = float(now.progress.get("fraction") or 0.0)
            st.progress(share, text=say("set.leak_checking", target=task.target))

    live()
