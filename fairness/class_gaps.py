"""Gaps between groups of a task with several classes: accuracy, macro recall, and every class alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairness.class_records import ClassCell, ClassGap, ClassGroup
from fairness.estimates import Estimate, build_not_estimable
from fairness.extremes import find_ends
from fairness.intervals import compute_holm, compute_newcombe, compute_two_proportion_p
from fairness.rates import RATES
from fairness.records import Extreme, Spread
from fairness.resampling import (
    TABLE_DRAWS,
    build_bootstrap_estimate,
    compute_floor,
    draw_gaps,
)

CLASS_GAP_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")
TESTED = ("accuracy", "true_positive_rate", "false_positive_rate", "precision")
MACRO = "balanced_accuracy"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def estimate_macro_recall(table: Ints, seed: int) -> Estimate:
    """Mean recall over the classes that occur, with its Jeffreys interval.

    A bootstrap of the counts would give a group without misses an interval of no width.
    """
    value, drawn = _draw_macro_recall(table, np.flatnonzero(table.sum(axis=1)), seed)
    return _build_estimate(value, drawn, int(table.sum()))


_METHOD = f"Jeffreys posterior of each recall, {TABLE_DRAWS} draws"


def _build_estimate(value: float, drawn: Floats, n: int) -> Estimate:
    """The central 95 % of the draws; the value itself always lies inside, as with Jeffreys at 0 and 1."""
    estimate = build_bootstrap_estimate(value, drawn, n, _METHOD)
    if estimate.low is None or estimate.high is None:
        return estimate
    return replace(estimate, low=min(estimate.low, value), high=max(estimate.high, value))


def _draw_macro_recall(table: Ints, classes: Ints, seed: int) -> tuple[float, Floats]:
    """Macro recall over ``classes`` and draws of it. Only hits and misses of a class matter, not where it went.

    Source: Brown, Cai, DasGupta 2001, "Interval Estimation for a Binomial Proportion" (Jeffreys prior).
    """
    hits = np.diagonal(table)[classes]
    misses = table.sum(axis=1)[classes] - hits
    if not (hits.sum() + misses.sum()):
        return float("nan"), np.full(TABLE_DRAWS, np.nan)
    present = hits + misses > 0
    hits, misses = hits[present], misses[present]
    generator = np.random.default_rng(seed)
    drawn = generator.beta(hits + 0.5, misses + 0.5, size=(TABLE_DRAWS, len(hits)))
    return float((hits / (hits + misses)).mean()), drawn.mean(axis=1)


def compute_class_gaps(
    groups: Sequence[ClassGroup],
    cells: Mapping[str, Sequence[ClassCell]],
    reference: int,
    *,
    min_size: int,
    seed: int,
) -> tuple[ClassGap, ...]:
    """Every group against the reference, in all and class by class; p-values corrected by Holm.

    ``cells`` maps the group to its classes, in the same order for all; it is empty where there are too many.
    """
    base = groups[reference]
    gaps: list[ClassGap] = []
    for place, group in enumerate(groups):
        if place == reference:
            continue
        gaps.append(_compare_accuracy(group, base, min_size))
        gaps.append(_compare_macro_recall(group, base, min_size, seed))
        for first, second in zip(
            cells.get(group.group, ()), cells.get(base.group, ()), strict=True
        ):
            gaps += [_compare_class(first, second, metric, min_size) for metric in CLASS_GAP_RATES]
    return _correct(gaps)


def _compare_accuracy(group: ClassGroup, base: ClassGroup, min_size: int) -> ClassGap:
    pair = (group.n_right, group.n, base.n_right, base.n)
    estimate = _mark(compute_newcombe(*pair), min(group.n, base.n), min_size)
    names = (group.attribute, "accuracy", "", group.group, base.group)
    return ClassGap(*names, estimate, group.n, base.n, compute_two_proportion_p(*pair))


def _compare_macro_recall(
    group: ClassGroup, base: ClassGroup, min_size: int, seed: int
) -> ClassGap:
    """Difference over the classes that both groups have, so that both means are of the same classes."""
    both = np.flatnonzero((group.table.sum(axis=1) > 0) & (base.table.sum(axis=1) > 0))
    names = (group.attribute, MACRO, "", group.group, base.group)
    if not both.size:
        absent = build_not_estimable("no class occurs in both groups", method=_METHOD)
        return ClassGap(*names, absent, group.n, base.n)
    first, drawn_first = _draw_macro_recall(group.table, both, seed)
    second, drawn_second = _draw_macro_recall(base.table, both, seed + 1)
    estimate = _build_estimate(first - second, drawn_first - drawn_second, group.n + base.n)
    if both.size < len(group.table):
        said = f"over the {both.size} classes that both groups have"
        estimate = replace(estimate, reason="; ".join(filter(None, (estimate.reason, said))))
    return ClassGap(*names, _mark(estimate, min(group.n, base.n), min_size), group.n, base.n)


def _compare_class(first: ClassCell, second: ClassCell, metric: str, min_size: int) -> ClassGap:
    one, other = (RATES[metric].count(cell.counts.table) for cell in (first, second))
    estimate, p_value = compute_newcombe(*one, *other), None
    if min(one[1], other[1]) == 0:
        empty = [c.group for c, pair in ((first, one), (second, other)) if pair[1] == 0]
        reason = f"no {RATES[metric].pool} in {' and '.join(empty)}"
        estimate = build_not_estimable(reason, method="newcombe")
    elif metric in TESTED:
        p_value = compute_two_proportion_p(*one, *other)
    names = (first.attribute, metric, first.label, first.group, second.group)
    marked = _mark(estimate, min(one[1], other[1]), min_size)
    return ClassGap(*names, marked, one[1], other[1], p_value)


def _mark(estimate: Estimate, cases: int, limit: int) -> Estimate:
    if not estimate.is_ok or cases >= limit:
        return estimate
    few = f"few cases: {cases}"
    return replace(estimate, reason=f"{few}; {estimate.reason}" if estimate.reason else few)


def _correct(gaps: Sequence[ClassGap]) -> tuple[ClassGap, ...]:
    """Holm over all tests of one attribute: groups × (accuracy and three rates of every class)."""
    tested = [i for i, gap in enumerate(gaps) if gap.p_value is not None]
    adjusted = dict(
        zip(tested, compute_holm([gaps[i].p_value or 0.0 for i in tested]), strict=True)
    )
    return tuple(replace(gap, p_holm=adjusted.get(i)) for i, gap in enumerate(gaps))


def compute_accuracy_extreme(
    groups: Sequence[ClassGroup], overall: ClassGroup, *, min_size: int, seed: int
) -> Extreme:
    """Largest against smallest accuracy, of all groups and of those with enough cases, with its noise floor."""
    total = overall.n_right / overall.n
    return Extreme(
        groups[0].attribute,
        "accuracy",
        "difference",
        _spread(groups, {}, seed),
        _spread(
            [group for group in groups if group.n >= min_size],
            {group.group: f"few cases: {group.n}" for group in groups if group.n < min_size},
            seed,
        ),
        max(abs(group.n_right / group.n - total) for group in groups),
    )


def _spread(groups: Sequence[ClassGroup], excluded: Mapping[str, str], seed: int) -> Spread:
    if len(groups) < 2:
        return Spread(None, excluded=excluded, reason="fewer than two groups are estimable")
    values = {group.group: group.n_right / group.n for group in groups}
    top, bottom = find_ends(values)
    gap = values[top] - values[bottom]
    drawn = draw_gaps([group.n for group in groups], sum(g.n_right for g in groups), seed)
    chance = compute_floor(drawn, gap)
    return Spread(gap, top, bottom, chance.mean, chance.high, chance.p_value, excluded)
