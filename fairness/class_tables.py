"""The audit of several classes as tidy frames and as CSV; aggregates only."""

import pandas as pd

from fairness.class_audit import ClassAudit
from fairness.class_wording import get_class_title
from fairness.tables import render_rows


def build_class_gap_frame(audit: ClassAudit, attribute: str, label: str = "") -> pd.DataFrame:
    """Signed differences to the reference, of all classes together or of one class, one row per group and metric."""
    rows = [
        {
            "metric": gap.metric,
            "title": get_class_title(gap.metric),
            "class": gap.label,
            "group": gap.group,
            "reference": gap.reference,
            "value": gap.estimate.value,
            "low": gap.estimate.low,
            "high": gap.estimate.high,
            "n_group": gap.n_group,
            "n_reference": gap.n_reference,
            "p_holm": gap.p_holm,
            "few": gap.is_few,
            "reason": gap.estimate.reason,
        }
        for gap in audit.gaps
        if gap.attribute == attribute and gap.label == label
    ]
    columns = [
        "metric", "title", "class", "group", "reference", "value", "low", "high", "n_group",
        "n_reference", "p_holm", "few", "reason",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs.update(attribute=attribute, reference=audit.references[attribute])
    return frame


def build_class_frame(audit: ClassAudit, attribute: str, metric: str) -> pd.DataFrame:
    """One row per class and group: rate, interval, counts, and the signed difference to the reference."""
    gaps = {(gap.label, gap.group): gap for gap in audit.list_gaps(attribute, metric)}
    rows = []
    for cell in audit.list_cells(attribute):
        estimate, gap = cell.metrics[metric], gaps.get((cell.label, cell.group))
        rows.append(
            {
                "class": cell.label,
                "group": cell.group,
                "value": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "numerator": estimate.numerator,
                "denominator": estimate.denominator,
                "difference": gap.estimate.value if gap else None,
                "difference_low": gap.estimate.low if gap else None,
                "difference_high": gap.estimate.high if gap else None,
                "p_holm": gap.p_holm if gap else None,
                "few": "few cases" in estimate.reason,
                "reason": estimate.reason,
            }
        )
    columns = [
        "class", "group", "value", "low", "high", "numerator", "denominator", "difference",
        "difference_low", "difference_high", "p_holm", "few", "reason",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs.update(attribute=attribute, metric=metric, reference=audit.references[attribute])
    return frame


def render_class_counts_csv(audit: ClassAudit) -> str:
    """One line per group, true class and decided class that occurs, all rows first."""
    header = ("attribute", "group", "truth", "prediction", "n")
    return render_rows(header, ([row[key] for key in header] for row in audit.list_counts()))


def render_class_metrics_csv(audit: ClassAudit) -> str:
    """One line per group, class (empty: all of them) and metric, with interval, counts and status."""
    numbers = ("value", "low", "high", "n", "numerator", "denominator", "method", "status", "reason")  # fmt: skip
    header = ("attribute", "group", "class", "metric", *numbers)
    parts = [(g.attribute, g.group, "", g.metrics) for g in (audit.overall, *audit.by_group)]
    parts += [(c.attribute, c.group, c.label, c.metrics) for c in audit.by_class]
    return render_rows(
        header,
        (
            (attribute, group, label, name, *(estimate.to_json()[key] for key in numbers))
            for attribute, group, label, metrics in parts
            for name, estimate in metrics.items()
        ),
    )
