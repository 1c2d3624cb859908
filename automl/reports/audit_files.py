"""An audit in its four forms: JSON, HTML page, and two CSV tables."""

from dataclasses import replace
from pathlib import Path

from automl.evaluation.evaluation import Evaluation
from automl.files import write_atomic, write_json
from automl.reports.overall import build_class_json, render_overall_report
from fairness.audit import Audit, AuditInput
from fairness.class_audit import ClassAudit, ClassInput
from fairness.class_crosscheck import compute_class_cross_check
from fairness.class_tables import render_class_counts_csv, render_class_metrics_csv
from fairness.context import ReportContext
from fairness.crosscheck import compute_cross_check
from fairness.report import render_report
from fairness.tables import render_counts_csv, render_metrics_csv

AUDIT = "audit.json"
REPORT = "report.html"
COUNTS = "audit_counts.csv"
METRICS = "audit_metrics.csv"


def write_audit(folder: Path, audit: Audit, rows: AuditInput, context: ReportContext) -> None:
    """Recompute the audit of ``rows`` with Fairlearn, then write its JSON, CSV tables and report."""
    check = compute_cross_check(audit, rows)
    context = replace(context, cross_check=check, warnings=(*context.warnings, *check.warnings))
    write_json(folder / AUDIT, audit.to_json(context))
    write_atomic(folder / COUNTS, render_counts_csv(audit))
    write_atomic(folder / METRICS, render_metrics_csv(audit))
    write_atomic(folder / REPORT, render_report(audit, context))


def write_class_audit(
    folder: Path,
    audit: ClassAudit,
    rows: ClassInput,
    evaluation: Evaluation,
    context: ReportContext,
) -> None:
    """The same four forms for several classes; the report also gives the overall results."""
    check = compute_class_cross_check(audit, rows)
    context = replace(context, cross_check=check, warnings=(*context.warnings, *check.warnings))
    write_json(folder / AUDIT, build_class_json(audit, evaluation, context))
    write_atomic(folder / COUNTS, render_class_counts_csv(audit))
    write_atomic(folder / METRICS, render_class_metrics_csv(audit))
    write_atomic(folder / REPORT, render_overall_report(evaluation, context, audit))


def remove_audit_files(folder: Path) -> None:
    """Remove what an earlier run wrote, so that no file speaks of other numbers than the rest."""
    for name in (AUDIT, REPORT, COUNTS, METRICS):
        (folder / name).unlink(missing_ok=True)
