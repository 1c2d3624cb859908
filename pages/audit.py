"""Audit: does the model treat groups differently, by how much, and how sure is that?"""

import streamlit as st

from app import audits, results
from app.components import audit_view, class_audit_view
from app.components.finished import require_result
from app.components.headline import describe_looks
from app.components.report_pictures import show_report_pictures
from app.components.states import show_empty, show_title
from app.wording import escape, say
from fairness.class_audit import ClassAudit

show_title(say("audit.title"), say("audit.question"))
job, result = require_result()
task = audits.read_task(job, result)
if task.type not in ("binary", "multiclass"):
    show_empty(
        say("audit.kind_title"),
        say("audit.kind_text", kind=say("audit.kind_regression")),
        page="results",
        label=say("audit.to_results"),
    )
    audit_view.show_downloads(job.id)
    st.stop()

predictions = results.read_predictions(job.id)
if predictions is None:
    st.info(say("audit.no_predictions"))
    st.stop()
if not audits.list_sensitive(predictions):
    of_pictures = "file" in predictions
    show_empty(
        say("audit.none_title"),
        say("audit.none_pictures" if of_pictures else "audit.none_text"),
        page="data",
        label=say("audit.to_data"),
    )
    audit_view.show_downloads(job.id)
    show_report_pictures(job)
    st.stop()

is_binary = task.type == "binary"
if is_binary:
    audit_view.show_setting(task)
else:
    class_audit_view.show_class_setting(task)
for reason in audits.list_ungrouped(predictions):
    st.warning(escape(reason), icon=":material/warning:")
found = st.container(key="found")
choice = audit_view.pick_choice(predictions, audits.read_plan(job))
if not choice.columns:
    st.info(say("audit.choose"))
    st.stop()
compute = audits.compute_choice if is_binary else audits.compute_classes
audit = compute(job.id, task, choice)

with found:
    if isinstance(audit, ClassAudit):
        class_audit_view.show_class_findings(audit)
    else:
        audit_view.show_found(audit)
    st.caption(describe_looks(result))
    audit_view.show_cross_check(job.id)
audit_view.show_warnings(audit)
audit_view.show_downloads(job.id)
show_report_pictures(job)

attribute = audit_view.pick_attribute(audit.attributes)
views = {
    "groups": audit_view.show_groups,
    "gaps": audit_view.show_gaps,
    "calibration": audit_view.show_calibration,
    "counts": audit_view.show_counts,
}
if not is_binary:
    views = {
        "groups": class_audit_view.show_class_groups,
        "classes": class_audit_view.show_classes,
        "gaps": class_audit_view.show_class_gaps,
        "one": lambda _, name: class_audit_view.show_one_class(job.id, task, choice, name),
        "counts": class_audit_view.show_class_counts,
    }
tabs = st.tabs([say(f"audit.tab_{name}") for name in views], key="audit_tab", on_change="rerun")
for tab, show in zip(tabs, views.values(), strict=True):
    if tab.open:
        with tab:
            show(audit, attribute)
