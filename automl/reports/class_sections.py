"""The group sections of a report on several classes: sentences, drawings and tables per sensitive column."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from automl.reports.tables import Table
from fairness.class_audit import ClassAudit
from fairness.class_gaps import MACRO
from fairness.class_records import ClassCell, ClassGap, ClassGroup
from fairness.class_wording import (
    MACRO_HELP,
    MACRO_TITLE,
    describe_findings,
    describe_shift,
    get_class_title,
)
from fairness.static_charts import Mark, render_interval_svg
from fairness.wording import (
    ABSENT,
    NOT_ESTIMABLE,
    format_change,
    format_change_interval,
    format_estimate,
    format_p,
)

MAX_CELLS = 400  # cells of the table of classes by group; above it the CSV has them all
MAX_GAPS = 30  # widest gaps of single classes that are listed
FEW = " ◇"
FEW_NOTE = "◇ few cases: the number rests on fewer than {limit}."
SHOWN_RATES = ("true_positive_rate", "false_positive_rate", "precision", "selection_rate")


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A picture without scripts; the tables beside it hold the same numbers."""

    title: str
    svg: Markup
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupSection:
    """Everything the report shows about one sensitive column."""

    attribute: str
    reference: str
    grouping: str
    findings: Sequence[tuple[str, str]]
    drawings: Sequence[Drawing]
    tables: Sequence[Table]


def build_group_sections(audit: ClassAudit) -> list[GroupSection]:
    """One section per sensitive column, in the order given."""
    return [
        GroupSection(
            attribute=attribute,
            reference=audit.references[attribute],
            grouping=audit.groupings[attribute],
            findings=describe_findings(audit, attribute),
            drawings=[_draw(audit, attribute, metric) for metric in ("accuracy", MACRO)],
            tables=_build_tables(audit, attribute),
        )
        for attribute in audit.attributes
    ]


def _draw(audit: ClassAudit, attribute: str, metric: str) -> Drawing:
    title = f"{get_class_title(metric)} by {attribute}"
    marks = [
        Mark(
            group.group,
            estimate.value,
            estimate.low,
            estimate.high,
            format_estimate(metric, estimate),
            is_hollow=group.is_small,
        )
        for group in audit.list_groups(attribute)
        for estimate in (group.metrics[metric],)
    ]
    overall = format_estimate(metric, audit.overall.metrics[metric])
    sentence = f"All rows: {overall}, n = {audit.overall.n:,}. Hollow dots rest on few cases."
    if metric == MACRO:
        sentence = f"{sentence} {MACRO_HELP}"
    svg = Markup(render_interval_svg(marks, title, (0.0, 1.0)))  # noqa: S704 - names are escaped there
    return Drawing(title=title, svg=svg, sentence=sentence)


def _build_tables(audit: ClassAudit, attribute: str) -> list[Table]:
    tables = [_build_groups(audit, attribute), _build_gaps(audit, attribute)]
    cells = audit.list_cells(attribute)
    if not cells:
        return tables
    if len(cells) <= MAX_CELLS:
        tables += [_build_classes(audit, attribute, metric) for metric in SHOWN_RATES]
    return [*tables, _build_class_gaps(audit, attribute)]


def _build_groups(audit: ClassAudit, attribute: str) -> Table:
    rows = [
        (
            _name(group),
            f"{group.n:,}",
            f"{format_estimate('accuracy', group.metrics['accuracy'])} ({group.n_right:,}/{group.n:,})",
            format_estimate(MACRO, group.metrics[MACRO]),
            ", ".join(group.absent) or "none",
            describe_shift(group) or ABSENT,
        )
        for group in (*audit.list_groups(attribute), audit.overall)
    ]
    limit = audit.options.min_group_size
    return Table(
        caption=f"Groups of {attribute}",
        header=("Group", "n", "Accuracy", MACRO_TITLE, "Classes without a row", "Shift of the decisions"),
        rows=rows,
        note=f"{FEW_NOTE.format(limit=limit)} The shift is half the sum of the differences between the shares of"
        " the classes among the decisions of the group and of all rows.",
    )  # fmt: skip


def _name(group: ClassGroup) -> str:
    return f"{group.group}{FEW if group.is_small else ''}" if group.attribute else "All rows"


def _build_gaps(audit: ClassAudit, attribute: str) -> Table:
    rows = [
        (gap.group, get_class_title(metric), *_describe_gap(gap))
        for metric in ("accuracy", MACRO)
        for gap in audit.list_gaps(attribute, metric)
    ]
    n_tests = audit.count_comparisons(attribute)
    return Table(
        caption=f"Gaps to {audit.references[attribute]}, all classes together",
        header=("Group", "Measure", "Difference [95 % interval]", "n, group and reference", "p (Holm)", "Remark"),
        rows=rows,
        note=f"Difference = group − reference. p-values are corrected for all {n_tests:,} comparisons of this"
        " column (Holm).",
    )  # fmt: skip


def _describe_gap(gap: ClassGap) -> tuple[str, str, str, str]:
    change = NOT_ESTIMABLE
    if gap.estimate.value is not None:
        interval = format_change_interval(gap.metric, gap.estimate)
        change = f"{format_change(gap.metric, gap.estimate.value)} {interval}"
    cases = f"{gap.n_group:,} and {gap.n_reference:,}"
    return change, cases, format_p(gap.p_holm), gap.estimate.reason or ABSENT


def _build_classes(audit: ClassAudit, attribute: str, metric: str) -> Table:
    """Classes down, groups across, each class against the rest."""
    cells = {(cell.label, cell.group): cell for cell in audit.list_cells(attribute)}
    groups = [group.group for group in audit.list_groups(attribute)]
    rows = [
        (label, *(_describe_cell(cells[label, group], metric) for group in groups))
        for label in audit.classes
    ]
    return Table(
        caption=f"{get_class_title(metric)} of each class against the rest, by {attribute}",
        header=("Class", *groups),
        rows=rows,
        note=FEW_NOTE.format(limit=audit.options.min_group_size),
    )


def _describe_cell(cell: ClassCell, metric: str) -> str:
    estimate = cell.metrics[metric]
    if estimate.value is None:
        return f"{NOT_ESTIMABLE}: {estimate.reason}"
    few = FEW if "few cases" in estimate.reason else ""
    counts = f"({estimate.numerator:,}/{estimate.denominator:,})"
    return f"{format_estimate(metric, estimate)} {counts}{few}"


def _build_class_gaps(audit: ClassAudit, attribute: str) -> Table:
    known = [
        gap for gap in audit.gaps
        if gap.attribute == attribute and gap.label and gap.p_value is not None
    ]  # fmt: skip
    widest = sorted(known, key=lambda gap: (gap.is_few, -abs(gap.estimate.value or 0.0)))
    return Table(
        caption=f"Widest gaps of single classes to {audit.references[attribute]}",
        header=("Class", "Group", "Measure", "Difference [95 % interval]", "n, group and reference", "p (Holm)", "Remark"),
        rows=[(gap.label, gap.group, get_class_title(gap.metric), *_describe_gap(gap)) for gap in widest[:MAX_GAPS]],
        note=f"The {min(MAX_GAPS, len(widest)):,} widest of {len(widest):,}; those with few cases come last. Chosen from"
        " many, they look larger than they are.",
    )  # fmt: skip
