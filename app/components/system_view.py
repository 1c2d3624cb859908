"""The parts of the System page."""

import shutil
import time

import pandas as pd
import streamlit as st

from app import machine, services
from app.components.live_machine import show_stats
from app.components.numbers import format_bytes, format_count, format_duration, format_when
from app.components.states import render_state
from app.wording import escape, say, say_plain

N_JOBS = 20
N_LOG_SHOWN = 80
N_LOG_LOW = 10  # as many lines need no window that scrolls
LOG_HEIGHT = 320


def show_workers() -> None:
    """Who works, and how busy the machine is."""
    st.header(say("system.worker"), anchor=False)
    workers = services.list_workers()
    if not workers:
        st.badge(say("system.worker_none"), color="orange")
        st.write(say("frame.no_worker"))
        return
    for worker in workers:
        with st.container(horizontal=True, vertical_alignment="center", key=f"worker_{worker.pid}"):
            st.badge(say("system.worker_sign"), color="blue")
            ago = format_duration(max(0.0, time.time() - worker.heartbeat_at))
            facts = {"host": worker.host, "pid": worker.pid, "version": worker.version, "ago": ago}
            st.markdown(say("system.worker_here", **facts))
    with st.container(horizontal=True, gap="large", key="machine_stats"):
        show_stats(workers[0].stats)


def show_devices() -> None:
    """The slots trials run on, with what is wrong where something is."""
    st.header(say("system.devices"), anchor=False)
    devices = services.find_devices()
    for text in devices.warnings:
        st.warning(escape(text))
    st.caption(say("system.devices_note"))
    rows = [
        {
            say_plain("system.col_device"): slot.name,
            say_plain("system.col_title"): slot.title,
            say_plain("system.col_kind"): slot.kind.value,
            say_plain("system.col_memory"): format_bytes(slot.memory_bytes or None),
        }
        for slot in devices.slots
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, key="devices", alt=say_plain("system.devices_alt")
    )


def show_jobs() -> None:
    """The newest jobs of every kind."""
    st.header(say("system.jobs"), anchor=False)
    jobs = services.list_jobs(limit=N_JOBS)
    if not jobs:
        st.caption(say("system.jobs_none"))
        return
    rows = [
        {
            say_plain("system.col_kind"): say_plain(f"kind.{job.kind}"),
            say_plain("system.col_job"): job.title,
            say_plain("system.col_state"): render_state(job.state),
            say_plain("system.col_attempt"): job.attempt,
            say_plain("system.col_created"): format_when(job.created_at),
            say_plain("system.col_used"): format_duration(job.consumed_seconds),
            say_plain("system.col_why"): job.outcome.message if job.outcome else "",
        }
        for job in jobs
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, key="jobs", alt=say_plain("system.jobs_alt"),
        column_config={say_plain("system.col_why"): st.column_config.TextColumn(width="large")},
    )  # fmt: skip


def show_disk() -> None:
    """What the workspace takes, and what is left."""
    st.header(say("system.disk"), anchor=False)
    root = services.get_workspace().root
    free = format_bytes(shutil.disk_usage(root).free)
    st.caption(say("system.disk_note", folder=str(root), free=free))
    uses = _measure(str(root))
    rows = [
        {
            say_plain("system.col_what"): say_plain(f"folder.{use.name}"),
            say_plain("system.col_size"): format_bytes(use.size_bytes),
            say_plain("system.col_files"): format_count(use.n_files),
        }
        for use in uses
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="disk", alt=say_plain("system.disk_alt"))


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def _measure(_root: str) -> list[machine.FolderUse]:
    return machine.measure_folders()


def show_versions() -> None:
    """Fairloom and what it stands on."""
    st.header(say("system.versions"), anchor=False)
    names = (say_plain("system.col_package"), say_plain("system.col_version"))
    st.dataframe(
        pd.DataFrame(machine.list_versions(), columns=list(names)),
        hide_index=True,
        height="content",
        key="versions",
        alt=say_plain("system.versions_alt"),
    )


def show_log() -> None:
    """The newest lines of a log."""
    st.header(say("system.log"), anchor=False)
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    which = left.segmented_control(
        say("system.log_which"),
        ("worker", "web"),
        default="worker",
        required=True,
        format_func=lambda name: say(f"system.log_{name}"),
        key="log_which",
    )
    find = right.text_input(say("system.log_find"), key="log_find")
    lines = machine.read_log_lines(str(which), find or "")
    height = LOG_HEIGHT if len(lines) > N_LOG_LOW else "content"
    with st.container(height=height, border=True, key="log_lines"):
        if lines:
            st.code("\n".join(lines[:N_LOG_SHOWN]), language=None, wrap_lines=True)
        else:
            st.caption(say("system.log_none"))
