"""An audit in its four forms: JSON, HTML page, and two CSV tables."""

from pathlib import Path

from automl.files import write_atomic, write_json
from fairness.audit import Audit
from fairness.context import ReportContext
from fairness.report import render_report
from fairness.tables import render_counts_csv, render_metrics_csv

AUDIT = "audit.json"
REPORT = "report.html"
COUNTS = "audit_counts.csv"
METRICS = "audit_metrics.csv"


def write_audit(folder: Path, audit: Audit, context: ReportContext) -> None:
    """Write ``audit.json``, ``audit_counts.csv``, ``audit_metrics.csv`` and ``report.html``."""
    write_json(folder / AUDIT, audit.to_json(context))
    write_atomic(folder / COUNTS, render_counts_csv(audit))
    write_atomic(folder / METRICS, render_metrics_csv(audit))
    write_atomic(folder / REPORT, render_report(audit, context))


def remove_audit_files(folder: Path) -> None:
    """Remove what an earlier run wrote, so that no file speaks of other numbers than the rest."""
    for name in (AUDIT, REPORT, COUNTS, METRICS):
        (folder / name).unlink(missing_ok=True)
