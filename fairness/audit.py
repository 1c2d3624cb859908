"""The audit of binary decisions: counts first, everything else derives from them; never a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.context import ReportContext
from fairness.definitions import METRICS, Outcomes, compute_metric, compute_rate
from fairness.errors import AuditError
from fairness.estimates import Estimate, build_not_estimable, mark_few_cases
from fairness.extremes import compute_extremes
from fairness.gap_definitions import GAP_DEFINITIONS
from fairness.gaps import GapRequest, Rows, compute_gaps
from fairness.group_calibration import compute_calibration
from fairness.groups import Grouping, build_groupings
from fairness.notices import collect_warnings
from fairness.rates import BINARY_COMPOSITES, RATES
from fairness.records import Calibration, Counts, Extreme, Gap, GroupResult
from fairness.resampling import FLOOR_DRAWS, ROW_DRAWS, TABLE_DRAWS, bootstrap_table

SCHEMA_VERSION = "1.0"
RANKING_REASON = "the score is a ranking score, not a probability"
SCORE_METRICS = ("roc_auc", "brier_score", "log_loss", "mean_prediction")
GROUP_METRICS = (*RATES, *BINARY_COMPOSITES, *SCORE_METRICS)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditInput:
    """Rows to audit: labels and decisions as 0/1 (1 = positive), a score or None, sensitive columns.

    ``score_is_probability`` is False for a ranking score: AUC works, calibration is not estimable.
    """

    truth: NDArray[np.generic]
    prediction: NDArray[np.generic]
    score: NDArray[np.generic] | None
    attributes: pd.DataFrame
    score_is_probability: bool = True

    def __post_init__(self) -> None:
        n = len(self.truth)
        if n == 0:
            raise AuditError("There are no rows to audit.")
        for name in ("truth", "prediction"):
            _require_binary(name, np.asarray(getattr(self, name)), n)
        if len(self.attributes) != n:
            raise AuditError(
                f"The sensitive columns have {len(self.attributes)} rows, the truth {n}."
            )
        if self.score is not None:
            _require_score(np.asarray(self.score), n, is_probability=self.score_is_probability)


def _require_binary(name: str, values: NDArray[np.generic], n: int) -> None:
    if len(values) != n:
        raise AuditError(f"{name} has {len(values)} rows, the truth has {n}.")
    if values.dtype.kind not in "biuf":
        raise AuditError(
            f"{name} holds {values.dtype} values such as {values[0]!r}.",
            hint="Name the positive value, so that labels become 0 and 1.",
        )
    strange = np.setdiff1d(values.astype(np.float64), [0.0, 1.0])
    if strange.size:
        raise AuditError(
            f"{name} must hold only 0 and 1, found {strange[0]:g}.",
            hint="Give decisions, not scores; a score is turned into decisions by a threshold.",
        )


def _require_score(score: NDArray[np.generic], n: int, *, is_probability: bool) -> None:
    if len(score) != n:
        raise AuditError(f"The score has {len(score)} rows, the truth has {n}.")
    values = score.astype(np.float64)
    if not np.isfinite(values).all():
        raise AuditError("The score holds a missing or infinite value.")
    if is_probability and (values.min() < 0 or values.max() > 1):
        raise AuditError(
            f"A probability lies between 0 and 1, found {values.min():g} to {values.max():g}.",
            hint="Declare it a ranking score.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditOptions:
    """What the person chose: positive and beneficial value, reference groups, limits, seed.

    ``references``: attribute → reference group, preset the largest. ``min_group_size``: a rate over fewer
    cases is marked "few cases" and left out of the second set of extremes.
    """

    positive: str
    beneficial: str | None = None
    threshold: float | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    min_group_size: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        if self.min_group_size < 1:
            raise AuditError(
                f"The minimum group size must be at least 1, got {self.min_group_size}."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """All numbers of one audit; what they were computed with; what a reader must know."""

    options: AuditOptions
    overall: GroupResult
    by_group: tuple[GroupResult, ...]
    gaps: tuple[Gap, ...]
    extremes: tuple[Extreme, ...]
    calibration: tuple[Calibration, ...]
    calibration_reason: str
    references: Mapping[str, str]
    groupings: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """The sensitive columns, in the order given."""
        return tuple(self.references)

    @property
    def is_flag_beneficial(self) -> bool | None:
        """Whether a positive decision is the beneficial one; None when nobody said."""
        return _is_flag_beneficial(self.options)

    def list_groups(self, attribute: str) -> tuple[GroupResult, ...]:
        """The groups of one attribute."""
        return tuple(group for group in self.by_group if group.attribute == attribute)

    def find_group(self, attribute: str, group: str) -> GroupResult:
        """One group; an error if there is none of that name."""
        for result in self.by_group:
            if (result.attribute, result.group) == (attribute, group):
                return result
        raise AuditError(f"There is no group {group!r} in {attribute!r}.")

    def find_extreme(self, attribute: str, metric: str) -> Extreme:
        """One extreme; an error if there is none of that name."""
        for extreme in self.extremes:
            if (extreme.attribute, extreme.metric) == (attribute, metric):
                return extreme
        raise AuditError(f"There is no extreme {metric!r} of {attribute!r}.")

    def find_gap(self, attribute: str, metric: str, group: str, kind: str = "difference") -> Gap:
        """One gap to the reference; an error if there is none."""
        for gap in self.gaps:
            if (gap.attribute, gap.metric, gap.group, gap.kind) == (attribute, metric, group, kind):
                return gap
        raise AuditError(f"There is no {kind} of {metric!r} for {group!r} in {attribute!r}.")

    def to_json(self, context: ReportContext | None = None) -> dict[str, object]:
        """The audit schema: plain values, null instead of NaN."""
        context = context or ReportContext()
        options = self.options
        return {
            "schema_version": SCHEMA_VERSION,
            "provenance": context.describe_provenance(options.seed),
            "task": {"type": "binary", **context.task},
            "positive": options.positive,
            "beneficial": options.beneficial,
            "threshold": options.threshold,
            "protocol": {
                **context.protocol,
                "looks": context.looks,
                "min_group_size": options.min_group_size,
                "references": dict(self.references),
                "level": 0.95,
                "draws": {"table": TABLE_DRAWS, "rows": ROW_DRAWS, "floor": FLOOR_DRAWS},
            },
            "overall": {
                "n": self.overall.n,
                **self.overall.counts.to_json(),
                "metrics": {k: v.to_json() for k, v in self.overall.metrics.items()},
            },
            "by_group": [group.to_json() for group in self.by_group],
            "counts": [
                {"attribute": g.attribute, "group": g.group, **g.counts.to_json()}
                for g in self.by_group
            ],
            "gaps": [gap.to_json() for gap in self.gaps],
            "extremes": [extreme.to_json() for extreme in self.extremes],
            "calibration": {
                "status": "not_estimable" if self.calibration_reason else "ok",
                "reason": self.calibration_reason,
                "groups": [entry.to_json() for entry in self.calibration],
            },
            "cross_check": context.cross_check.to_json() if context.cross_check else None,
            "mitigation": [],
            "definitions": render_definitions(),
            "warnings": [*self.warnings, *context.warnings],
        }


def render_definitions() -> dict[str, dict[str, object]]:
    """Title and formula of every metric an audit shows."""
    metrics = {name: METRICS[name].to_json() for name in GROUP_METRICS}
    for name, row in GAP_DEFINITIONS.items():
        metrics[name] = {"title": row.title, "formula": row.formula, "neutral": row.neutral, "reference": row.reference}  # fmt: skip
    return metrics


def _is_flag_beneficial(options: AuditOptions) -> bool | None:
    return None if options.beneficial is None else options.beneficial == options.positive


def compute_audit(rows: AuditInput, options: AuditOptions) -> Audit:
    """Audit binary decisions by every sensitive column. Same rows and options give the same numbers."""
    groupings = build_groupings(rows.attributes)
    _require_references(options, groupings)
    truth, prediction = _to_int(rows.truth), _to_int(rows.prediction)
    score = None if rows.score is None else np.asarray(rows.score, dtype=np.float64)
    overall = _compute_group("", "", Outcomes("binary", truth, prediction, score), rows, options)
    by_group: list[GroupResult] = []
    gaps: list[Gap] = []
    extremes: list[Extreme] = []
    references: dict[str, str] = {}
    for grouping in groupings:
        results = [
            _compute_group(
                grouping.attribute,
                name,
                _select(truth, prediction, score, grouping.codes == code),
                rows,
                options,
            )
            for code, name in enumerate(grouping.names)
        ]
        reference = _choose_reference(options, grouping)
        request = GapRequest(
            groups=results,
            overall=overall,
            rows=Rows(
                truth, score, grouping.codes, score is not None and rows.score_is_probability
            ),
            reference=reference,
            min_size=options.min_group_size,
            seed=options.seed,
            is_flag_beneficial=_is_flag_beneficial(options),
        )
        by_group += results
        gaps += compute_gaps(request)
        extremes += compute_extremes(request)
        references[grouping.attribute] = grouping.names[reference]
    calibration, reason = _compute_calibrations(truth, score, groupings, rows, options)
    return Audit(
        options=options,
        overall=overall,
        by_group=tuple(by_group),
        gaps=tuple(gaps),
        extremes=tuple(extremes),
        calibration=calibration,
        calibration_reason=reason,
        references=references,
        groupings={g.attribute: g.note for g in groupings},
        warnings=collect_warnings(
            by_group, gaps, groupings, references, limit=options.min_group_size
        ),
    )


def _to_int(values: NDArray[np.generic]) -> Ints:
    return np.asarray(values).astype(np.int64)


def _select(
    truth: Ints, prediction: Ints, score: Floats | None, inside: NDArray[np.bool_]
) -> Outcomes:
    part = None if score is None else score[inside]
    return Outcomes("binary", truth[inside], prediction[inside], part)


def _require_references(options: AuditOptions, groupings: tuple[Grouping, ...]) -> None:
    known = {grouping.attribute: grouping.names for grouping in groupings}
    for attribute, group in options.references.items():
        if attribute not in known:
            raise AuditError(
                f"A reference group is named for {attribute!r}, which is not a sensitive column.",
                hint=f"Sensitive columns are {', '.join(map(repr, known)) or 'none'}.",
            )
        if group not in known[attribute]:
            raise AuditError(
                f"The reference group {group!r} does not occur in {attribute!r}.",
                hint=f"Choose one of {', '.join(map(repr, known[attribute]))}.",
            )


def _choose_reference(options: AuditOptions, grouping: Grouping) -> int:
    named = options.references.get(grouping.attribute)
    return grouping.names.index(named) if named else int(grouping.sizes.argmax())


def _compute_group(
    attribute: str, group: str, outcomes: Outcomes, rows: AuditInput, options: AuditOptions
) -> GroupResult:
    """Counts and every metric of one group; rates over few cases are marked."""
    table = np.bincount(outcomes.labels * 2 + outcomes.decisions, minlength=4)
    counts = Counts(*(int(cell) for cell in table))
    limit = options.min_group_size
    metrics: dict[str, Estimate] = {
        name: mark_few_cases(compute_rate(name, counts.table), limit) for name in RATES
    }
    for name, statistic in BINARY_COMPOSITES.items():
        estimate = bootstrap_table(counts.table, statistic, options.seed)
        metrics[name] = mark_few_cases(estimate, limit, counts.n)
    events = min(counts.positives, counts.n - counts.positives)
    for name in SCORE_METRICS:
        estimate = compute_metric(name, outcomes, seed=options.seed)
        if name in ("brier_score", "log_loss") and not rows.score_is_probability:
            reason = RANKING_REASON if rows.score is not None else "no scores were given"
            estimate = build_not_estimable(reason, n=outcomes.n)
        metrics[name] = mark_few_cases(estimate, limit, events if name == "roc_auc" else counts.n)
    return GroupResult(attribute, group, counts, metrics, is_small=counts.n < limit)


def _compute_calibrations(
    truth: Ints,
    score: Floats | None,
    groupings: tuple[Grouping, ...],
    rows: AuditInput,
    options: AuditOptions,
) -> tuple[tuple[Calibration, ...], str]:
    """Calibration of all rows and of every group; empty with a reason for a ranking score."""
    if score is None:
        return (), "no scores were given"
    if not rows.score_is_probability:
        return (), RANKING_REASON
    entries = [compute_calibration("", "", truth, score, options.seed)]
    for grouping in groupings:
        for code, name in enumerate(grouping.names):
            inside = grouping.codes == code
            entries.append(
                compute_calibration(
                    grouping.attribute, name, truth[inside], score[inside], options.seed
                )
            )
    return tuple(entries), ""
