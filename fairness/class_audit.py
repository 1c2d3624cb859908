"""The audit of decisions between several classes: tables by truth and decision first, never a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairness.audit import SCHEMA_VERSION
from fairness.class_gaps import (
    MACRO,
    compute_accuracy_extreme,
    compute_class_gaps,
    estimate_macro_recall,
)
from fairness.class_input import ClassInput, ClassOptions
from fairness.class_records import CLASS_RATES, ClassCell, ClassGap, ClassGroup, Shift
from fairness.context import ReportContext
from fairness.definitions import METRICS, compute_rate
from fairness.errors import AuditError
from fairness.estimates import Estimate
from fairness.groups import Grouping, build_groupings
from fairness.intervals import compute_wilson
from fairness.notices import NO_ATTRIBUTE
from fairness.rates import compute_confusion
from fairness.records import Counts, Extreme
from fairness.resampling import FLOOR_DRAWS, TABLE_DRAWS

MAX_CELLS = 20_000  # classes × groups of one attribute; above it single classes are not compared
SHIFT_DRAWS = 1_000
NO_CALIBRATION = "calibration by group is defined for one class against the rest"

Ints = NDArray[np.int64]


__all__ = ["ClassAudit", "ClassInput", "ClassOptions", "compute_class_audit"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassAudit:
    """All numbers of one audit of several classes, what they were computed with, what a reader must know."""

    options: ClassOptions
    classes: tuple[str, ...]
    overall: ClassGroup
    by_group: tuple[ClassGroup, ...]
    by_class: tuple[ClassCell, ...]
    gaps: tuple[ClassGap, ...]
    extremes: tuple[Extreme, ...]
    references: Mapping[str, str]
    groupings: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """The sensitive columns, in the order given."""
        return tuple(self.references)

    def list_groups(self, attribute: str) -> tuple[ClassGroup, ...]:
        """The groups of one attribute."""
        return tuple(group for group in self.by_group if group.attribute == attribute)

    def list_cells(self, attribute: str) -> tuple[ClassCell, ...]:
        """Every class of every group of one attribute."""
        return tuple(cell for cell in self.by_class if cell.attribute == attribute)

    def list_gaps(self, attribute: str, metric: str) -> tuple[ClassGap, ...]:
        """The gaps of one metric of one attribute."""
        return tuple(g for g in self.gaps if (g.attribute, g.metric) == (attribute, metric))

    def find_extreme(self, attribute: str) -> Extreme:
        """Largest against smallest accuracy of one attribute."""
        for extreme in self.extremes:
            if extreme.attribute == attribute:
                return extreme
        raise AuditError(f"There is no sensitive column {attribute!r}.")

    def count_comparisons(self, attribute: str | None = None) -> int:
        """How many tests were made, of one attribute or of all; Holm corrects within an attribute."""
        wanted = (attribute,) if attribute else self.attributes
        return sum(gap.p_value is not None for gap in self.gaps if gap.attribute in wanted)

    def find_lowest(self, attribute: str) -> ClassCell | None:
        """The class and group with the lowest recall among those with enough cases."""
        known = [cell for cell in self.list_cells(attribute) if self._has_enough(cell)]
        return min(
            known, key=lambda cell: cell.metrics["true_positive_rate"].value or 0.0, default=None
        )

    def count_cells(self, attribute: str) -> tuple[int, int]:
        """Combinations of class and group with enough cases for a recall, and those without."""
        cells = self.list_cells(attribute)
        enough = sum(self._has_enough(cell) for cell in cells)
        return enough, len(cells) - enough

    def find_widest(self, attribute: str, metric: str = "true_positive_rate") -> ClassGap | None:
        """The class and group farthest from the reference, either way, among those with enough cases."""
        known = [
            gap
            for gap in self.list_gaps(attribute, metric)
            if gap.estimate.is_ok and not gap.is_few
        ]
        return max(known, key=lambda gap: abs(gap.estimate.value or 0.0), default=None)

    def _has_enough(self, cell: ClassCell) -> bool:
        return cell.counts.positives >= self.options.min_group_size

    def to_json(self, context: ReportContext | None = None) -> dict[str, object]:
        """The audit schema for several classes: plain values, null instead of NaN."""
        context = context or ReportContext()
        options = self.options
        return {
            "schema_version": SCHEMA_VERSION,
            "provenance": context.describe_provenance(options.seed),
            "task": {**context.task, "type": "multiclass", "classes": list(self.classes)},
            "positive": None,
            "beneficial": None,
            "threshold": None,
            "protocol": {
                **context.protocol,
                "looks": context.looks,
                "min_group_size": options.min_group_size,
                "references": dict(self.references),
                "level": 0.95,
                "n_comparisons": self.count_comparisons(),
                "draws": {"table": TABLE_DRAWS, "floor": FLOOR_DRAWS, "shift": SHIFT_DRAWS},
            },
            "overall": self.overall.to_json(),
            "by_group": [group.to_json() for group in self.by_group],
            "counts": self.list_counts(),
            "by_class": [cell.to_json() for cell in self.by_class],
            "gaps": [gap.to_json() for gap in self.gaps],
            "extremes": [extreme.to_json() for extreme in self.extremes],
            "calibration": {"status": "not_estimable", "reason": NO_CALIBRATION, "groups": []},
            "cross_check": context.cross_check.to_json() if context.cross_check else None,
            "mitigation": [],
            "definitions": {
                name: METRICS[name].to_json() for name in ("accuracy", MACRO, *CLASS_RATES)
            },
            "warnings": [*self.warnings, *context.warnings],
        }

    def list_counts(self) -> list[dict[str, object]]:
        """``attribute, group, truth, prediction, n`` of every pair that occurs, all rows first."""
        return [
            {
                "attribute": group.attribute,
                "group": group.group,
                "truth": self.classes[truth],
                "prediction": self.classes[decision],
                "n": int(group.table[truth, decision]),
            }
            for group in (self.overall, *self.by_group)
            for truth, decision in zip(*np.nonzero(group.table), strict=True)
        ]


def compute_class_audit(rows: ClassInput, options: ClassOptions) -> ClassAudit:
    """Audit decisions between K classes by every sensitive column; the same input gives the same numbers."""
    groupings = build_groupings(rows.attributes)
    _require_references(options, groupings)
    k = len(rows.classes)
    overall = _build_group("", "", compute_confusion(rows.truth, rows.prediction, k), rows, options)
    by_group: list[ClassGroup] = []
    by_class: list[ClassCell] = []
    gaps: list[ClassGap] = []
    extremes: list[Extreme] = []
    references: dict[str, str] = {}
    for grouping in groupings:
        groups = [
            _compute_group(rows, options, grouping, code, overall)
            for code in range(len(grouping.names))
        ]
        is_shown = k * len(groups) <= MAX_CELLS
        cells = {group.group: _build_cells(group, rows, options) for group in groups if is_shown}
        reference = _choose_reference(options, grouping)
        limits = {"min_size": options.min_group_size, "seed": options.seed}
        by_group += groups
        by_class += [cell for group in groups for cell in cells.get(group.group, ())]
        gaps += compute_class_gaps(groups, cells, reference, **limits)
        extremes.append(compute_accuracy_extreme(groups, overall, **limits))
        references[grouping.attribute] = grouping.names[reference]
    audit = ClassAudit(
        options=options,
        classes=rows.classes,
        overall=overall,
        by_group=tuple(by_group),
        by_class=tuple(by_class),
        gaps=tuple(gaps),
        extremes=tuple(extremes),
        references=references,
        groupings={grouping.attribute: grouping.note for grouping in groupings},
        warnings=(),
    )
    return replace(audit, warnings=_collect_warnings(audit, groupings))


def _compute_group(
    rows: ClassInput, options: ClassOptions, grouping: Grouping, code: int, overall: ClassGroup
) -> ClassGroup:
    inside = grouping.codes == code
    table = compute_confusion(rows.truth[inside], rows.prediction[inside], len(rows.classes))
    group = _build_group(grouping.attribute, grouping.names[code], table, rows, options)
    return replace(group, shift=_compute_shift(table, overall.table, options.seed))


def _build_group(
    attribute: str, name: str, table: Ints, rows: ClassInput, options: ClassOptions
) -> ClassGroup:
    n = int(table.sum())
    limit = options.min_group_size
    metrics = {
        "accuracy": compute_wilson(int(np.trace(table)), n),
        MACRO: estimate_macro_recall(table, options.seed),
    }
    return ClassGroup(
        attribute,
        name,
        table,
        {key: _mark(estimate, n, limit) for key, estimate in metrics.items()},
        absent=tuple(rows.classes[k] for k in np.flatnonzero(table.sum(axis=1) == 0)),
        is_small=n < limit,
    )


def _build_cells(group: ClassGroup, rows: ClassInput, options: ClassOptions) -> list[ClassCell]:
    """One class against the rest, for every class of a group."""
    hits, truth, decided = (
        np.diagonal(group.table),
        group.table.sum(axis=1),
        group.table.sum(axis=0),
    )
    cells = []
    for k, label in enumerate(rows.classes):
        tp, fn, fp = int(hits[k]), int(truth[k] - hits[k]), int(decided[k] - hits[k])
        counts = Counts(group.n - tp - fn - fp, fp, fn, tp)
        metrics = {name: compute_rate(name, counts.table) for name in CLASS_RATES}
        limit = options.min_group_size
        marked = {name: _mark(each, each.denominator, limit) for name, each in metrics.items()}
        cells.append(ClassCell(group.attribute, group.group, label, counts, marked))
    return cells


def _mark(estimate: Estimate, cases: int | None, limit: int) -> Estimate:
    """The same number, marked where it rests on fewer cases than the limit."""
    if not estimate.is_ok or cases is None or cases >= limit:
        return estimate
    few = f"few cases: {cases}"
    return replace(estimate, reason=f"{few}; {estimate.reason}" if estimate.reason else few)


def _compute_shift(table: Ints, overall: Ints, seed: int) -> Shift:
    """Distance of the decisions of a group to those of all, and what random groups of that size show."""
    decided, total = table.sum(axis=0), overall.sum(axis=0)
    n, shares = int(decided.sum()), total / total.sum()
    generator = np.random.default_rng(seed)
    drawn = generator.multivariate_hypergeometric(total, n, size=SHIFT_DRAWS, method="marginals")
    chance = np.abs(drawn / n - shares).sum(axis=1) / 2
    value = float(np.abs(decided / n - shares).sum() / 2)
    return Shift(value, float(chance.mean()), float(np.percentile(chance, 95)))


def _require_references(options: ClassOptions, groupings: Sequence[Grouping]) -> None:
    known = {grouping.attribute: grouping.names for grouping in groupings}
    for attribute, group in options.references.items():
        if group not in known.get(attribute, ()):
            listed = ", ".join(map(repr, known.get(attribute, known)))
            raise AuditError(
                f"The reference group {group!r} does not occur in {attribute!r}.",
                hint=f"Choose one of {listed or 'none'}.",
            )


def _choose_reference(options: ClassOptions, grouping: Grouping) -> int:
    named = options.references.get(grouping.attribute)
    return grouping.names.index(named) if named else int(grouping.sizes.argmax())


def _collect_warnings(audit: ClassAudit, groupings: Sequence[Grouping]) -> tuple[str, ...]:
    """Notices in reading order, attribute by attribute."""
    if not groupings:
        return (NO_ATTRIBUTE,)
    notices = []
    limit = audit.options.min_group_size
    for grouping in groupings:
        name, groups = grouping.attribute, audit.list_groups(grouping.attribute)
        if grouping.note:
            notices.append(f"{name}: {grouping.note}")
        small = [f"{group.group} ({group.n} rows)" for group in groups if group.is_small]
        if small:
            notices.append(f"{name}: few cases (fewer than {limit} rows) in {', '.join(small)}.")
        notices += [
            f"{name}: no row of {_join(group.absent)} in {group.group}; its macro recall is over the other"
            " classes."
            for group in groups
            if group.absent
        ]
        if len(groups) == 1:
            notices.append(f"{name} has one group, {groups[0].group}.")
        if not audit.list_cells(name):
            notices.append(
                f"{name}: {len(audit.classes):,} classes × {len(groups):,} groups are more than {MAX_CELLS:,};"
                " single classes are not compared."
            )
    n_tests = audit.count_comparisons()
    if n_tests:
        notices.append(
            f"{n_tests} comparisons; about {0.05 * n_tests:.1f} would look notable by chance."
        )
    return tuple(notices)


def _join(names: Sequence[str], most: int = 5) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
