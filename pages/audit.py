"""Audit: does the model treat groups differently, by how much, and how sure is that?"""

import streamlit as st

from app import audits, results
from app.components.audit_view import (
    pick_attribute,
    pick_choice,
    show_calibration,
    show_counts,
    show_cross_check,
    show_downloads,
    show_found,
    show_gaps,
    show_groups,
    show_setting,
    show_warnings,
)
from app.components.finished import require_result
from app.components.headline import describe_looks
from app.components.states import show_empty, show_title
from app.wording import say

show_title(say("audit.title"), say("audit.question"))
job, result = require_result()
task = audits.read_task(job, result)
if task.type != "binary":
    show_empty(
        say("audit.kind_title"),
        say("audit.kind_text", kind=say(f"audit.kind_{task.type}")),
        page="results",
        label=say("audit.to_results"),
    )
    show_downloads(job.id)
    st.stop()

predictions = results.read_predictions(job.id)
if predictions is None:
    st.info(say("audit.no_predictions"))
    st.stop()
if not audits.list_sensitive(predictions):
    show_empty(
        say("audit.none_title"), say("audit.none_text"), page="data", label=say("audit.to_data")
    )
    show_downloads(job.id)
    st.stop()

show_setting(task)
found = st.container(key="found")
choice = pick_choice(predictions, audits.read_plan(job))
if not choice.columns:
    st.info(say("audit.choose"))
    st.stop()
audit = audits.compute_choice(job.id, task, choice)

with found:
    show_found(audit)
    st.caption(describe_looks(result))
    show_cross_check(job.id)
show_warnings(audit)
show_downloads(job.id)

attribute = pick_attribute(audit.attributes)
views = {
    "groups": show_groups, "gaps": show_gaps, "calibration": show_calibration, "counts": show_counts,
}  # fmt: skip
tabs = st.tabs([say(f"audit.tab_{name}") for name in views], key="audit_tab", on_change="rerun")
for tab, show in zip(tabs, views.values(), strict=True):
    if tab.open:
        with tab:
            show(audit, attribute)
