"""The files that a finished search leaves about its winner: predictions, audit and report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl.data.dataset import Kind
from automl.data.task import TaskType
from automl.evaluation.evaluation import Evaluation
from automl.evaluation.threshold_change import read_threshold
from automl.files import write_atomic, write_json
from automl.reports.audit_files import (
    AUDIT,
    REPORT,
    remove_audit_files,
    write_audit,
    write_class_audit,
)
from automl.reports.audit_rows import build_class_rows, leave_out_ungrouped
from automl.reports.context import build_report_context
from automl.reports.overall import build_overall_json, render_overall_report
from automl.reports.predictions import SENSITIVE, write_predictions
from automl.search.spec import SearchSpec
from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit
from fairness.class_audit import ClassAudit, ClassOptions, compute_class_audit
from fairness.groups import build_groupings

COMPUTED = "picture_"  # columns that were computed from the picture begin so


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchReport:
    """What is reported: the search, its result, the winner's test rows and their evaluation.

    ``result`` is the content of ``result.json`` (it may still lack what is not known yet);
    ``predictions`` the frame of ``build_predictions``.
    """

    spec: SearchSpec
    result: Mapping[str, Any]
    predictions: pd.DataFrame
    evaluation: Evaluation
    created_at: str | None = None


def write_search_report(folder: Path, report: SearchReport) -> Audit | ClassAudit | None:
    """Write ``predictions.parquet``, ``audit.json``, ``report.html`` and, for an audit, its CSV tables.

    Classes are audited by every sensitive column, computed from the predictions as they are written; a value
    gets its overall results and a note, and the answer is None. Files of an earlier run go first.
    """
    spec = report.spec
    remove_audit_files(folder)
    digest = write_predictions(folder, report.predictions)
    predictions, left_out = leave_out_ungrouped(report.predictions)
    context = build_report_context(
        report.result, spec, predictions_sha256=digest, created_at=report.created_at
    )
    said = (*describe_computed(spec, predictions), *describe_absent_references(spec, predictions))
    context = replace(context, warnings=(*context.warnings, *left_out, *said))
    if spec.task.type is TaskType.BINARY:
        rows = _build_rows(spec, predictions)
        options = _build_options(spec, rows.attributes, read_threshold(report.result))
        audit = compute_audit(rows, options)
        write_audit(folder, audit, rows, context)
        return audit
    if spec.task.type is TaskType.MULTICLASS:
        several = build_class_rows(spec.task.classes, predictions)
        found = compute_class_audit(several, _build_class_options(spec, several.attributes))
        write_class_audit(folder, found, several, report.evaluation, context)
        return found
    context = replace(context, title=f"Results of predicting {spec.task.target}")
    write_json(folder / AUDIT, build_overall_json(report.evaluation, context))
    write_atomic(folder / REPORT, render_overall_report(report.evaluation, context))
    return None


def describe_computed(spec: SearchSpec, predictions: pd.DataFrame) -> tuple[str, ...]:
    """Of pictures: which audited columns were computed from the picture rather than stated by somebody."""
    if not any(column.kind is Kind.IMAGE for column in spec.columns):
        return ()
    names = [
        str(name).removeprefix(SENSITIVE) for name in predictions if str(name).startswith(SENSITIVE)
    ]
    computed = [name for name in names if name.startswith(COMPUTED)]
    if not computed:
        return ()
    named = ", ".join(computed)
    text = f"Computed from the picture, stated by nobody: {named}."
    return (f"{text} Nothing about people is guessed from a picture.",)


def describe_absent_references(spec: SearchSpec, predictions: pd.DataFrame) -> tuple[str, ...]:
    """Which reference groups have no test row; the largest group stands in for each."""
    attributes = _take_attributes(predictions)
    present = _list_references(spec, attributes)
    return tuple(
        f"The reference group {group!r} of {name!r} has no row in the test part; gaps are told against its largest group."
        for name, group in spec.audit.references.items()
        if name in attributes and name not in present
    )


def _take_attributes(predictions: pd.DataFrame) -> pd.DataFrame:
    """The sensitive columns under their own names."""
    names = [name for name in predictions.columns if str(name).startswith(SENSITIVE)]
    return predictions[names].rename(columns=lambda name: name.removeprefix(SENSITIVE))


def _build_rows(spec: SearchSpec, predictions: pd.DataFrame) -> AuditInput:
    """The rows of a binary task and its sensitive columns, from the frame of ``build_predictions``."""
    positive = str(spec.task.positive)
    return AuditInput(
        truth=(predictions["truth"] == positive).to_numpy(dtype=np.int64),
        prediction=(predictions["prediction"] == positive).to_numpy(dtype=np.int64),
        score=predictions[f"probability_{positive}"].to_numpy(dtype=np.float64),
        attributes=_take_attributes(predictions),
    )


def _build_class_options(spec: SearchSpec, attributes: pd.DataFrame) -> ClassOptions:
    return ClassOptions(
        references=_list_references(spec, attributes),
        min_group_size=spec.audit.min_group_size,
        seed=spec.seed,
    )


def _list_references(spec: SearchSpec, attributes: pd.DataFrame) -> dict[str, str]:
    """Reference groups of the columns that are audited, where they have rows."""
    groups = {each.attribute: each.names for each in build_groupings(attributes)}
    return {
        name: group
        for name, group in spec.audit.references.items()
        if group in groups.get(name, ())
    }


def _build_options(spec: SearchSpec, attributes: pd.DataFrame, threshold: float) -> AuditOptions:
    return AuditOptions(
        positive=str(spec.task.positive),
        beneficial=spec.task.beneficial,
        threshold=threshold,
        references=_list_references(spec, attributes),
        min_group_size=spec.audit.min_group_size,
        seed=spec.seed,
    )
