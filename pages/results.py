"""Results: how good the best model is, how sure that is, and how close the others are."""

import streamlit as st

from app import results
from app.components.calibration_view import show_calibration
from app.components.curves_view import show_curves
from app.components.finished import open_page, require_result
from app.components.headline import show_headline
from app.components.leaderboard import show_leaderboard, show_leaderboard_figure
from app.components.model_view import show_model, show_protocol
from app.components.search_view import show_search_views
from app.components.states import show_title
from app.wording import say
from automl.jobs.records import JobState

show_title(say("results.title"), say("results.question"))
job, result = require_result()
opened = results.read_opened(job.id)
task = result.get("task")

show_headline(result, is_stopped=job.state is JobState.STOPPED)
with st.container(horizontal=True, key="ways_on"):
    has_audit = isinstance(task, dict) and task.get("type") == "binary"
    label = say("results.open_audit" if has_audit else "results.open_report")
    if st.button(label, key="open_audit", type="primary" if has_audit else "secondary"):
        open_page("audit")
    if st.button(
        say("results.open_models"), key="open_models", type="secondary" if has_audit else "primary"
    ):
        open_page("models")
show_leaderboard(result)

names = ("curves", "calibration", "search", "model", "protocol")
tabs = st.tabs([say(f"results.tab_{name}") for name in names], key="results_tab", on_change="rerun")
curves, calibration, search, model, protocol = tabs
if curves.open:
    with curves:
        target = task.get("target", "") if isinstance(task, dict) else job.title
        show_curves(opened, str(target))
if calibration.open:
    with calibration:
        show_calibration(opened, result)
if search.open:
    with search:
        show_leaderboard_figure(result)
        show_search_views(job.id, result)
if model.open:
    with model:
        show_model(result)
if protocol.open:
    with protocol:
        show_protocol(result)
