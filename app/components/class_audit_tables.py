"""Sentences and tables of an audit of several classes: pure functions from an audit to text and frames."""

import pandas as pd

from app.components.numbers import format_count
from app.wording import say_plain
from fairness import wording
from fairness.class_audit import ClassAudit
from fairness.class_gaps import MACRO
from fairness.class_records import ClassCell, ClassGap
from fairness.class_wording import MACRO_TITLE, describe_shift, get_class_title, quote


def describe_group_values(audit: ClassAudit, attribute: str, metric: str) -> str:
    """Lowest and highest group with their intervals and sizes."""
    known = [g for g in audit.list_groups(attribute) if g.metrics[metric].value is not None]
    title = get_class_title(metric)
    if not known:
        return f"{title} is {wording.NOT_ESTIMABLE} for every group."
    low = min(known, key=lambda group: group.metrics[metric].value or 0.0)
    high = max(known, key=lambda group: group.metrics[metric].value or 0.0)
    parts = [
        f"{wording.format_estimate(metric, group.metrics[metric])} ({quote(group.group)}, n = {group.n:,})"
        for group in (low, high)
    ]
    few = " Hollow dots rest on few cases." if any(group.is_small for group in known) else ""
    return f"{title} lies between {parts[0]} and {parts[1]}. {wording.OVERLAP}{few}"


def describe_class_rates(audit: ClassAudit, attribute: str, metric: str) -> str:
    """Lowest and highest rate of a class in a group, among those with enough cases."""
    known = [cell for cell in audit.list_cells(attribute) if _has_enough(cell, metric)]
    title, n_cells = get_class_title(metric), len(audit.list_cells(attribute))
    if not known:
        return f"{title}: no combination of class and group has enough cases."
    low = min(known, key=lambda cell: cell.metrics[metric].value or 0.0)
    high = max(known, key=lambda cell: cell.metrics[metric].value or 0.0)
    few = n_cells - len(known)
    if low.metrics[metric].value == high.metrics[metric].value:
        text = f"{title} is {wording.format_value(metric, low.metrics[metric].value or 0.0)} in all {len(known):,} combinations with enough cases."
    else:
        text = _say_ends(title, low, high, metric)
    return f"{text} {few:,} of {n_cells:,} combinations rest on few cases or on none (◇)." if few else text  # fmt: skip


def _say_ends(title: str, low: ClassCell, high: ClassCell, metric: str) -> str:
    return (
        f"{title} runs from {_render(low, metric)} for {low.label} in {quote(low.group)} to"
        f" {_render(high, metric)} for {high.label} in {quote(high.group)}."
    )


def _has_enough(cell: ClassCell, metric: str) -> bool:
    estimate = cell.metrics[metric]
    return estimate.is_ok and "few cases" not in estimate.reason


def _render(cell: ClassCell, metric: str) -> str:
    estimate = cell.metrics[metric]
    if estimate.value is None:
        return wording.NOT_ESTIMABLE
    counts = f"({estimate.numerator:,}/{estimate.denominator:,})"
    return f"{wording.format_estimate(metric, estimate)} {counts}"


def build_class_group_table(audit: ClassAudit, attribute: str) -> pd.DataFrame:
    """Groups down: n, accuracy, macro recall with the classes that are missing, shift of the decisions."""
    rows = []
    for group in (*audit.list_groups(attribute), audit.overall):
        marked = f"{group.group} ({say_plain('audit.few')})" if group.is_small else group.group
        accuracy = wording.format_estimate("accuracy", group.metrics["accuracy"])
        rows.append(
            {
                say_plain("audit.group"): marked or say_plain("classaudit.all"),
                "n": format_count(group.n),
                get_class_title("accuracy"): f"{accuracy} ({group.n_right:,}/{group.n:,})",
                MACRO_TITLE: wording.format_estimate(MACRO, group.metrics[MACRO]),
                say_plain("classaudit.absent"): ", ".join(group.absent) or "–",
                say_plain("classaudit.shift_column"): describe_shift(group) or "–",
            }
        )
    return pd.DataFrame(rows)


def build_rate_table(audit: ClassAudit, attribute: str, metric: str) -> pd.DataFrame:
    """Classes down, groups across: ``62.0 % [45.0, 76.9] (31/50)``."""
    cells = {(cell.label, cell.group): cell for cell in audit.list_cells(attribute)}
    groups = [group.group for group in audit.list_groups(attribute)]
    rows = []
    for label in audit.classes:
        row = {say_plain("classaudit.class"): label}
        for group in groups:
            cell = cells[label, group]
            few = f" {say_plain('audit.few')}" if _is_few(cell, metric) else ""
            row[group] = f"{_render(cell, metric)}{few}"
        rows.append(row)
    return pd.DataFrame(rows)


def _is_few(cell: ClassCell, metric: str) -> bool:
    return "few cases" in cell.metrics[metric].reason


def build_class_gap_table(audit: ClassAudit, attribute: str) -> pd.DataFrame:
    """Every signed difference to the reference, all classes together first, then each class, the widest first."""
    gaps = [gap for gap in audit.gaps if gap.attribute == attribute]
    ordered = sorted(
        gaps, key=lambda gap: (bool(gap.label), gap.is_few, -abs(gap.estimate.value or 0.0))
    )
    rows = [
        {
            say_plain("classaudit.class"): gap.label or say_plain("classaudit.together"),
            say_plain("audit.group"): gap.group,
            say_plain("audit.metric"): get_class_title(gap.metric),
            say_plain("classaudit.difference"): _render_gap(gap),
            say_plain("classaudit.cases"): f"{gap.n_group:,} · {gap.n_reference:,}",
            say_plain("audit.p"): wording.format_p(gap.p_holm),
            say_plain("audit.reason"): gap.estimate.reason or "–",
        }
        for gap in ordered
    ]
    return pd.DataFrame(rows)


def _render_gap(gap: ClassGap) -> str:
    if gap.estimate.value is None:
        return wording.NOT_ESTIMABLE
    change = wording.format_change(gap.metric, gap.estimate.value)
    return f"{change} {wording.format_change_interval(gap.metric, gap.estimate)}"
