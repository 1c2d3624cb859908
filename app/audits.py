"""Audits as the page asks for them: other columns, reference groups and limits than the search had.

Computed from the winner's stored test predictions by ``fairness``, and kept per choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from app import results
from automl.errors import DataError
from automl.evaluation.threshold_change import read_threshold
from automl.jobs.records import Job
from automl.reports.audit_rows import build_class_rows, leave_out_ungrouped
from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit
from fairness.class_audit import ClassAudit, ClassInput, ClassOptions, compute_class_audit
from fairness.groups import build_grouping

PREFIX = "sensitive_"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditTask:
    """What the audit needs to know of a task; ``type`` is binary, multiclass or regression."""

    type: str
    positive: str
    beneficial: str | None
    threshold: float
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditChoice:
    """What the person chose: columns, ``(column, reference group)`` pairs, the smallest group."""

    columns: tuple[str, ...]
    references: tuple[tuple[str, str], ...] = ()
    min_group_size: int = 30


def read_task(job: Job, result: Mapping[str, Any]) -> AuditTask:
    """Task facts of a search, from its spec."""
    task = job.spec.get("task") or result.get("task") or {}
    if not isinstance(task, Mapping):
        raise DataError(f"The task of this search cannot be read: {task!r}.", hint="Search again.")
    return AuditTask(
        type=str(task.get("type", "")),
        positive=str(task.get("positive") or ""),
        beneficial=task.get("beneficial"),
        threshold=read_threshold(result),
        classes=tuple(map(str, task.get("classes") or ())),
    )


def read_plan(job: Job) -> tuple[dict[str, str], int]:
    """Reference groups and smallest group that the search itself used."""
    plan = job.spec.get("audit") or {}
    return dict(plan.get("references") or {}), int(plan.get("min_group_size") or 30)


def list_sensitive(predictions: pd.DataFrame) -> list[str]:
    """The sensitive columns that were kept with the predictions and have groups."""
    kept, _ = leave_out_ungrouped(predictions)
    return [name.removeprefix(PREFIX) for name in kept if str(name).startswith(PREFIX)]


def list_ungrouped(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Why sensitive columns are left out: too many different values, for instance."""
    return leave_out_ungrouped(predictions)[1]


def list_groups(predictions: pd.DataFrame, column: str) -> tuple[str, ...]:
    """Groups of a sensitive column, the largest first, numeric ones as bins."""
    grouping = build_grouping(column, predictions[PREFIX + column])
    order = np.argsort(-grouping.sizes, kind="stable")
    return tuple(grouping.names[place] for place in order)


def compute_choice(search_id: str, task: AuditTask, choice: AuditChoice) -> Audit:
    """The audit of a choice; the same choice is computed once per version of the predictions."""
    path = results.get_result_file(search_id, "predictions.parquet")
    return _compute(path, path.stat().st_mtime_ns, task, choice, search_id)


def compute_classes(search_id: str, task: AuditTask, choice: AuditChoice) -> ClassAudit:
    """The audit of several classes for a choice, kept per version of the predictions."""
    path = results.get_result_file(search_id, "predictions.parquet")
    return _compute_classes(path, path.stat().st_mtime_ns, task, choice, search_id)


def compute_one_class(search_id: str, task: AuditTask, choice: AuditChoice, label: str) -> Audit:
    """The whole binary audit of one class against the rest; the decisions stay the model's own."""
    path = results.get_result_file(search_id, "predictions.parquet")
    return _compute_one_class(path, path.stat().st_mtime_ns, task, choice, search_id, label)


@lru_cache(maxsize=16)
def _compute_classes(
    _path: Path, _version: int, task: AuditTask, choice: AuditChoice, search_id: str
) -> ClassAudit:
    return compute_class_audit(_read_rows(search_id, task, choice), _build_options(choice))


@lru_cache(maxsize=16)
def _compute_one_class(
    _path: Path, _version: int, task: AuditTask, choice: AuditChoice, search_id: str, label: str
) -> Audit:
    rows = _read_rows(search_id, task, choice)
    return compute_audit(rows.against_rest(label), _build_options(choice).for_class(label))


def _build_options(choice: AuditChoice) -> ClassOptions:
    return ClassOptions(references=dict(choice.references), min_group_size=choice.min_group_size)


def _read_rows(search_id: str, task: AuditTask, choice: AuditChoice) -> ClassInput:
    predictions = _require_predictions(search_id)
    columns = [PREFIX + name for name in choice.columns]
    rest = [name for name in predictions if not str(name).startswith(PREFIX)]
    return build_class_rows(task.classes, predictions[[*rest, *columns]])


def _require_predictions(search_id: str) -> pd.DataFrame:
    predictions = results.read_predictions(search_id)
    if predictions is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    return predictions


@lru_cache(maxsize=32)
def _compute(
    _path: Path, _version: int, task: AuditTask, choice: AuditChoice, search_id: str
) -> Audit:
    predictions = _require_predictions(search_id)
    score = predictions.get(f"probability_{task.positive}")
    return compute_audit(
        AuditInput(
            truth=_is_positive(predictions["truth"], task),
            prediction=_is_positive(predictions["prediction"], task),
            score=None if score is None else score.to_numpy(dtype=float),
            attributes=pd.DataFrame({name: predictions[PREFIX + name] for name in choice.columns}),
        ),
        AuditOptions(
            positive=task.positive,
            beneficial=task.beneficial,
            threshold=task.threshold,
            references=dict(choice.references),
            min_group_size=choice.min_group_size,
        ),
    )


def _is_positive(column: pd.Series, task: AuditTask) -> np.ndarray:
    return (column.astype(str) == task.positive).to_numpy(dtype=np.int64)
