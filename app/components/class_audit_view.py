"""The audit of several classes on the page: what was found, groups, classes by group, gaps, one class, counts."""

import pandas as pd
import streamlit as st

from app import audits
from app.audits import AuditChoice, AuditTask
from app.components import audit_view
from app.components.class_audit_tables import (
    build_class_gap_table,
    build_class_group_table,
    build_rate_table,
    describe_class_rates,
    describe_group_values,
)
from app.components.figure import show_csv, show_figure
from app.components.numbers import format_count
from app.theme import is_dark
from app.wording import escape, say, say_plain
from fairness import figures, wording
from fairness.class_audit import ClassAudit
from fairness.class_figures import plot_class_rates
from fairness.class_gaps import MACRO
from fairness.class_tables import (
    build_class_frame,
    build_class_gap_frame,
)
from fairness.class_wording import MACRO_HELP, describe_findings, get_class_title
from fairness.frames import build_group_frame

CELL_RATES = ("true_positive_rate", "precision", "false_positive_rate", "selection_rate", "base_rate")  # fmt: skip
ONE_CLASS = {
    "groups": audit_view.show_groups,
    "gaps": audit_view.show_gaps,
    "calibration": audit_view.show_calibration,
    "counts": audit_view.show_counts,
}


def show_class_setting(task: AuditTask) -> None:
    """How many classes are decided between, and how."""
    st.markdown(say("classaudit.setting", n=format_count(len(task.classes))))


def show_class_findings(audit: ClassAudit) -> None:
    """The leading gaps and the lowest class of every column as sentences."""
    st.subheader(say("audit.found"), anchor=False)
    for attribute in audit.attributes:
        if len(audit.attributes) > 1:
            st.markdown(f"**{escape(attribute)}**")
        for sentence, remark in describe_findings(audit, attribute):
            small = f"  \n  :small[:gray[{escape(remark)}]]" if remark else ""
            st.markdown(f"- {escape(sentence)}{small}")
    st.caption(f"{escape(wording.NOTICE)} {escape(wording.OVERLAP)} {escape(MACRO_HELP)}")


def show_class_groups(audit: ClassAudit, attribute: str) -> None:
    """Accuracy or macro recall of every group, then all of it in a table."""
    metric = st.selectbox(
        say("audit.metric"), ("accuracy", MACRO), format_func=get_class_title,
        key="class_group_metric", width=300,
    )  # fmt: skip
    frame = build_group_frame(audit, attribute, metric)
    title = get_class_title(metric)
    figure = figures.plot_group_rates(frame, metric, dark=is_dark())
    show_figure(
        figure.update_layout(xaxis_title=title), key="class_groups",
        alt=say_plain("audit.groups_alt", metric=title, attribute=attribute),
        sentence=describe_group_values(audit, attribute, metric), frame=frame,
    )  # fmt: skip
    st.markdown(f"#### {say('audit.table_groups')}")
    table = build_class_group_table(audit, attribute)
    st.dataframe(table, key="class_group_table", hide_index=True)
    st.caption(say("classaudit.shift"))


def show_classes(audit: ClassAudit, attribute: str) -> None:
    """One rate of every class in every group, as a map and as a table with intervals."""
    if not audit.list_cells(attribute):
        st.info(say("classaudit.too_many"))
        return
    metric = st.selectbox(
        say("audit.metric"), CELL_RATES, format_func=get_class_title, key="class_metric", width=300
    )
    frame = build_class_frame(audit, attribute, metric)
    show_figure(
        plot_class_rates(frame, dark=is_dark()), key="class_rates",
        alt=say_plain("classaudit.rates_alt", metric=get_class_title(metric), attribute=attribute),
        sentence=describe_class_rates(audit, attribute, metric), frame=frame,
    )  # fmt: skip
    st.markdown(f"#### {say('classaudit.table_rates', metric=get_class_title(metric))}")
    st.dataframe(
        build_rate_table(audit, attribute, metric), key="class_rate_table", hide_index=True
    )


def show_class_gaps(audit: ClassAudit, attribute: str) -> None:
    """Signed differences to the reference: all classes together as a picture, every class in the table."""
    frame = build_class_gap_frame(audit, attribute)
    reference = audit.references[attribute]
    if len(frame):
        show_figure(
            figures.plot_gaps(frame, dark=is_dark()), key="class_gaps",
            alt=say_plain("audit.gaps_alt", attribute=attribute, reference=reference),
            sentence=audit_view.describe_gaps(frame, reference), frame=frame,
        )  # fmt: skip
    else:
        st.info(say("classaudit.one_group"))
    spread = audit.find_extreme(attribute).large_groups
    if spread.value is not None:
        st.markdown(f"{say('classaudit.spread')} {escape(wording.describe_floor(spread))}")
        st.caption(escape(wording.FLOOR_HELP))
    table = build_class_gap_table(audit, attribute)
    if len(table):
        st.markdown(f"#### {say('classaudit.table_gaps')}")
        n_tests = format_count(audit.count_comparisons(attribute))
        st.caption(say("classaudit.holm", n=n_tests))
        st.dataframe(table, key="class_gap_table", hide_index=True)
        show_csv(table, key="class_gap")


def show_class_counts(audit: ClassAudit, attribute: str) -> None:
    """True class against decided class inside one group: what every number derives from."""
    groups = {group.group: group for group in audit.list_groups(attribute)}
    name = st.selectbox(say("audit.group"), list(groups), key="class_count_group", width=300)
    group = groups[name]
    table = pd.DataFrame(group.table, columns=[f"→ {label}" for label in audit.classes])
    table.insert(0, say_plain("classaudit.truth"), audit.classes)
    table.insert(1, "n", group.table.sum(axis=1))
    st.dataframe(table, key="class_counts", hide_index=True)
    st.caption(say("classaudit.counts", n=format_count(group.n), right=format_count(group.n_right)))
    note = audit.groupings.get(attribute, "")
    if note:
        st.caption(escape(note))


def show_one_class(search_id: str, task: AuditTask, choice: AuditChoice, attribute: str) -> None:
    """One class against the rest, with everything that a binary audit has."""
    st.caption(say("classaudit.one_help"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="one_class"):
        label = st.selectbox(say("classaudit.one"), task.classes, key="audit_class", width=280)
        view = st.segmented_control(
            say("classaudit.view"), list(ONE_CLASS), default="groups", required=True,
            key="one_class_view", format_func=lambda name: say_plain(f"audit.tab_{name}"),
        )  # fmt: skip
    audit = audits.compute_one_class(search_id, task, choice, str(label))
    for sentence, remark in audit_view.collect_sentences(audit, attribute):
        st.markdown(f"- {escape(sentence)}  \n  :small[:gray[{escape(remark)}]]")
    ONE_CLASS[str(view)](audit, attribute)
