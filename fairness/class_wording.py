"""The audit of several classes in sentences; built from numbers, never a verdict."""

from fairness.class_audit import ClassAudit
from fairness.class_gaps import MACRO
from fairness.class_records import ClassGap, ClassGroup
from fairness.estimates import Estimate
from fairness.intervals import compute_newcombe
from fairness.records import Spread
from fairness.wording import (
    NOT_ESTIMABLE,
    describe_excluded,
    describe_floor,
    format_change,
    format_change_interval,
    format_equal_p,
    format_estimate,
    format_percent,
    format_points,
    get_title,
)

MACRO_TITLE = "Macro recall"
CHOSEN = "It is the extreme of many, and such an extreme looks larger than it is."
MACRO_HELP = (
    "Macro recall is the mean of the recalls of the classes that occur in the group, also called balanced"
    " accuracy; every class counts the same."
)


def get_class_title(metric: str) -> str:
    """The name of a metric; recall where a class stands against the rest."""
    names = {
        MACRO: MACRO_TITLE,
        "true_positive_rate": "Recall",
        "base_rate": "Share of the labels",
        "selection_rate": "Share of the decisions",
    }
    return names.get(metric) or get_title(metric)


def quote(name: str) -> str:
    """A group inside a sentence: the name of a bin is half a sentence itself."""
    return f"“{name}”"


def describe_findings(audit: ClassAudit, attribute: str) -> list[tuple[str, str]]:
    """What a reader needs first: accuracy gap, widest macro-recall gap, lowest and widest class; each with a remark."""
    findings = [_describe_accuracy(audit, attribute), _describe_macro(audit, attribute)]
    findings += [_describe_lowest(audit, attribute), _describe_widest(audit, attribute)]
    return [(sentence, remark) for sentence, remark in findings if sentence]


def _describe_accuracy(audit: ClassAudit, attribute: str) -> tuple[str, str]:
    extreme = audit.find_extreme(attribute)
    is_large = extreme.large_groups.value is not None
    spread = extreme.large_groups if is_large else extreme.all_groups
    if spread.value is None:
        return f"Accuracy gap: {NOT_ESTIMABLE}, because {spread.reason}.", ""
    groups = {group.group: group for group in audit.list_groups(attribute)}
    top, bottom = groups[spread.max_group], groups[spread.min_group]
    gap = compute_newcombe(top.n_right, top.n, bottom.n_right, bottom.n)
    sentence = (
        f"Accuracy is {_fraction(top)} for {quote(top.group)} and {_fraction(bottom)} for"
        f" {quote(bottom.group)}:"
        f" {format_points(spread.value)} higher (95 % interval {_bounds(gap)})."
    )
    return sentence, _join(describe_floor(spread), _describe_left_out(extreme.large_groups))


def _describe_left_out(spread: Spread) -> str:
    text = describe_excluded(spread)
    return f"Few cases: {text}" if text else ""


def _fraction(group: ClassGroup) -> str:
    return f"{format_percent(group.n_right / group.n)} ({group.n_right:,}/{group.n:,})"


def _bounds(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return NOT_ESTIMABLE
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}".replace("-", "−")


def _describe_macro(audit: ClassAudit, attribute: str) -> tuple[str, str]:
    gap = audit.find_widest(attribute, MACRO)
    if gap is None:
        return "", ""
    groups = {group.group: group for group in audit.list_groups(attribute)}
    first, second = groups[gap.group], groups[gap.reference]
    sentence = (
        f"Macro recall is {format_estimate(MACRO, first.metrics[MACRO])} for {quote(first.group)}"
        f" (n = {first.n:,}) and {format_estimate(MACRO, second.metrics[MACRO])} for the reference"
        f" {quote(second.group)} (n = {second.n:,}): the widest difference to it, {_change(gap)}."
    )
    return sentence, gap.estimate.reason.capitalize() + "." if gap.estimate.reason else ""


def _describe_lowest(audit: ClassAudit, attribute: str) -> tuple[str, str]:
    cell = audit.find_lowest(attribute)
    enough, few = audit.count_cells(attribute)
    if cell is None:
        text = f"No class has {audit.options.min_group_size} rows in any group of {attribute}: the lowest recall of a class and group is {NOT_ESTIMABLE}."  # fmt: skip
        return (text if enough + few else ""), ""
    recall = cell.metrics["true_positive_rate"]
    sentence = (
        f"The lowest recall of {enough:,} combinations of class and group is that of {cell.label} in"
        f" {quote(cell.group)}: {format_estimate('true_positive_rate', recall)}"
        f" ({recall.numerator:,}/{recall.denominator:,})."
    )
    left_out = f"{few:,} combinations with few cases are left out." if few else ""
    return sentence, _join(CHOSEN, left_out)


def _describe_widest(audit: ClassAudit, attribute: str) -> tuple[str, str]:
    gap = audit.find_widest(attribute)
    if gap is None:
        return "", ""
    sentence = (
        f"The recall of a class differs most from the reference {quote(gap.reference)} for {gap.label} in"
        f" {quote(gap.group)}:"
        f" {_change(gap)} (n = {gap.n_group:,} and {gap.n_reference:,})."
    )
    n_tests = audit.count_comparisons(attribute)
    return sentence, f"{format_equal_p(gap.p_holm)} after Holm's correction for {n_tests:,} comparisons. {CHOSEN}"  # fmt: skip


def _change(gap: ClassGap) -> str:
    if gap.estimate.value is None:
        return NOT_ESTIMABLE
    value = format_change(gap.metric, gap.estimate.value)
    return f"{value} {format_change_interval(gap.metric, gap.estimate)}"


def describe_shift(group: ClassGroup) -> str:
    """How far the decisions of a group are from those of all rows, beside chance."""
    if group.shift is None:
        return ""
    shift = group.shift
    return (
        f"{format_points(shift.value)} (chance alone: {100 * shift.floor_mean:.1f}, up to"
        f" {100 * shift.floor_95:.1f} in 95 of 100)"
    )


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
