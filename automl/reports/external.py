"""The audit of decisions that were made elsewhere: a table with truth, prediction or score, and groups."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from automl.data.cells import cells_to_labels, cells_to_numbers
from automl.data.inference import infer_column
from automl.data.values import is_same_number
from automl.evaluation.outcomes import THRESHOLD
from automl.reports.audit_files import remove_audit_files, write_audit
from automl.reports.context import describe_predictions, get_now
from automl.reports.predictions import add_sensitive, write_predictions
from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit
from fairness.context import NOT_STATED, ReportContext
from fairness.errors import AuditError

Labels = tuple[NDArray[np.int32], tuple[str, ...]]  # codes into labels, −1 for missing


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalAudit:
    """Which columns of a table hold what; exactly one of ``prediction`` and ``score`` is named.

    ``score`` is any finite number; positive means score ≥ ``threshold`` (0.5 where all scores lie in
    [0, 1]). Outside [0, 1] it is a ranking score. ``positive``: the rarer true value where not named.
    """

    truth: str
    sensitive: tuple[str, ...]
    prediction: str | None = None
    score: str | None = None
    threshold: float | None = None
    positive: str | None = None
    beneficial: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    min_group_size: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.prediction is None) == (self.score is None):
            raise AuditError(
                f"Name a prediction or a score, got {self.prediction!r} and {self.score!r}.",
                hint="Give one of the two.",
            )
        if not self.sensitive:
            raise AuditError(
                "No sensitive column is named.", hint="Name at least one whose groups are compared."
            )
        if self.threshold is not None and self.score is None:
            raise AuditError(
                f"The threshold {self.threshold:g} has no score to cut.", hint="Name the score."
            )
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise AuditError(
                f"The threshold {self.threshold:g} is no finite number.",
                hint="Name the score from which on a row counts as positive.",
            )
        self._require_one_role_each()

    def _require_one_role_each(self) -> None:
        decision = "prediction" if self.score is None else "score"
        roles = {self.truth: "truth"}
        for name, role in (
            (self.prediction or self.score or "", decision),
            *((n, "sensitive column") for n in self.sensitive),
        ):
            if roles.setdefault(name, role) != role:
                raise AuditError(
                    f"{name!r} is named as the {roles[name]} and as the {role}.",
                    hint="Name a different column for each.",
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalRows:
    """The rows that can be audited, decoded: 0/1 arrays, the score, the labels' names, what was said.

    ``row_id``: positions in the given table; rows without truth or decision are left out, with a warning.
    """

    row_id: NDArray[np.int64]
    truth: NDArray[np.int64]
    decision: NDArray[np.int64]
    score: NDArray[np.float64] | None
    positive: str
    negative: str
    threshold: float | None
    attributes: pd.DataFrame
    warnings: tuple[str, ...]

    @property
    def is_probability(self) -> bool:
        """Whether the scores lie in [0, 1]."""
        return self.score is not None and bool(self.score.min() >= 0 and self.score.max() <= 1)


def write_external_report(
    folder: Path, frame: pd.DataFrame, request: ExternalAudit, context: ReportContext | None = None
) -> Audit:
    """Audit the rows of ``frame``; write ``predictions.parquet``, ``audit.json``, ``report.html`` and CSV tables.

    ``context`` names data, versions and hashes; what it leaves open prints "not stated".
    """
    rows = read_external_rows(frame, request)
    remove_audit_files(folder)
    digest = write_predictions(folder, build_external_predictions(rows))
    audited = AuditInput(
        truth=rows.truth,
        prediction=rows.decision,
        score=rows.score,
        attributes=rows.attributes,
        score_is_probability=rows.score is None or rows.is_probability,
    )
    audit = compute_audit(
        audited,
        AuditOptions(
            positive=rows.positive,
            beneficial=_find_label(request.beneficial, (rows.positive, rows.negative)),
            threshold=rows.threshold,
            references=request.references,
            min_group_size=request.min_group_size,
            seed=request.seed,
        ),
    )
    context = _complete_context(context or ReportContext(), frame, rows, request, digest)
    write_audit(folder, audit, audited, context)
    return audit


def build_external_predictions(rows: ExternalRows) -> pd.DataFrame:
    """``row_id, truth, prediction, score, sensitive_<column>…``; ``score`` only where one was given."""
    labels = np.array([rows.negative, rows.positive], dtype=object)
    frame = pd.DataFrame(
        {
            "row_id": rows.row_id,
            "truth": pd.Series(labels[rows.truth], dtype="str"),
            "prediction": pd.Series(labels[rows.decision], dtype="str"),
        }
    )
    if rows.score is not None:
        frame["score"] = rows.score
    return add_sensitive(frame, rows.attributes)


def read_external_rows(frame: pd.DataFrame, request: ExternalAudit) -> ExternalRows:
    """Decode the named columns; what does not fit is an ``AuditError`` that names the value."""
    require_columns(frame, request)
    if request.prediction is None:
        (codes, labels), decided = cells_to_labels(frame[request.truth]), None
    else:
        (codes, labels), decided = read_labels(frame, request)
    positive, negative, said = _find_labels(codes, labels, request)
    truth = _match(codes, labels, positive)
    if decided is not None:
        decision = _match_decisions(decided, request, (negative, positive))
        score, threshold, known = None, None, decision >= 0
    else:
        score = _read_scores(frame[str(request.score)])
        known = ~np.isnan(score)
        threshold = _choose_threshold(score[known], request)
        decision = (np.where(known, score, -np.inf) >= threshold).astype(np.int64)
    kept = (truth >= 0) & known
    said += describe_left_out(truth < 0, ~known, request)
    if not kept.any():
        raise AuditError("No row has both a true value and a decision.")
    attributes = pd.DataFrame({name: type_column(frame[name]) for name in request.sensitive})
    return ExternalRows(
        row_id=np.flatnonzero(kept).astype(np.int64),
        truth=truth[kept],
        decision=decision[kept],
        score=None if score is None else score[kept],
        positive=positive,
        negative=negative,
        threshold=threshold,
        attributes=attributes[kept].reset_index(drop=True),
        warnings=tuple(said),
    )


def require_columns(frame: pd.DataFrame, request: ExternalAudit) -> None:
    """Raise ``AuditError`` unless the table has every named column."""
    wanted = (request.truth, request.prediction, request.score, *request.sensitive)
    for name in wanted:
        if name is not None and name not in frame.columns:
            raise AuditError(
                f"The table has no column {name!r}.",
                hint=f"Its columns are {', '.join(map(repr, list(frame.columns)[:20]))}.",
            )


def read_labels(frame: pd.DataFrame, request: ExternalAudit) -> tuple[Labels, Labels]:
    """Codes and labels of the truth and of the prediction.

    Where the prediction holds what the truth never is, both are read as numbers if they hold nothing else: 1, 1.0
    and True are then one label.
    """
    columns = frame[request.truth], frame[str(request.prediction)]
    truth, decided = map(cells_to_labels, columns)
    if set(decided[1]) <= set(truth[1]) or not all(map(_holds_numbers_only, columns)):
        return truth, decided
    return (
        cells_to_labels(columns[0], as_numbers=True),
        cells_to_labels(columns[1], as_numbers=True),
    )


def _holds_numbers_only(column: pd.Series) -> bool:
    codes, _ = cells_to_labels(column)
    return bool(np.isfinite(cells_to_numbers(column)[codes >= 0]).all())


def _find_labels(
    codes: NDArray[np.int32], labels: tuple[str, ...], request: ExternalAudit
) -> tuple[str, str, list[str]]:
    """Positive and negative label, and what must be said about the choice."""
    if len(labels) == 1:
        raise AuditError(
            f"Every value of the truth {request.truth!r} is {labels[0]!r}; an audit needs two.",
            hint="Choose a column with two values.",
        )
    if len(labels) != 2:
        found = f"{len(labels)} different values" if labels else "no values"
        raise AuditError(
            f"The truth {request.truth!r} has {found}; two are needed"
            f"{' with a score' if request.score is not None else ''}.",
            hint="Choose a column with two values, or with more and the predicted classes as the prediction.",
        )
    if request.positive is not None:
        positive = _find_label(request.positive, labels)
        if positive is None:
            raise AuditError(
                f"The positive value {request.positive!r} does not occur in {request.truth!r}.",
                hint=f"Choose one of {', '.join(map(repr, labels))}.",
            )
        said = []
    else:
        counts = np.bincount(codes[codes >= 0], minlength=2)
        positive = labels[int(counts.argmin())]
        said = [
            f"Positive is {positive!r}, the rarer value of {request.truth!r}; nobody named one."
        ]
    negative = next(label for label in labels if label != positive)
    if request.beneficial is not None and _find_label(request.beneficial, labels) is None:
        raise AuditError(
            f"The beneficial value {request.beneficial!r} does not occur in {request.truth!r}.",
            hint=f"Choose one of {', '.join(map(repr, labels))}.",
        )
    return positive, negative, said


def _find_label(wanted: str | None, labels: tuple[str, ...]) -> str | None:
    """The label itself, or the one that is the same number (1 and 1.0)."""
    if wanted is None or wanted in labels:
        return wanted
    return next((label for label in labels if is_same_number(label, wanted)), None)


def _match(codes: NDArray[np.int32], labels: tuple[str, ...], positive: str) -> NDArray[np.int64]:
    """1 where the label is the positive one, 0 for the other, −1 for missing."""
    table = np.array([*(int(label == positive) for label in labels), -1], dtype=np.int64)
    return table[codes]


def _match_decisions(
    decided: Labels, request: ExternalAudit, known: tuple[str, str]
) -> NDArray[np.int64]:
    codes, labels = decided
    strange = [label for label in labels if label not in known]
    if strange:
        raise AuditError(
            f"The prediction {request.prediction!r} holds {strange[0]!r}, which the truth "
            f"{request.truth!r} never is ({', '.join(map(repr, known))}).",
            hint="Give decisions with the same values as the truth; name a score with its threshold instead.",
        )
    return _match(codes, labels, known[1])


def _read_scores(column: pd.Series) -> NDArray[np.float64]:
    """Scores as numbers, NaN for empty cells; text, infinite values and a written NaN are refused."""
    values = cells_to_numbers(column)
    codes, _ = cells_to_labels(column)
    texts = column.astype(str).str.strip()
    is_written = (column.dtype.kind not in "iufb") & column.notna() & (texts.str.lower() == "nan")
    bad = ((codes >= 0) & np.isnan(values)) | np.isinf(values) | is_written.to_numpy()
    if bad.any():
        raise AuditError(
            f"The score {column.name!r} holds {texts[bad].iloc[0]!r}, which is no finite number.",
            hint="Give a column of finite numbers; cells may be empty.",
        )
    return values


def _choose_threshold(score: NDArray[np.float64], request: ExternalAudit) -> float:
    if request.threshold is not None:
        return request.threshold
    if len(score) and (score.min() < 0 or score.max() > 1):
        raise AuditError(
            f"The score {request.score!r} runs from {score.min():g} to {score.max():g} and needs a threshold.",
            hint="Name the score from which on a row counts as positive.",
        )
    return THRESHOLD


def describe_left_out(
    no_truth: NDArray[np.bool_], no_decision: NDArray[np.bool_], request: ExternalAudit
) -> list[str]:
    """How many rows are without a truth or a decision."""
    missing = ((no_truth, request.truth), (no_decision, request.prediction or request.score))
    return [
        f"{n:,} {'row' if n == 1 else 'rows'} without a value of {name!r}: left out."
        for where, name in missing
        if (n := int(where.sum()))
    ]


def type_column(column: pd.Series) -> pd.Series:
    """Text columns of numbers as numbers, so that the audit can bin them."""
    if column.dtype.kind in "iufbM":
        return column
    codes, labels = cells_to_labels(column)
    texts = [labels[code] if code >= 0 else None for code in codes]
    typed = infer_column(str(column.name), pa.array(texts, pa.string())).array
    if pa.types.is_integer(typed.type) or pa.types.is_floating(typed.type):
        return pd.Series(typed.to_pandas().to_numpy(), index=column.index, name=column.name)
    return pd.Series(texts, index=column.index, name=column.name, dtype="str")


def _complete_context(
    context: ReportContext,
    frame: pd.DataFrame,
    rows: ExternalRows,
    request: ExternalAudit,
    digest: str,
) -> ReportContext:
    task: dict[str, Any] = {"target": request.truth, "classes": [rows.negative, rows.positive]}
    named = {"Truth": request.truth, "Prediction": request.prediction, "Score": request.score}
    protocol = {name: value for name, value in named.items() if value is not None}
    if rows.score is not None:
        protocol["Decision"] = f"{rows.positive} where {request.score} ≥ {rows.threshold:g}"
        protocol["Kind of score"] = "probability" if rows.is_probability else "ranking score"
    return replace(
        context,
        n_rows=len(frame) if context.n_rows is None else context.n_rows,
        created_at=get_now() if context.created_at == NOT_STATED else context.created_at,
        seed=request.seed,
        provenance={**context.provenance, "predictions": describe_predictions(digest)},
        task={**task, **context.task},
        protocol={**protocol, **context.protocol},
        warnings=(*rows.warnings, *context.warnings),
    )
