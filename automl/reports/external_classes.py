"""The audit of decisions between more than two classes that were made elsewhere: a table with truth, decision, groups."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.cells import cells_to_labels
from automl.data.setup import MAX_CLASSES
from automl.evaluation.evaluation import Evaluation
from automl.reports.audit_files import remove_audit_files, write_class_audit
from automl.reports.context import describe_predictions, get_now
from automl.reports.external import (
    ExternalAudit,
    describe_left_out,
    read_labels,
    require_columns,
    type_column,
)
from automl.reports.predictions import add_sensitive, write_predictions
from fairness.class_audit import ClassAudit, ClassInput, ClassOptions, compute_class_audit
from fairness.context import NOT_STATED, ReportContext
from fairness.definitions import METRICS, compute_metric
from fairness.errors import AuditError
from fairness.outcomes import Outcomes

ROWS_FROM = "file"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalClassRows:
    """The rows that can be audited; ``row_id``: their positions in the given table; ``warnings``: what was said."""

    row_id: NDArray[np.int64]
    audited: ClassInput
    warnings: tuple[str, ...]


def has_several_classes(frame: pd.DataFrame, request: ExternalAudit) -> bool:
    """Whether decisions between more than two classes are to be audited; a score serves two."""
    require_columns(frame, request)
    return request.prediction is not None and len(cells_to_labels(frame[request.truth])[1]) > 2


def write_external_class_report(
    folder: Path, frame: pd.DataFrame, request: ExternalAudit, context: ReportContext
) -> ClassAudit:
    """The files of ``write_external_report``, for more than two classes."""
    rows = read_class_rows(frame, request)
    remove_audit_files(folder)
    digest = write_predictions(folder, _build_predictions(rows))
    options = ClassOptions(
        references=request.references, min_group_size=request.min_group_size, seed=request.seed
    )
    audit = compute_class_audit(rows.audited, options)
    context = replace(
        context,
        rows_from=ROWS_FROM,
        n_rows=len(frame) if context.n_rows is None else context.n_rows,
        created_at=get_now() if context.created_at == NOT_STATED else context.created_at,
        seed=request.seed,
        provenance={**context.provenance, "predictions": describe_predictions(digest)},
        task={"target": request.truth, **context.task},
        protocol={
            "Truth": request.truth,
            "Prediction": str(request.prediction),
            **context.protocol,
        },
        warnings=(*rows.warnings, *context.warnings),
    )
    evaluation = evaluate_decisions(rows.audited, request.seed)
    write_class_audit(folder, audit, rows.audited, evaluation, context)
    return audit


def read_class_rows(frame: pd.DataFrame, request: ExternalAudit) -> ExternalClassRows:
    """Decode the named columns; what does not fit is an ``AuditError`` that names the value."""
    require_columns(frame, request)
    _require_no_outcome(request)
    (truth, labels), (decision, decided) = read_labels(frame, request)
    strange = sorted(set(decided) - set(labels))
    classes = tuple(sorted({*labels, *decided}, key=_rank_label))
    if len(classes) > MAX_CLASSES:
        raise AuditError(
            f"Truth and prediction have {len(classes):,} different values; at most {MAX_CLASSES} classes are "
            "audited.",
            hint="Choose columns with classes, or merge rare ones.",
        )
    kept = (truth >= 0) & (decision >= 0)
    said = [
        *_describe_strange(strange, request),
        *describe_left_out(truth < 0, decision < 0, request),
    ]
    if not kept.any():
        raise AuditError("No row has both a true value and a decision.")
    attributes = pd.DataFrame({name: type_column(frame[name]) for name in request.sensitive})
    return ExternalClassRows(
        row_id=np.flatnonzero(kept).astype(np.int64),
        audited=ClassInput(
            truth=_place(labels, classes)[truth[kept]],
            prediction=_place(decided, classes)[decision[kept]],
            classes=classes,
            attributes=attributes[kept].reset_index(drop=True),
        ),
        warnings=tuple(said),
    )


def _rank_label(label: str) -> tuple[float, str]:
    """Numbers by size, then texts by the alphabet."""
    try:
        value = float(label)
    except ValueError:
        value = math.inf
    return (value if math.isfinite(value) else math.inf), label


def _place(labels: Sequence[str], classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Where each label stands among the classes."""
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places[label] for label in labels], dtype=np.int64)


def evaluate_decisions(rows: ClassInput, seed: int) -> Evaluation:
    """Every metric that needs decisions only, and the pairs of classes."""
    outcomes = Outcomes(task_type="multiclass", truth=rows.truth, prediction=rows.prediction)
    k = len(rows.classes)
    confusion = pd.DataFrame(
        {
            "truth": np.repeat(rows.classes, k),
            "predicted": np.tile(rows.classes, k),
            "n": np.bincount(rows.truth * k + rows.prediction, minlength=k * k),
        }
    )
    return Evaluation(
        task_type="multiclass",
        n=len(rows.truth),
        seed=seed,
        metrics={
            name: compute_metric(name, outcomes, seed=seed)
            for name, metric in METRICS.items()
            if "multiclass" in metric.tasks and metric.needs == "label"
        },
        curves={"confusion": confusion},
    )


def _require_no_outcome(request: ExternalAudit) -> None:
    for name, value in (("positive", request.positive), ("beneficial", request.beneficial)):
        if value is not None:
            raise AuditError(
                f"The {name} value {value!r} was named, but {request.truth!r} has more than two classes.",
                hint=f"Leave out --{name}, or give a column with two values.",
            )


def _describe_strange(strange: Sequence[str], request: ExternalAudit) -> list[str]:
    """Classes that were only ever predicted; with a misspelt label the reader sees it here."""
    if not strange:
        return []
    shown = ", ".join(map(repr, strange[:5])) + (" and others" if len(strange) > 5 else "")
    text = f"The prediction {request.prediction!r} holds {shown}, which the truth {request.truth!r} never is"
    return [f"{text}: audited as classes of their own."]


def _build_predictions(rows: ExternalClassRows) -> pd.DataFrame:
    """``row_id, truth, prediction, sensitive_<column>…``, classes as text."""
    labels = np.array(rows.audited.classes, dtype=object)
    frame = pd.DataFrame(
        {
            "row_id": rows.row_id,
            "truth": pd.Series(labels[rows.audited.truth], dtype="str"),
            "prediction": pd.Series(labels[rows.audited.prediction], dtype="str"),
        }
    )
    return add_sensitive(frame, rows.audited.attributes)
