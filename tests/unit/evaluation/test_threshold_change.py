"""Requests for a threshold, what they come to, and the one line that says who, when and why."""

import json

import pytest

from automl.errors import DataError, SpecError
from automl.evaluation.costs import Costs
from automl.evaluation.goal import Goal
from automl.evaluation.threshold_change import (
    CHANGES,
    ThresholdRequest,
    add_change,
    build_change,
    describe_change,
    describe_choice,
    describe_rule,
    parse_request,
    read_changes,
    read_threshold,
    render_request,
)
from automl.evaluation.thresholds import BestThreshold, Rule
from fairness.estimates import Estimate

AT = "2026-11-30T18:00:00+00:00"
RULE = Rule(goal=Goal.COST, costs=Costs(fp=1, fn=10))


def build_best(**more) -> BestThreshold:
    estimate = Estimate(0.31, 0.25, 0.37, 500, "multinomial bootstrap")
    found = {"threshold": 0.09, "estimate": estimate, "above": 0.088, "up_to": 0.094}
    return BestThreshold(rule=RULE, n=500, n_tried=400, **(found | more))


def test_a_result_without_changes_is_cut_at_one_half():
    assert read_threshold({}) == 0.5
    assert read_changes({"threshold_changes": None}) == ()
    with pytest.raises(DataError, match="cannot be read"):
        read_changes({CHANGES: [{"threshold": "x"}]})


def test_a_request_and_its_change_survive_json():
    request = ThresholdRequest(goal=Goal.COST, costs=RULE.costs, reason=" Cost. ", by="Ana")
    assert parse_request(json.loads(json.dumps(render_request(request)))) == request
    assert request.rule == RULE
    change = build_change(request, build_best(), previous=0.5, at=AT)
    result = json.loads(json.dumps(add_change({"looks": 1}, change)))
    assert result["looks"] == 1
    assert read_changes(result) == (change,)
    assert read_threshold(result) == 0.09
    assert (change.n, change.value, change.reason) == (500, 0.31, "Cost.")
    assert describe_change(change) == (
        "0.09 (before 0.5), the lowest mean cost (TP 0, FP 1, FN 10, TN 0) on the calibrate part (Mean cost per case "
        "0.310 [0.250, 0.370], n = 500); stored 2026-11-30 by Ana: Cost."
    )
    undone = build_change(ThresholdRequest(), None, previous=0.09, at=AT)
    assert describe_choice(undone) == "0.5 (before 0.09), the default again"
    assert read_threshold(add_change(result, undone)) == 0.5


def test_a_threshold_by_hand_says_so():
    request = ThresholdRequest(threshold=0.3, reason="Law", by="  ")
    said = describe_change(build_change(request, None, previous=0.5, at=AT))
    assert (
        said
        == "0.3 (before 0.5), set by hand, not found on the calibrate part; stored 2026-11-30 by not stated: Law"
    )


def test_a_rule_that_found_nothing_stores_nothing():
    best = build_best(threshold=None, estimate=None, reason="no threshold keeps that level")
    with pytest.raises(SpecError, match="no threshold keeps that level"):
        build_change(ThresholdRequest(goal=Goal.COST), best, previous=0.5, at=AT)


@pytest.mark.parametrize(
    "fields",
    [
        {"goal": Goal.F1, "threshold": 0.5},
        {"threshold": 1.5},
        {"threshold": float("nan")},
        {"threshold": 0.3, "reason": "x" * 501},
        {"threshold": 0.3, "by": "x" * 101},
    ],
)
def test_what_cannot_be_stored_is_refused(fields):
    with pytest.raises(SpecError):
        ThresholdRequest(**fields)


def test_a_reason_is_needed_unless_the_default_comes_back():
    ThresholdRequest().require_reason()
    with pytest.raises(SpecError, match="none was given"):
        ThresholdRequest(threshold=0.3, reason="  ").require_reason()


def test_a_request_that_cannot_be_read_names_the_field():
    with pytest.raises(SpecError, match="at goal"):
        parse_request({"goal": "luck"})
    with pytest.raises(SpecError, match="at colour"):
        parse_request({"colour": "red"})


@pytest.mark.parametrize("goal", Goal)
def test_every_rule_is_said_in_words(goal):
    level = 0.8 if "recall" in goal else None
    said = describe_rule(Rule(goal=goal, level=level))
    assert said.startswith(("highest", "lowest"))
    assert ("0.8" in said) == (level is not None)
