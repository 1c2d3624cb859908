"""The audit on the page: choices, what was found in sentences, and the tabs with pictures and tables."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from app import audits
from app.audits import AuditChoice, AuditTask
from app.components.figure import show_figure
from app.components.numbers import format_count, format_number
from app.theme import is_dark
from app.wording import escape, say, say_plain
from fairness import figures, frames, wording
from fairness.audit import GROUP_METRICS, Audit
from fairness.gap_definitions import GAP_DEFINITIONS

LEADING = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")
TABLE_METRICS = (
    "base_rate", "selection_rate", "true_positive_rate", "false_positive_rate",
    "false_negative_rate", "true_negative_rate", "precision", "negative_predictive_value",
    "accuracy", "balanced_accuracy", "f1", "roc_auc", "brier_score", "mean_prediction",
)  # fmt: skip


def pick_choice(predictions: pd.DataFrame, plan: tuple[dict[str, str], int]) -> AuditChoice:
    """Widgets for columns, reference groups and the smallest group; presets are the search's own."""
    known = audits.list_sensitive(predictions)
    references, min_size = plan
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit_choices"):
        columns = st.multiselect(
            say("audit.columns"), known, default=known, key="audit_columns", width=360
        )
        size = st.number_input(
            say("audit.min_size"), min_value=1, max_value=100_000, value=min_size, step=5,
            key="min_group_size", help=say("audit.min_size_help"), width=160,
        )  # fmt: skip
        chosen = [
            (column, _pick_reference(predictions, column, references.get(column)))
            for column in columns
        ]
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
    threshold = say(
        "audit.threshold", positive=task.positive, threshold=format_number(task.threshold, 2)
    )
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
        sentences = collect_sentences(audit, attribute)
        st.markdown("\n".join(f"- {escape(sentence)}" for sentence in sentences))
    st.caption(f"{escape(wording.NOTICE)} {escape(wording.OVERLAP)}")


def collect_sentences(audit: Audit, attribute: str) -> list[str]:
    """Selection rate first, then both error rates; each with what chance would show and who is left out.

    Groups with few cases are left out, unless fewer than two others remain.
    """
    sentences = []
    for metric in LEADING[:3]:
        extreme = audit.find_extreme(attribute, metric)
        is_large = extreme.large_groups.value is not None
        spread = extreme.large_groups if is_large else extreme.all_groups
        parts = (
            wording.describe_extreme(audit, extreme, large=is_large),
            wording.describe_floor(spread),
            wording.describe_excluded(spread)
            if is_large
            else describe_small(extreme.large_groups.excluded),
        )
        sentences.append(" ".join(part for part in parts if part))
    return sentences


def describe_small(excluded: Mapping[str, str]) -> str:
    """Groups that stay in a sentence though they have few cases."""
    small = [f"{group} ({reason})" for group, reason in excluded.items() if "few" in reason]
    return say_plain("audit.small", names=", ".join(small)) if small else ""


def show_warnings(audit: Audit) -> None:
    """Everything a reader must know, folded when it is much."""
    if audit.warnings:
        with st.expander(
            f"{say('audit.warnings')} ({len(audit.warnings)})", key="audit_warnings",
            icon=":material/info:", expanded=len(audit.warnings) <= 3,
        ):  # fmt: skip
            st.markdown("\n".join(f"- {escape(text)}" for text in audit.warnings))


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


def describe_group_rates(audit: Audit, attribute: str, metric: str) -> str:
    """The extremes of a measure in words; for measures without a noise floor, the range."""
    if metric in LEADING:
        extreme = audit.find_extreme(attribute, metric)
        return wording.describe_extreme(
            audit, extreme, large=extreme.large_groups.value is not None
        )
    frame = frames.build_group_frame(audit, attribute, metric).dropna(subset=["value"])
    title = wording.get_title(metric)
    if frame.empty:
        return f"{title} is {wording.NOT_ESTIMABLE} for every group."
    top, bottom = frame.loc[frame["value"].idxmax()], frame.loc[frame["value"].idxmin()]
    return (
        f"{title} lies between {wording.format_value(metric, bottom['value'])} ({bottom['group']}) and "
        f"{wording.format_value(metric, top['value'])} ({top['group']}). {wording.OVERLAP}"
    )


def build_group_table(audit: Audit, attribute: str) -> pd.DataFrame:
    """Groups down, measures across, each as ``value [low, high]`` or not estimable."""
    rows = []
    for group in (*audit.list_groups(attribute), audit.overall):
        marked = f"{group.group} ({say_plain('audit.few')})" if group.is_small else group.group
        row = {say_plain("audit.group"): marked or "all rows", "n": format_count(group.n)}
        for metric in TABLE_METRICS:
            row[wording.get_title(metric)] = wording.format_estimate(metric, group.metrics[metric])
        rows.append(row)
    return pd.DataFrame(rows)


def build_reasons(audit: Audit, attribute: str) -> pd.DataFrame:
    """Why a measure of a group is not estimable or rests on few cases."""
    rows = [
        {
            say_plain("audit.group"): group.group,
            say_plain("audit.metric"): wording.get_title(metric),
            "n": group.n,
            say_plain("audit.reason"): group.metrics[metric].reason,
        }
        for group in audit.list_groups(attribute)
        for metric in TABLE_METRICS
        if group.metrics[metric].reason
    ]
    return pd.DataFrame(rows)


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


def describe_gaps(frame: pd.DataFrame, reference: str) -> str:
    """How many differences have an interval that leaves zero out, and the largest of them."""
    known = frame.dropna(subset=["low", "high"])
    apart = known[(known["low"] > 0) | (known["high"] < 0)]
    text = f"{len(apart)} of {len(known)} intervals of a difference to {reference} leave zero out"
    if apart.empty:
        return f"{text}; about {0.05 * len(known):.1f} would by chance."
    far = apart.loc[apart["value"].abs().idxmax()]
    return (
        f"{text} (about {0.05 * len(known):.1f} would by chance); the largest is {far['title']} of "
        f"{far['group']}: {100 * far['value']:+.1f} points [{100 * far['low']:+.1f}, "
        f"{100 * far['high']:+.1f}]."
    )


def build_gap_table(audit: Audit, attribute: str) -> pd.DataFrame:
    """Every signed difference and ratio to the reference, with Holm's p where it was tested."""
    rows = [
        {
            say_plain("audit.group"): gap.group,
            say_plain("audit.metric"): wording.get_title(gap.metric),
            say_plain("audit.kind"): gap.kind,
            say_plain("audit.value"): _render_gap(gap.kind, gap.metric, gap.estimate),
            say_plain("audit.p"): wording.format_p(gap.p_holm),
            say_plain("audit.reason"): gap.estimate.reason,
        }
        for gap in audit.gaps
        if gap.attribute == attribute
    ]
    return pd.DataFrame(rows)


def build_extreme_table(audit: Audit, attribute: str) -> pd.DataFrame:
    """Largest against smallest: all estimable groups, and those with enough cases, with the floor."""
    rows = []
    for extreme in audit.extremes:
        if extreme.attribute != attribute:
            continue
        large, named = extreme.large_groups, GAP_DEFINITIONS.get(extreme.metric)
        title = wording.get_title(extreme.metric)
        rows.append(
            {
                say_plain("audit.metric"): title if named else f"{title}, {extreme.kind}",
                say_plain("audit.all_groups"): _render_spread(
                    extreme.all_groups.value, extreme.kind
                ),
                say_plain("audit.large_groups"): _render_spread(large.value, extreme.kind),
                say_plain("audit.floor"): _render_spread(
                    large.floor_mean, extreme.kind, absent="–"
                ),
                say_plain("audit.floor_95"): _render_spread(
                    large.floor_95, extreme.kind, absent="–"
                ),
                say_plain("audit.pair"): _render_pair(large.max_group, large.min_group),
                say_plain("audit.left_out"): ", ".join(extreme.all_groups.excluded) or "–",
                say_plain("audit.formula"): named.formula if named else "largest − smallest",
            }
        )
    return pd.DataFrame(rows)


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
                say_plain(f"audit.cal_{name}"): _render_number(entry.numbers.get(name))
                for name in ("base_rate", "mean_score", "observed_over_expected", "brier_score", "ece", "ece_null_mean", "slope")
            },
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


def pick_attribute(attributes: Sequence[str]) -> str:
    """The sensitive column that the tabs show."""
    if len(attributes) == 1:
        return attributes[0]
    return str(
        st.segmented_control(
            say("audit.attribute"), attributes, default=attributes[0], required=True,
            key="audit_attribute",
        )
    )  # fmt: skip


def _render_gap(kind: str, metric: str, estimate: wording.Estimate) -> str:
    if kind == "ratio":
        return wording.format_ratio(estimate)
    if estimate.value is None:
        return wording.NOT_ESTIMABLE
    change = wording.format_change(metric, estimate.value)
    return f"{change} {wording.format_change_interval(metric, estimate)}"


def _render_spread(value: float | None, kind: str, absent: str = wording.NOT_ESTIMABLE) -> str:
    if value is None:
        return absent
    return f"{value:.2f}" if kind == "ratio" else f"{value:.3f}"


def _render_pair(first: str, second: str) -> str:
    return f"{first} · {second}" if first and second else "–"


def _render_number(value: float | None) -> str:
    return wording.NOT_ESTIMABLE if value is None else f"{value:.3f}"
