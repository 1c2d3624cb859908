"""Counts at every threshold are the naive ones, and the best threshold is really the best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.evaluation.costs import Costs
from automl.evaluation.cuts import Cuts, build_cuts
from automl.evaluation.goal import DEFAULT_LEVELS, Goal
from automl.evaluation.operating_point import SHOWN, compute_at
from automl.evaluation.thresholds import Rule, find_best_threshold, pick_round

SCORES = st.integers(0, 20).map(lambda step: step / 20)  # ties, 0 and 1 are common
ROWS = st.lists(st.tuples(st.booleans(), SCORES), min_size=1, max_size=40)
PRICES = st.integers(-3, 12).map(float)
COSTS = st.builds(Costs, tp=PRICES, fp=PRICES, fn=PRICES, tn=PRICES)


def split(rows: list[tuple[bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([label for label, _ in rows]), np.array([score for _, score in rows])


def build(rows: list[tuple[bool, float]]) -> Cuts:
    return build_cuts(*split(rows))


def count_naively(rows: list[tuple[bool, float]], threshold: float) -> list[int]:
    counts = [0, 0, 0, 0]
    for label, score in rows:
        counts[2 * label + (score >= threshold)] += 1
    return counts


@given(ROWS, st.lists(st.one_of(SCORES, st.floats(0, 1)), min_size=1, max_size=8))
def test_counts_at_any_threshold_are_the_naive_ones(rows, thresholds):
    cuts = build(rows)
    expected = [count_naively(rows, each) for each in thresholds]
    assert cuts.count_at(np.array(thresholds)).tolist() == expected
    assert cuts.count_at(thresholds[0]).tolist() == expected[0]
    assert cuts.count_all().tolist() == [
        count_naively(rows, each) for each in (2.0, *cuts.score.tolist())
    ]


def score_naively(rule: Rule, counts: list[int]) -> float | None:
    """The rule's value of one decision by its definition, higher is better; None where it has none."""
    tn, fp, fn, tp = counts
    recall, alarm = tp / (tp + fn), fp / (fp + tn)
    match rule.goal:
        case Goal.F1:
            return 2 * tp / (2 * tp + fp + fn)
        case Goal.BALANCED_ACCURACY:
            return (recall + 1 - alarm) / 2
        case Goal.YOUDEN:
            return recall - alarm
        case Goal.ACCURACY:
            return (tp + tn) / sum(counts)
        case Goal.RECALL_AT_PRECISION:
            return recall if tp + fp and tp / (tp + fp) >= rule.level else None
        case Goal.RECALL_AT_FALSE_POSITIVE_RATE:
            return recall if alarm <= rule.level else None
        case Goal.COST:
            costs = rule.costs
            total = costs.tn * tn + costs.fp * fp + costs.fn * fn + costs.tp * tp
            return -total / sum(counts)


@st.composite
def rules(draw) -> Rule:
    goal = draw(st.sampled_from(Goal))
    level = draw(st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0])) if goal in DEFAULT_LEVELS else None
    return Rule(goal=goal, level=level, costs=draw(COSTS))


@given(ROWS, rules())
def test_the_best_threshold_is_the_best_of_all_and_says_its_ties(rows, rule):
    found = find_best_threshold(build(rows), rule)
    labels, scores = split(rows)
    if labels.all() or not labels.any():
        assert found.threshold is None
        assert "labels" in found.reason
        return
    # between any two neighbouring scores all decide alike: these are all decisions a threshold in 0..1 can take
    tried = sorted({0.0, 1.0, *scores.tolist()})
    decisions = {tuple(count_naively(rows, each)) for each in tried}
    values = [score_naively(rule, list(each)) for each in decisions]
    known = [value for value in values if value is not None]
    assert found.n_tried == len(decisions)
    if not known:
        assert found.threshold is None
        assert found.reason == "no threshold keeps that level"
        return
    assert 0 <= found.threshold <= 1
    counts = count_naively(rows, found.threshold)
    assert score_naively(rule, counts) == pytest.approx(max(known), abs=1e-9)
    assert found.n_tied == sum(abs(value - max(known)) < 1e-9 for value in known) - 1
    if found.above < found.up_to:
        for each in (found.up_to, np.nextafter(found.above, 2)):
            assert count_naively(rows, each) == counts
    assert found.estimate.value == compute_at(rule.measure, np.array(counts), rule.costs).value
    best = [each for each in decisions if score_naively(rule, list(each)) is not None]
    best = [each for each in best if abs(score_naively(rule, list(each)) - max(known)) < 1e-9]
    assert counts[1] + counts[3] == min(each[1] + each[3] for each in best)  # the fewest flagged


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_round_threshold_lies_where_it_decides_the_same(first, second):
    above, up_to = min(first, second), max(first, second)
    chosen = pick_round(above, up_to)
    assert chosen == up_to if above == up_to else above < chosen <= up_to


@given(ROWS, COSTS)
def test_values_of_every_measure_stay_inside_their_intervals(rows, costs):
    table = build(rows).count_at(0.5)
    for name in SHOWN:
        estimate = compute_at(name, table, costs)
        if estimate.has_interval:
            assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9, name
