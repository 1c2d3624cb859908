"""The audit on the page: choices, what was found in sentences, and the tabs with pictures and tables."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import audits, picture_results, results
from app.audits import AuditChoice, AuditTask
from app.components.audit_tables import (
    TABLE_METRICS,
    build_extreme_table,
    build_gap_table,
    build_group_table,
    build_reasons,
    collect_sentences,
    describe_gaps,
    describe_group_rates,
    render_number,
    render_slope,
)
from app.components.download import show_download
from app.components.figure import show_figure
from app.theme import is_dark
from app.wording import escape, say, say_plain
from fairness import figures, frames, wording
from fairness.audit import GROUP_METRICS, Audit
from fairness.class_audit import ClassAudit
from fairness.records import TOLERANCE

COMPUTED = "picture_"  # columns that were computed from the picture begin so
DOWNLOADS = {
    "report": "report.html",
    "audit_json": "audit.json",
    "audit_csv": "audit_metrics.csv",
    "audit_counts": "audit_counts.csv",
}


def pick_choice(predictions: pd.DataFrame, plan: tuple[dict[str, str], int]) -> AuditChoice:
    """Widgets for columns, reference groups and the smallest group; presets are the search's own."""
    known = audits.list_sensitive(predictions)
    references, min_size = plan
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit_choices"):
        columns = st.multiselect(
            say("audit.columns"), known, default=known, key="audit_columns", width=400
        )
        size = st.number_input(
            say("audit.min_size"), min_value=1, max_value=100_000, value=min_size, step=5,
            key="min_group_size", help=say("audit.min_size_help"), width=160,
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit_references"):
        chosen = [
            (column, _pick_reference(predictions, column, references.get(column)))
            for column in columns
        ]
    computed = [column for column in columns if column.startswith(COMPUTED)]
    if computed and picture_results.FILE in predictions:
        st.caption(say("audit.computed", names=", ".join(computed)))
    return AuditChoice(columns=tuple(columns), references=tuple(chosen), min_group_size=int(size))


def _pick_reference(predictions: pd.DataFrame, column: str, preset: str | None) -> str:
    groups = audits.list_groups(predictions, column)
    index = groups.index(preset) if preset in groups else 0
    label = f"{say('audit.reference')} · {escape(column)}"
    return str(
        st.selectbox(
            label, groups, index=index, key=f"reference_{column}", width=240,
            help=say("audit.reference_help"),
        )
    )  # fmt: skip


def show_setting(task: AuditTask) -> None:
    """What counts as positive, and which outcome is good for the person."""
    threshold = say("audit.threshold", positive=task.positive, threshold=f"{task.threshold:g}")
    good = (
        say("audit.beneficial_unset")
        if task.beneficial is None
        else say("audit.beneficial", value=task.beneficial)
    )
    st.markdown(f"{threshold} {good}")


def show_found(audit: Audit) -> None:
    """The largest gap of every leading measure as a sentence, and what was left out."""
    st.subheader(say("audit.found"), anchor=False)
    for attribute in audit.attributes:
        if len(audit.attributes) > 1:
            st.markdown(f"**{escape(attribute)}**")
        for sentence, remark in collect_sentences(audit, attribute):
            st.markdown(f"- {escape(sentence)}  \n  :small[:gray[{escape(remark)}]]")
    st.caption(f"{escape(wording.NOTICE)} {escape(wording.OVERLAP)}")


def show_cross_check(search_id: str) -> None:
    """What recomputing the audit of the search with another library gave; a difference is a warning."""
    check = (results.read_audit(search_id) or {}).get("cross_check") or {}
    if not check.get("n_compared"):
        return
    sentence = say_plain("audit.cross_check", sentence=wording.describe_cross_check(check))
    if check["largest_difference"] > TOLERANCE:
        st.warning(escape(sentence), icon=":material/warning:")
    else:
        st.caption(escape(sentence))


def show_warnings(audit: Audit | ClassAudit) -> None:
    """Everything a reader must know, folded when it is much."""
    if audit.warnings:
        with st.expander(
            f"{say('audit.warnings')} ({len(audit.warnings)})", key="audit_warnings",
            icon=":material/info:", expanded=len(audit.warnings) <= 3,
        ):  # fmt: skip
            st.markdown("\n".join(f"- {escape(text)}" for text in audit.warnings))


def show_downloads(search_id: str) -> None:
    """What the search left for handing on; a task without an audit has report and JSON only."""
    files = {name: results.get_result_file(search_id, file) for name, file in DOWNLOADS.items()}
    known = {name: path for name, path in files.items() if path.is_file()}
    with st.container(horizontal=True, vertical_alignment="center", key="audit_downloads"):
        for name, path in known.items():
            label = say(f"audit.download_{name}")
            show_download(label, path, filename=path.name, key=f"download_{name}")
    if "audit_csv" in known:
        st.caption(say("audit.download_note"))


def show_groups(audit: Audit, attribute: str) -> None:
    """One measure as dots with intervals, then every measure in a table."""
    metric = st.selectbox(
        say("audit.metric"), [name for name in TABLE_METRICS if name in GROUP_METRICS],
        index=1, format_func=wording.get_title, key="group_metric", width=300,
    )  # fmt: skip
    frame = frames.build_group_frame(audit, attribute, metric)
    show_figure(
        figures.plot_group_rates(frame, metric, dark=is_dark()), key="group_rates",
        alt=say_plain("audit.groups_alt", metric=wording.get_title(metric), attribute=attribute),
        sentence=describe_group_rates(audit, attribute, metric), frame=frame,
    )  # fmt: skip
    st.markdown(f"#### {say('audit.table_groups')}")
    st.dataframe(build_group_table(audit, attribute), key="group_table", hide_index=True)
    reasons = build_reasons(audit, attribute)
    if len(reasons):
        with st.expander(say("audit.why_not"), key="why_not"):
            st.dataframe(reasons, key="reasons", hide_index=True)


def show_gaps(audit: Audit, attribute: str) -> None:
    """Signed differences to the reference, their table, and largest against smallest with the floor."""
    frame = frames.build_gap_frame(audit, attribute)
    reference = audit.references[attribute]
    if len(frame):
        show_figure(
            figures.plot_gaps(frame, dark=is_dark()), key="gaps",
            alt=say_plain("audit.gaps_alt", attribute=attribute, reference=reference),
            sentence=describe_gaps(frame, reference), frame=frame,
        )  # fmt: skip
    st.markdown(f"#### {say('audit.table_extremes')}")
    st.caption(escape(wording.FLOOR_HELP))
    st.dataframe(build_extreme_table(audit, attribute), key="extreme_table", hide_index=True)
    st.markdown(f"#### {say('audit.table_gaps')}")
    st.dataframe(build_gap_table(audit, attribute), key="gap_table", hide_index=True)


def show_calibration(audit: Audit, attribute: str) -> None:
    """Reliability by group for groups with enough rows, and the numbers of all."""
    if audit.calibration_reason:
        st.info(say("audit.calibration_reason", reason=audit.calibration_reason))
        return
    frame = frames.build_reliability_frame(audit, attribute)
    if len(frame):
        names = list(dict.fromkeys(frame["group"]))
        show_figure(
            figures.plot_group_reliability(frame, dark=is_dark()), key="group_reliability",
            alt=say_plain("audit.calibration_alt", attribute=attribute), frame=frame,
            sentence=say_plain("audit.calibration_sentence", n=len(names), shown=min(len(names), 6)),
        )  # fmt: skip
    rows = [
        {
            say_plain("audit.group"): entry.group or "all rows",
            "n": entry.n,
            **{
                say_plain(f"audit.cal_{name}"): render_number(entry.numbers.get(name))
                for name in ("base_rate", "mean_score", "observed_over_expected", "brier_score", "ece", "ece_null_mean")
            },
            say_plain("audit.cal_slope"): render_slope(entry.numbers),
        }
        for entry in audit.calibration
        if entry.attribute in ("", attribute)
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(rows), key="group_calibration", hide_index=True)


def show_counts(audit: Audit, attribute: str) -> None:
    """The count table that every rate derives from."""
    rows = [
        {
            say_plain("audit.group"): group.group or "all rows",
            "n": group.n,
            **{say_plain(f"audit.{name}"): count for name, count in group.counts.to_json().items()},
        }
        for group in (*audit.list_groups(attribute), audit.overall)
    ]
    st.markdown(f"#### {say('audit.table_counts')}")
    st.dataframe(pd.DataFrame(rows), key="counts", hide_index=True)
    note = audit.groupings.get(attribute, "")
    if note:
        st.caption(escape(note))


def pick_attribute(attributes: Sequence[str], key: str = "audit_attribute") -> str:
    """The sensitive column that the tabs show."""
    if len(attributes) == 1:
        return attributes[0]
    return str(
        st.segmented_control(
            say("audit.attribute"), attributes, default=attributes[0], required=True,
            key=key,
        )
    )  # fmt: skip
