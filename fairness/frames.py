"""Tidy frames of an audit: what the charts and their tables are drawn from; aggregates only."""

import pandas as pd

from fairness.audit import Audit
from fairness.class_audit import ClassAudit
from fairness.count_audit import CountAudit
from fairness.wording import get_title

CHART_METRICS = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")
GAP_CHART_METRICS = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
    "accuracy",
)


def build_group_frame(
    audit: Audit | ClassAudit | CountAudit, attribute: str, metric: str
) -> pd.DataFrame:
    """One row per group: ``group, value, low, high, numerator, denominator, n, few, reason``; None: not estimable.

    ``frame.attrs["overall"]`` is the value of all rows, ``["attribute"]`` and ``["metric"]`` name the picture.
    """
    rows = []
    for group in audit.list_groups(attribute):
        estimate = group.metrics[metric]
        rows.append(
            {
                "group": group.group,
                "value": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "numerator": estimate.numerator,
                "denominator": estimate.denominator,
                "n": group.n,
                "few": "few cases" in estimate.reason,
                "reason": estimate.reason,
            }
        )
    frame = pd.DataFrame(rows)
    frame.attrs.update(
        attribute=attribute, metric=metric, overall=audit.overall.metrics[metric].value
    )
    return frame


def build_gap_frame(audit: Audit | CountAudit, attribute: str) -> pd.DataFrame:
    """Signed differences to the reference: ``metric, title, group, reference, value, low, high, p_holm, few, reason``."""
    rows = [
        {
            "metric": gap.metric,
            "title": get_title(gap.metric),
            "group": gap.group,
            "reference": gap.reference,
            "value": gap.estimate.value,
            "low": gap.estimate.low,
            "high": gap.estimate.high,
            "p_holm": gap.p_holm,
            "few": "few cases" in gap.estimate.reason,
            "reason": gap.estimate.reason,
        }
        for gap in audit.gaps
        if gap.attribute == attribute
        and gap.kind == "difference"
        and gap.metric in GAP_CHART_METRICS
    ]
    columns = ["metric", "title", "group", "reference", "value", "low", "high", "p_holm", "few", "reason"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs.update(attribute=attribute, reference=audit.references[attribute])
    return frame


def build_reliability_frame(audit: Audit, attribute: str) -> pd.DataFrame:
    """Binned reliability of every group with a curve: ``group, mean_score, observed, low, high, n``."""
    columns = ["group", "mean_score", "observed", "low", "high", "n"]
    parts = [
        entry.bins.assign(group=entry.group or "all rows")[columns]
        for entry in audit.calibration
        if entry.attribute == attribute and len(entry.bins)
    ]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    frame.attrs.update(attribute=attribute)
    return frame
