"""Thresholds, costs and decision curves against scikit-learn, published formulas and counts by hand."""

import numpy as np
import pytest
from sklearn import metrics

from automl.errors import SpecError
from automl.evaluation.costs import Costs, parse_costs
from automl.evaluation.cuts import build_cuts
from automl.evaluation.decision_curve import (
    GRID,
    compute_cost_curve,
    compute_decision_curve,
    compute_net_benefit,
)
from automl.evaluation.goal import Goal
from automl.evaluation.operating_point import compute_at
from automl.evaluation.thresholds import Rule, find_best_threshold, pick_round
from fairness.errors import AuditError


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from their own scores: calibrated by construction."""
    rng = np.random.default_rng(5)
    score = rng.beta(1.2, 2.5, 4_000).round(3)
    return rng.random(4_000) < score, score


@pytest.fixture(scope="module")
def cuts(rows):
    return build_cuts(*rows)


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.25, 0.5, 0.731, 0.9, 1.0])
def test_measures_are_those_of_scikit_learn(rows, cuts, threshold):
    truth, score = rows
    decided = score >= threshold
    table = cuts.count_at(threshold)
    assert table.tolist() == metrics.confusion_matrix(truth, decided).ravel().tolist()
    expected = {
        "precision": metrics.precision_score(truth, decided, zero_division=np.nan),
        "true_positive_rate": metrics.recall_score(truth, decided),
        "f1": metrics.f1_score(truth, decided),
        "accuracy": metrics.accuracy_score(truth, decided),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, decided),
        "youden": metrics.balanced_accuracy_score(truth, decided, adjusted=True),
        "selection_rate": decided.mean(),
    }
    for name, value in expected.items():
        found = compute_at(name, table, Costs()).value
        if found is None:
            assert np.isnan(value), name
        else:
            assert found == pytest.approx(value, abs=1e-12), name


def test_the_best_by_youden_is_the_corner_of_the_roc_curve(rows, cuts):
    alarm, recall, thresholds = metrics.roc_curve(*rows, drop_intermediate=False)
    place = int(np.argmax(recall - alarm))
    found = find_best_threshold(cuts, Rule(goal=Goal.YOUDEN))
    assert found.estimate.value == pytest.approx(recall[place] - alarm[place], abs=1e-12)
    assert found.up_to == thresholds[place]
    assert found.above < found.threshold <= found.up_to
    same = find_best_threshold(cuts, Rule(goal=Goal.BALANCED_ACCURACY))
    assert same.threshold == found.threshold  # Youden's J is twice the balanced accuracy minus 1


def test_recall_at_a_precision_and_at_a_false_positive_rate(rows, cuts):
    precision, recall, _ = metrics.precision_recall_curve(*rows)
    found = find_best_threshold(cuts, Rule(goal=Goal.RECALL_AT_PRECISION, level=0.7))
    assert found.estimate.value == pytest.approx(recall[:-1][precision[:-1] >= 0.7].max())
    alarm, recall, _ = metrics.roc_curve(*rows, drop_intermediate=False)
    rule = Rule(goal=Goal.RECALL_AT_FALSE_POSITIVE_RATE, level=0.05)
    assert find_best_threshold(cuts, rule).estimate.value == recall[alarm <= 0.05].max()


def test_a_missed_case_that_costs_ten_false_alarms_calls_for_one_eleventh(cuts):
    costs = Costs(fp=1, fn=10)
    assert costs.implied_threshold == pytest.approx(1 / 11)
    found = find_best_threshold(cuts, Rule(goal=Goal.COST, costs=costs))
    assert found.threshold == pytest.approx(1 / 11, abs=0.03)
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert Costs().implied_threshold == 0.5
    assert Costs(tp=-2, fp=1, fn=0, tn=0).implied_threshold == pytest.approx(1 / 3)


@pytest.mark.parametrize("costs", [Costs(fp=0), Costs(fn=-1), Costs(tp=1, fn=1), Costs(tn=2, fp=1)])
def test_costs_that_make_one_decision_best_for_everybody_imply_no_threshold(costs):
    assert costs.implied_threshold is None


def test_the_mean_cost_counts_every_outcome():
    table = np.array([50.0, 20.0, 10.0, 20.0])
    costs = Costs(tp=-3, fp=1, fn=5, tn=-0.1)
    expected = (-3 * 20 + 20 + 5 * 10 - 0.1 * 50) / 100
    assert costs.compute_mean(table) == pytest.approx(expected)
    assert np.isnan(costs.compute_mean(np.zeros(4)))


def test_costs_are_written_and_read_in_one_order():
    costs = Costs(tp=-1.5, fp=2, fn=40, tn=0)
    assert costs.render() == "-1.5,2,40,0"
    assert parse_costs(costs.render()) == costs
    for text in ("1,2,3", "a,b,c,d", "1,2,3,nan", "1,2,3,inf", "", "1,2,3,1e12"):
        with pytest.raises(SpecError):
            parse_costs(text)


def test_levels_belong_to_the_rules_that_need_them():
    for goal, level in ((Goal.F1, 0.5), (Goal.RECALL_AT_PRECISION, None)):
        with pytest.raises(SpecError):
            Rule(goal=goal, level=level)
    with pytest.raises(SpecError):
        Rule(goal=Goal.RECALL_AT_PRECISION, level=1.5)


def test_a_level_that_no_threshold_keeps_is_said():
    cuts = build_cuts(np.array([True, False]), np.array([0.2, 0.9]))
    found = find_best_threshold(cuts, Rule(goal=Goal.RECALL_AT_PRECISION, level=0.9))
    assert (found.threshold, found.reason) == (None, "no threshold keeps that level")


def test_rows_that_cannot_be_sorted_are_refused():
    with pytest.raises(AuditError, match="missing or infinite"):
        build_cuts(np.array([True]), np.array([np.nan]))
    with pytest.raises(AuditError, match="2 scores for 1 rows"):
        build_cuts(np.array([True]), np.array([0.1, 0.2]))
    empty = build_cuts(np.array([], dtype=bool), np.array([]))
    assert empty.count_at(0.5).tolist() == [0, 0, 0, 0]
    assert find_best_threshold(empty, Rule(goal=Goal.F1)).reason == "no cases"


def test_round_thresholds_have_few_digits():
    assert pick_round(0.3127, 0.3181) == 0.315
    assert pick_round(0.0, 1.0) == 0.5
    assert pick_round(0.0, 0.00004) == 0.00002
    assert pick_round(0.0, 0.0) == 0.0


def test_net_benefit_is_that_of_vickers_and_elkin(rows, cuts):
    truth, score = rows
    frame = compute_decision_curve(cuts)
    assert frame["threshold"].tolist() == sorted(GRID)
    for _, row in frame.iloc[::25].iterrows():
        t, flagged = row["threshold"], score >= row["threshold"]
        worth = np.where(flagged, np.where(truth, 1.0, -t / (1 - t)), 0.0)
        assert row["net_benefit"] == pytest.approx(worth.mean(), abs=1e-12)
        half = 1.959964 * worth.std() / np.sqrt(len(worth))
        assert row["high"] - row["low"] == pytest.approx(2 * half, rel=1e-6)
        everybody = np.where(truth, 1.0, -t / (1 - t)).mean()
        assert row["treat_all"] == pytest.approx(everybody, abs=1e-12)
    assert (frame["treat_none"] == 0).all()
    at_base_rate = compute_net_benefit(
        build_cuts(truth, np.ones(len(truth))), np.array([truth.mean()])
    )
    assert at_base_rate[0] == pytest.approx(
        0, abs=1e-12
    )  # flagging everybody is worth nothing there


def test_the_cost_curve_begins_and_ends_with_everybody_and_nearly_nobody(cuts):
    costs = Costs(fp=1, fn=4)
    frame = compute_cost_curve(cuts, costs)
    assert frame["cost"].iloc[0] == frame["flag_all"].iloc[0]
    assert frame["threshold"].iloc[[0, -1]].tolist() == [0, 1]
    share = cuts.n_positive / cuts.n
    assert frame["flag_none"].iloc[0] == pytest.approx(4 * share)
    assert frame["flag_all"].iloc[0] == pytest.approx(1 - share)
