"""System: worker, devices, jobs, disk, versions, log."""

import streamlit as st

from app.components.states import show_title
from app.components.system_view import (
    show_devices,
    show_disk,
    show_jobs,
    show_log,
    show_versions,
    show_workers,
)
from app.wording import say

show_title(say("system.title"), say("system.question"))
st.fragment(show_workers, run_every="5s")()
st.fragment(show_jobs, run_every="5s")()
left, right = st.columns(2, gap="large")
with left:
    show_devices()
    show_disk()
with right:
    show_versions()
show_log()
