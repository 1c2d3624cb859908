"""Results: how good the best model is, how sure that is, and how close the others are."""

import streamlit as st

from app import picture_results, results, session
from app.components.calibration_view import show_calibration
from app.components.comparison_view import VIEW, open_comparison, show_comparison
from app.components.curves_view import show_curves
from app.components.data_size_view import show_data_sizes
from app.components.error_tab import show_errors
from app.components.explain_view import show_explanations
from app.components.finished import open_page, require_result
from app.components.headline import show_headline
from app.components.leaderboard import show_leaderboard, show_leaderboard_figure
from app.components.learning_rate_view import show_learning_rates
from app.components.methods_view import show_methods
from app.components.metrics_view import show_metrics
from app.components.model_view import show_model, show_protocol
from app.components.picture_errors import show_picture_errors
from app.components.search_view import show_search_views
from app.components.states import show_title
from app.components.threshold_view import show_threshold
from app.components.uncertainty_view import show_uncertainty
from app.thresholds import VIEWS
from app.wording import say
from automl.jobs.records import JobState

compared = session.get_view(VIEW)
if compared:
    show_comparison(compared)
    st.stop()
show_title(say("results.title"), say("results.question"))
job, result = require_result()
opened = results.read_opened(job.id)
task = result.get("task")

show_headline(result, is_stopped=job.state is JobState.STOPPED)
with st.container(horizontal=True, key="ways_on"):
    is_classes = isinstance(task, dict) and task.get("type") in ("binary", "multiclass")
    has_audit = is_classes and bool(task.get("sensitive", True))
    label = say("results.open_audit" if has_audit else "results.open_report")
    if st.button(label, key="open_audit", type="primary" if has_audit else "secondary"):
        open_page("audit")
    if st.button(
        say("results.open_models"), key="open_models", type="secondary" if has_audit else "primary"
    ):
        open_page("models")
    if st.button(say("compare.open"), key="open_compare", icon=":material/compare_arrows:"):
        open_comparison([job.id])
show_leaderboard(result)

names = [
    "curves", "metrics", "calibration", "threshold", "uncertainty", "errors", "search", "model", "protocol",
]  # fmt: skip
pictures = picture_results.read_picture_results(job, result)
if pictures is not None:
    names.insert(0, "pictures")
if not picture_results.is_about_pictures(job.id):
    names.insert(names.index("errors"), "explain")
if pictures is not None and session.recall("explain_asked") is not None:
    # a picture was pressed in another tab
    session.put_widget("results_tab", say("results.tab_pictures"))
labels = [say(f"results.tab_{name}") for name in names]
if session.recall("results_tab") is None and any(session.get_view(name) for name in VIEWS):
    # the link is about a threshold
    session.put_widget("results_tab", say("results.tab_threshold"))
tabs = dict(zip(names, st.tabs(labels, key="results_tab", on_change="rerun"), strict=True))
if pictures is not None and tabs["pictures"].open:
    with tabs["pictures"]:
        show_picture_errors(pictures)
if tabs["metrics"].open:
    with tabs["metrics"]:
        show_metrics(opened)
if tabs["curves"].open:
    with tabs["curves"]:
        target = task.get("target", "") if isinstance(task, dict) else job.title
        show_curves(opened, str(target))
if tabs["calibration"].open:
    with tabs["calibration"]:
        show_calibration(job.id, opened, result)
if tabs["threshold"].open:
    with tabs["threshold"]:
        show_threshold(job, result, opened)
if tabs["uncertainty"].open:
    with tabs["uncertainty"]:
        show_uncertainty(job, result)
if "explain" in tabs and tabs["explain"].open:
    with tabs["explain"]:
        show_explanations(job)
if tabs["errors"].open:
    with tabs["errors"]:
        show_errors(job, result)
if tabs["search"].open:
    with tabs["search"]:
        show_leaderboard_figure(result)
        show_methods(
            result, job.spec.get("limits"), is_table=not picture_results.is_about_pictures(job.id)
        )
        show_search_views(job.id, result)
if tabs["model"].open:
    with tabs["model"]:
        show_model(result)
        show_learning_rates(job, result)
        show_data_sizes(job, result)
if tabs["protocol"].open:
    with tabs["protocol"]:
        show_protocol(result)
