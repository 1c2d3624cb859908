"""``audit.json``, ``report.html`` and the CSV tables beside the predictions they are computed from."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl.data.task import TaskType
from automl.evaluation.outcomes import THRESHOLD
from automl.files import write_atomic, write_json
from automl.reports.context import build_report_context
from automl.search.spec import SearchSpec
from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit
from fairness.context import ReportContext
from fairness.report import render_report
from fairness.tables import render_counts_csv, render_metrics_csv

AUDIT_FILES = ("audit.json", "report.html", "audit_counts.csv", "audit_metrics.csv")
PREFIX = "sensitive_"


def write_audit_files(
    out: Path, spec: SearchSpec, result: Mapping[str, Any], predictions: pd.DataFrame
) -> None:
    """Audit the winner of a search by its sensitive columns.

    Only binary tasks are audited by group; without a sensitive column the audit holds the overall numbers.
    """
    for name in AUDIT_FILES:
        (out / name).unlink(missing_ok=True)
    if spec.task.type is not TaskType.BINARY:
        return
    positive = str(spec.task.positive)
    rows = AuditInput(
        truth=(predictions["truth"] == positive).to_numpy(dtype=np.int64),
        prediction=(predictions["prediction"] == positive).to_numpy(dtype=np.int64),
        score=np.clip(predictions[f"probability_{positive}"].to_numpy(dtype=np.float64), 0.0, 1.0),
        attributes=read_attributes(predictions),
    )
    options = AuditOptions(
        positive=positive,
        beneficial=spec.task.beneficial,
        threshold=THRESHOLD,
        references=spec.audit.references,
        min_group_size=spec.audit.min_group_size,
        seed=spec.seed,
    )
    context = build_report_context(
        result, spec, predictions_sha256=hash_file(out / "predictions.parquet")
    )
    write_audit(out, compute_audit(rows, options), context)


def read_attributes(predictions: pd.DataFrame) -> pd.DataFrame:
    """The sensitive columns of a predictions frame under their own names."""
    names = [str(name) for name in predictions.columns if str(name).startswith(PREFIX)]
    return predictions[names].rename(columns=lambda name: str(name).removeprefix(PREFIX))


def write_audit(out: Path, audit: Audit, context: ReportContext) -> None:
    """Write the audit in its four forms."""
    write_json(out / "audit.json", audit.to_json(context))
    write_atomic(out / "audit_counts.csv", render_counts_csv(audit))
    write_atomic(out / "audit_metrics.csv", render_metrics_csv(audit))
    write_atomic(out / "report.html", render_report(audit, context))


def hash_file(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    return sha256(path.read_bytes()).hexdigest()
