"""The files that a finished search leaves about its winner: predictions, audit and report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.data.task import Task, TaskType
from automl.evaluation.evaluation import Evaluation
from automl.evaluation.outcomes import build_outcomes, decide
from automl.files import write_atomic, write_json
from automl.reports.context import build_report_context
from automl.reports.overall import build_overall_json, render_overall_report
from automl.reports.predictions import (
    PREDICTIONS,
    PredictedRows,
    build_predictions,
    write_predictions,
)
from automl.search.spec import SearchSpec
from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit
from fairness.report import render_report

AUDIT = "audit.json"
REPORT = "report.html"


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchReport:
    """What is reported: the search, its result, the winner's test rows and their evaluation.

    ``result`` is the content of ``result.json`` (it may still lack what is not known yet).
    """

    spec: SearchSpec
    result: Mapping[str, Any]
    rows: PredictedRows
    evaluation: Evaluation
    created_at: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFiles:
    """What was written: the paths, the hash of the predictions, and the audit of a binary task."""

    audit: Path
    report: Path
    predictions: Path
    predictions_sha256: str
    result: Audit | None


def write_search_report(folder: Path, report: SearchReport) -> ReportFiles:
    """Write ``predictions.parquet``, ``audit.json`` and ``report.html`` into ``folder``.

    A binary task is audited by every sensitive column; others get their overall results, with a note.
    """
    task = report.spec.task
    digest = write_predictions(folder, build_predictions(task, report.rows))
    context = build_report_context(
        report.result, report.spec, predictions_sha256=digest, created_at=report.created_at
    )
    audit = None
    if task.type is TaskType.BINARY:
        audit = compute_task_audit(task, report.rows, report.spec)
        value: Mapping[str, object] = audit.to_json(context)
        page = render_report(audit, context)
    else:
        context = replace(context, title=f"Results of predicting {task.target}")
        value = build_overall_json(report.evaluation, context)
        page = render_overall_report(report.evaluation, context)
    write_json(folder / AUDIT, value)
    write_atomic(folder / REPORT, page)
    return ReportFiles(
        audit=folder / AUDIT,
        report=folder / REPORT,
        predictions=folder / PREDICTIONS,
        predictions_sha256=digest,
        result=audit,
    )


def compute_task_audit(task: Task, rows: PredictedRows, spec: SearchSpec) -> Audit:
    """The audit of a binary task by the sensitive columns, as ``spec.audit`` wants it."""
    outcomes = build_outcomes(task, rows.truth, rows.prediction)
    decisions = decide(task, rows.prediction, rows.threshold) == task.positive_index
    return compute_audit(
        AuditInput(
            truth=outcomes.truth,
            prediction=decisions.astype(int),
            score=outcomes.probability,
            attributes=rows.sensitive,
        ),
        AuditOptions(
            positive=str(task.positive),
            beneficial=task.beneficial,
            threshold=rows.threshold,
            references=spec.audit.references,
            min_group_size=spec.audit.min_group_size,
            seed=spec.seed,
        ),
    )
