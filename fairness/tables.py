"""Counts and metrics as CSV; text that a spreadsheet would run is made inert."""

import csv
import io
from collections.abc import Iterable, Sequence

from fairness.audit import Audit
from fairness.cells import neutralise_text
from fairness.records import GroupResult


def escape_cell(value: object) -> object:
    """Text that starts like a formula gets a leading apostrophe; numbers stay numbers."""
    if isinstance(value, str):
        return neutralise_text(value)
    return "" if value is None else value


def render_rows(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Header and rows as CSV text, every cell made inert."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([escape_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _list_groups(audit: Audit) -> list[GroupResult]:
    return [audit.overall, *audit.by_group]


def render_counts_csv(audit: Audit) -> str:
    """One line per group, all rows first: attribute, group, n, tn, fp, fn, tp."""
    header = ("attribute", "group", "n", "tn", "fp", "fn", "tp")
    rows = (
        (g.attribute, g.group, g.n, g.counts.tn, g.counts.fp, g.counts.fn, g.counts.tp)
        for g in _list_groups(audit)
    )
    return render_rows(header, rows)


def render_metrics_csv(audit: Audit) -> str:
    """One line per group and metric with interval, counts, method and status."""
    header = ("attribute", "group", "metric", "value", "low", "high", "n", "numerator", "denominator", "method", "status", "reason")  # fmt: skip
    rows = (
        (g.attribute, g.group, name, *(estimate.to_json()[key] for key in header[3:]))
        for g in _list_groups(audit)
        for name, estimate in g.metrics.items()
    )
    return render_rows(header, rows)
