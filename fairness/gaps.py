"""Gaps between groups: signed differences and ratios to a reference, extremes, and the noise floor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairness.estimates import Estimate, build_not_estimable
from fairness.intervals import (
    compute_auc_difference,
    compute_holm,
    compute_katz,
    compute_newcombe,
    compute_two_proportion_p,
    compute_z,
)
from fairness.rates import RATES, divide
from fairness.records import Gap, GroupResult
from fairness.reliability import compute_brier_losses
from fairness.resampling import TABLE_DRAWS, build_bootstrap_estimate, draw_tables

GAP_RATES = (
    "base_rate",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
    "precision",
    "false_omission_rate",
    "accuracy",
)
TESTED = (  # what Holm's correction counts: base_rate is the data's, fnr repeats tpr
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
    "false_omission_rate",
    "accuracy",
    "roc_auc",
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one attribute: label, score (None without one) and group code."""

    truth: NDArray[np.int64]
    score: Floats | None
    codes: NDArray[np.int64]
    has_probabilities: bool

    def select(self, code: int) -> tuple[Floats, Floats]:
        """Labels and scores of one group."""
        if self.score is None:
            raise ValueError("no scores were given")
        inside = self.codes == code
        return self.truth[inside].astype(np.float64), self.score[inside]


@dataclass(frozen=True, slots=True)
class GapRequest:
    """One attribute's groups (in code order), the index of the reference, and the limits of the audit."""

    groups: Sequence[GroupResult]
    overall: GroupResult
    rows: Rows
    reference: int
    min_size: int
    seed: int
    is_flag_beneficial: bool | None


def compute_gaps(request: GapRequest) -> tuple[Gap, ...]:
    """Every group against the reference: differences, ratios, p-values corrected by Holm."""
    gaps: list[Gap] = []
    for code, group in enumerate(request.groups):
        if code != request.reference:
            reference = request.groups[request.reference]
            gaps += compare_rates(group, reference, request.min_size)
            gaps += _compare_odds(group, request)
            gaps += _compare_scores(code, group, request)
    return _correct(gaps)


def count_rate(group: GroupResult, metric: str) -> tuple[int, int]:
    """Numerator and denominator of a rate in one group."""
    return RATES[metric].count(group.counts.table)


def compare_rates(
    group: GroupResult,
    reference: GroupResult,
    min_size: int,
    metrics: Sequence[str] = GAP_RATES,
) -> list[Gap]:
    """Signed differences and ratios of rates, from the counts of the two groups alone; p-values uncorrected."""
    gaps = []
    for metric in metrics:
        first, second = count_rate(group, metric), count_rate(reference, metric)
        few = min(first[1], second[1]) < min_size
        p_value = None
        if metric != "base_rate" and min(first[1], second[1]) > 0:
            p_value = compute_two_proportion_p(*first, *second)
        for kind, compute in (("difference", compute_newcombe), ("ratio", compute_katz)):
            estimate = _explain(compute(*first, *second), group, reference, metric)
            gaps.append(
                Gap(
                    group.attribute,
                    metric,
                    "ratio" if kind == "ratio" else "difference",
                    group.group,
                    reference.group,
                    _mark_few(estimate, few=few),
                    p_value if kind == "difference" else None,
                )
            )
    return gaps


def _explain(
    estimate: Estimate, group: GroupResult, reference: GroupResult, metric: str
) -> Estimate:
    """Names the group whose denominator is zero."""
    if estimate.is_ok:
        return estimate
    empty = [g.group for g in (group, reference) if count_rate(g, metric)[1] == 0]
    if not empty:
        return estimate
    return replace(estimate, reason=f"no {RATES[metric].pool} in {' and '.join(empty)}")


def _mark_few(estimate: Estimate, *, few: bool) -> Estimate:
    if not few or not estimate.is_ok:
        return estimate
    reason = f"few cases; {estimate.reason}" if estimate.reason else "few cases"
    return replace(estimate, reason=reason)


def _compare_odds(group: GroupResult, request: GapRequest) -> list[Gap]:
    """Average odds, signed and absolute, with a bootstrap of both groups' tables."""
    reference = request.groups[request.reference]
    pairs = [
        np.stack([draw_tables(g.counts.table, request.seed + i), _tile(g)])
        for i, g in enumerate((group, reference))
    ]
    rates = [np.stack(_odds(pair.astype(np.float64))) for pair in pairs]
    changes = rates[0] - rates[1]  # (fpr | tpr, drawn | observed, draws)
    denominators = [
        count_rate(g, m)[1]
        for g in (group, reference)
        for m in ("true_positive_rate", "false_positive_rate")
    ]
    gaps = []
    for metric, values in (
        ("average_odds_difference", changes.mean(axis=0)),
        ("average_absolute_odds_difference", np.abs(changes).mean(axis=0)),
    ):
        estimate = build_bootstrap_estimate(
            float(values[1, 0]),
            values[0],
            group.n + reference.n,
            f"multinomial bootstrap, {TABLE_DRAWS} draws",
        )
        estimate = _mark_few(estimate, few=min(denominators) < request.min_size)
        gaps.append(
            Gap(group.attribute, metric, "difference", group.group, reference.group, estimate)
        )
    return gaps


def _tile(group: GroupResult) -> NDArray[np.int64]:
    return np.broadcast_to(group.counts.table, (TABLE_DRAWS, 4))


def _odds(tables: Floats) -> tuple[Floats, Floats]:
    tn, fp, fn, tp = (tables[..., i] for i in range(4))
    return divide(fp, fp + tn), divide(tp, tp + fn)


def _compare_scores(code: int, group: GroupResult, request: GapRequest) -> list[Gap]:
    rows = request.rows
    if rows.score is None:
        return []
    reference = request.groups[request.reference]
    first, second = rows.select(code), rows.select(request.reference)
    auc = compute_auc_difference(*first, *second)
    p_value = None
    if auc.value is not None and auc.low is not None and auc.high is not None:
        error = (
            max(auc.high - auc.value, auc.value - auc.low) / compute_z()
        )  # one end may be cut at ±1
        p_value = math.erfc(abs(auc.value) / error / math.sqrt(2)) if error > 0 else None
    smallest = min(_count_smallest_class(part[0]) for part in (first, second))
    auc = _mark_few(auc, few=smallest < request.min_size)
    names = (group.group, reference.group)
    gaps = [Gap(group.attribute, "roc_auc", "difference", *names, auc, p_value)]
    if rows.has_probabilities:
        few = min(group.n, reference.n) < request.min_size
        brier = _mark_few(
            _compare_means(compute_brier_losses(*first), compute_brier_losses(*second)), few=few
        )
        gaps.append(Gap(group.attribute, "brier_score", "difference", *names, brier))
    return gaps


def _count_smallest_class(truth: Floats) -> int:
    positives = int(truth.sum())
    return min(positives, len(truth) - positives)


def _compare_means(first: Floats, second: Floats) -> Estimate:
    """Difference of two means with Welch's standard error and a normal interval."""
    n = len(first) + len(second)
    if min(len(first), len(second)) < 2:
        return build_not_estimable("a group has fewer than two rows", n=n, method="welch")
    difference = float(first.mean() - second.mean())
    half = compute_z() * math.sqrt(
        first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)
    )
    return Estimate(difference, difference - half, difference + half, n, "welch")


def _correct(gaps: list[Gap]) -> tuple[Gap, ...]:
    """Holm over groups × tested metrics; the false negative rate takes its complement's correction."""
    places = [i for i, gap in enumerate(gaps) if gap.metric in TESTED and gap.p_value is not None]
    adjusted = compute_holm([gaps[i].p_value or 0.0 for i in places])
    by_place = dict(zip(places, adjusted, strict=True))
    by_key = {(gaps[i].group, gaps[i].metric): p for i, p in by_place.items()}
    result = []
    for i, gap in enumerate(gaps):
        p_holm = by_place.get(i)
        if gap.metric == "false_negative_rate" and gap.p_value is not None:
            p_holm = by_key.get((gap.group, "true_positive_rate"))
        result.append(replace(gap, p_holm=p_holm))
    return tuple(result)
