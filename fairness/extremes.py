"""Largest against smallest group, what chance alone would show, and the named fairness metrics."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairness.gaps import GAP_RATES, GapRequest, count_rate
from fairness.rates import RATES
from fairness.records import Extreme, GroupResult, Spread
from fairness.reliability import compute_brier_losses
from fairness.resampling import compute_floor, draw_gaps, draw_mean_gaps

Floats = NDArray[np.float64]


def compute_extremes(request: GapRequest) -> tuple[Extreme, ...]:
    """Largest against smallest group for every metric, and the named fairness metrics made of them."""
    extremes = []
    drawn: dict[tuple[str, bool], Floats] = {}
    spreads: dict[tuple[str, bool, str], Spread] = {}
    for metric in GAP_RATES:
        for is_large in (False, True):
            kept, excluded = _choose_groups(metric, request, is_large=is_large)
            pairs = {g.group: count_rate(g, metric) for g in kept}
            floor = None
            if len(pairs) > 1:
                floor = drawn[metric, is_large] = _draw_floor(tuple(pairs.values()), request.seed)
            values = {name: k / d for name, (k, d) in pairs.items()}
            for kind in ("difference", "ratio"):
                spreads[metric, is_large, kind] = _build_spread(values, excluded, kind, floor)
        extremes.append(_join(metric, "difference", spreads, metric, request))
    extremes += _compute_score_extremes(request)
    extremes += _name_fairness_metrics(spreads, drawn, request)
    return tuple(extremes)


@lru_cache(maxsize=1)
def _draw_floor(pairs: tuple[tuple[int, int], ...], seed: int) -> Floats:
    """Chance gaps of these groups; drawn once where no group has too few cases for the second set."""
    return draw_gaps([d for _, d in pairs], sum(k for k, _ in pairs), seed)


def _choose_groups(
    metric: str, request: GapRequest, *, is_large: bool
) -> tuple[list[GroupResult], dict[str, str]]:
    kept: list[GroupResult] = []
    excluded: dict[str, str] = {}
    for group in request.groups:
        denominator = count_rate(group, metric)[1]
        if denominator == 0:
            excluded[group.group] = f"no {RATES[metric].pool}"
        elif is_large and denominator < request.min_size:
            excluded[group.group] = f"few cases: {denominator} {RATES[metric].pool}"
        else:
            kept.append(group)
    return kept, excluded


def find_ends(values: dict[str, float]) -> tuple[str, str]:
    """The groups with the largest and the smallest value; where all are equal two groups, if there are two."""
    return max(values, key=values.__getitem__), min(reversed(values), key=values.__getitem__)


def _build_spread(
    values: dict[str, float], excluded: Mapping[str, str], kind: str, floor: Floats | None
) -> Spread:
    """Max − min or min / max; needs two groups, unless the attribute has only one."""
    if len(values) < 2 and (excluded or not values):
        return Spread(None, excluded=excluded, reason="fewer than two groups are estimable")
    top, bottom = find_ends(values)
    if kind == "ratio":
        if values[top] == 0:
            return Spread(None, top, bottom, excluded=excluded, reason="every rate is zero")
        return Spread(values[bottom] / values[top], top, bottom, excluded=excluded)
    gap = values[top] - values[bottom]
    if floor is None:
        return Spread(gap, top, bottom, excluded=excluded)
    chance = compute_floor(floor, gap)
    return Spread(gap, top, bottom, chance.mean, chance.high, chance.p_value, excluded)


def _join(
    name: str,
    kind: str,
    spreads: Mapping[tuple[str, bool, str], Spread],
    metric: str,
    request: GapRequest,
) -> Extreme:
    return Extreme(
        request.overall.attribute or request.groups[0].attribute,
        name,
        "ratio" if kind == "ratio" else "difference",
        spreads[metric, False, kind],
        spreads[metric, True, kind],
        _compare_to_overall(metric, kind, request),
    )


def _compare_to_overall(metric: str, kind: str, request: GapRequest) -> float | None:
    """Largest |m_g − m_all|, or smallest of m_g/m_all and its inverse, over the estimable groups."""
    overall = request.overall.metrics[metric].value
    values = [g.metrics[metric].value for g in request.groups]
    known = [value for value in values if value is not None]
    if overall is None or not known:
        return None
    if kind == "difference":
        return max(abs(value - overall) for value in known)
    if overall == 0:
        return None
    return min(min(v / overall, overall / v) if v > 0 else 0.0 for v in known)


def _compute_score_extremes(request: GapRequest) -> list[Extreme]:
    extremes = []
    for metric in ("roc_auc", "brier_score"):
        if not request.overall.metrics[metric].is_ok:
            continue
        spread = _spread_scores(metric, request, is_large=False)
        has_few = any("few cases" in g.metrics[metric].reason for g in request.groups)
        pair = (spread, _spread_scores(metric, request, is_large=True) if has_few else spread)
        to_overall = _compare_to_overall(metric, "difference", request)
        attribute = request.groups[0].attribute
        extremes.append(Extreme(attribute, metric, "difference", pair[0], pair[1], to_overall))
    return extremes


def _spread_scores(metric: str, request: GapRequest, *, is_large: bool) -> Spread:
    values: dict[str, float] = {}
    excluded: dict[str, str] = {}
    codes: list[int] = []
    for code, group in enumerate(request.groups):
        estimate = group.metrics[metric]
        if estimate.value is None:
            excluded[group.group] = estimate.reason
        elif is_large and "few cases" in estimate.reason:
            excluded[group.group] = "few cases"
        else:
            values[group.group] = estimate.value
            codes.append(code)
    floor = None
    if metric == "brier_score" and len(codes) > 1 and request.rows.score is not None:
        inside = np.isin(request.rows.codes, codes)
        losses = compute_brier_losses(
            request.rows.truth[inside].astype(np.float64), request.rows.score[inside]
        )
        dense = np.searchsorted(codes, request.rows.codes[inside])
        floor = draw_mean_gaps(losses, dense, request.seed)
    return _build_spread(values, excluded, "difference", floor)


_SIMPLE = (
    ("demographic_parity_difference", "selection_rate", "difference"),
    ("demographic_parity_ratio", "selection_rate", "ratio"),
    ("equal_opportunity_difference", "true_positive_rate", "difference"),
    ("equal_opportunity_ratio", "true_positive_rate", "ratio"),
    ("predictive_equality_difference", "false_positive_rate", "difference"),
    ("predictive_equality_ratio", "false_positive_rate", "ratio"),
    ("predictive_parity_difference", "precision", "difference"),
)
_ODDS: tuple[tuple[str, str, Callable[[Sequence[float]], float]], ...] = (
    ("equalized_odds_difference", "difference", max),
    ("equalized_odds_difference_mean", "difference", lambda pair: sum(pair) / 2),
    ("equalized_odds_ratio", "ratio", min),
    ("equalized_odds_ratio_mean", "ratio", lambda pair: sum(pair) / 2),
)


def _name_fairness_metrics(
    spreads: Mapping[tuple[str, bool, str], Spread],
    drawn: Mapping[tuple[str, bool], Floats],
    request: GapRequest,
) -> list[Extreme]:
    attribute = request.groups[0].attribute
    named = [_join(name, kind, spreads, metric, request) for name, metric, kind in _SIMPLE]
    for name, kind, combine in _ODDS:
        pair = [
            _combine_odds(kind, combine, spreads, drawn, is_large) for is_large in (False, True)
        ]
        named.append(
            Extreme(attribute, name, "ratio" if kind == "ratio" else "difference", pair[0], pair[1])
        )
    impact = [_compute_impact(request, is_large=is_large) for is_large in (False, True)]
    named.append(Extreme(attribute, "impact_ratio", "ratio", impact[0], impact[1]))
    return named


def _combine_odds(
    kind: str,
    combine: Callable[[Sequence[float]], float],
    spreads: Mapping[tuple[str, bool, str], Spread],
    drawn: Mapping[tuple[str, bool], Floats],
    is_large: bool,  # noqa: FBT001
) -> Spread:
    """Worst or mean of the two odds; their chance gaps are independent given the labels."""
    tpr = spreads["true_positive_rate", is_large, kind]
    fpr = spreads["false_positive_rate", is_large, kind]
    excluded = {**tpr.excluded, **fpr.excluded}
    if tpr.value is None or fpr.value is None:
        return Spread(None, excluded=excluded, reason=tpr.reason or fpr.reason)
    value = combine((tpr.value, fpr.value))
    is_worse_tpr = tpr.value >= fpr.value if kind == "difference" else tpr.value <= fpr.value
    leading = tpr if is_worse_tpr else fpr
    floors = [drawn.get((m, is_large)) for m in ("true_positive_rate", "false_positive_rate")]
    if kind == "ratio" or floors[0] is None or floors[1] is None:
        return Spread(value, leading.max_group, leading.min_group, excluded=excluded)
    both = np.stack([floors[0], np.random.default_rng(1).permutation(floors[1])])
    gaps = both.max(axis=0) if combine is max else both.mean(axis=0)
    chance = compute_floor(gaps, value)
    return Spread(
        value,
        leading.max_group,
        leading.min_group,
        chance.mean,
        chance.high,
        chance.p_value,
        excluded,
    )


def _compute_impact(request: GapRequest, *, is_large: bool) -> Spread:
    """Rate of the beneficial decision, lowest over highest; needs to know which decision that is."""
    if request.is_flag_beneficial is None:
        return Spread(None, reason="nobody stated which outcome is beneficial")
    kept, excluded = _choose_groups("selection_rate", request, is_large=is_large)
    values = {}
    for group in kept:
        k, n = count_rate(group, "selection_rate")
        values[group.group] = (k if request.is_flag_beneficial else n - k) / n
    return _build_spread(values, excluded, "ratio", None)
