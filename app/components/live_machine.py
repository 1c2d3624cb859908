"""Devices, memory and the log's tail of a running search."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import live, services
from app.components.numbers import format_bytes, format_count, format_when
from app.wording import escape, say
from automl.jobs.records import Job


def show_machine(search: Job) -> None:
    """What runs where, and how much of the machine is in use, while a search is active."""
    devices = search.progress.get("devices") or ()
    workers = services.list_workers()
    if not search.state.is_active or not (devices or workers):
        return
    st.header(say("live.machine"), anchor=False)
    with st.container(horizontal=True, gap="medium", key="machine"):
        for worker in workers[:1]:
            show_stats(worker.stats)
    lines = [_describe_device(device) for device in devices]
    if lines:
        st.caption(" · ".join(lines))


def _describe_device(device: object) -> str:
    if not isinstance(device, dict):
        return escape(device)
    if device.get("trial") is None:
        return say("live.device_idle", name=device.get("name", ""))
    n_running = int(device.get("n_running") or 1)
    if n_running > 1:
        count = format_count(n_running)
        return say("live.device_pack", name=device.get("name", ""), count=count)
    return say("live.device", name=device.get("name", ""), trial=device["trial"])


def show_stats(stats: object) -> None:
    """CPU, memory, disk and GPUs as sampled by the worker."""
    values = stats if isinstance(stats, dict) else {}
    if values.get("cpu_percent") is not None:
        st.metric(say("live.cpu"), f"{values['cpu_percent']:.0f} %", width="content")
    _show_sizes(say("live.memory"), values, "memory")
    if values.get("disk_free_bytes") is not None:
        st.metric(say("live.disk"), format_bytes(values["disk_free_bytes"]), width="content")
    for device in values.get("devices") or ():
        if device.get("memory_total_bytes"):
            _show_sizes(str(device.get("title") or device.get("name")), device, "memory")
        if device.get("load_percent") is not None:
            st.metric(say("live.load"), f"{device['load_percent']:.0f} %", width="content")


def _show_sizes(label: str, values: Mapping[str, Any], what: str) -> None:
    used, total = values.get(f"{what}_used_bytes"), values.get(f"{what}_total_bytes")
    if total:
        text = f"{format_bytes(used)} / {format_bytes(total)}"
        st.metric(escape(label), text, width="content")


def show_log(search: Job) -> None:
    """The last lines of the search's log, newest first."""
    with st.expander(say("live.log"), key="log"):
        lines = live.read_log(search.id)
        if not lines:
            st.caption(say("live.log_empty"))
            return
        text = "\n".join(
            f"{format_when(line.get('at'))}  {line.get('level', ''):<8}{line.get('message', '')}"
            for line in reversed(lines)
        )
        with st.container(height=240, border=False, key="log_lines"):
            st.text(text)
