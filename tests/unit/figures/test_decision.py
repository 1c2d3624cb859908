"""The pictures of a threshold draw what their frames say, and their sentences read the numbers."""

import numpy as np
import pytest

from automl.evaluation.costs import Costs
from automl.evaluation.cuts import build_cuts
from automl.evaluation.decision_curve import compute_cost_curve, compute_decision_curve
from automl.figures.decision import (
    describe_cost_curve,
    describe_decision_curve,
    describe_point,
    mark_point,
    plot_cost_curve,
    plot_decision_curve,
)
from automl.figures.roc import plot_roc
from fairness.template import PALETTE
from tests.unit.figures import frames


@pytest.fixture(scope="module")
def cuts():
    rng = np.random.default_rng(1)
    score = rng.beta(1, 3, 2_000).round(3)
    return build_cuts(rng.random(2_000) < score, score)


def get_mark(fig):
    return fig.data[-1]


def test_the_decision_curve_has_both_lines_without_a_model_and_the_threshold(cuts):
    frame = compute_decision_curve(cuts)
    fig = plot_decision_curve(frame, 0.25)
    assert tuple(fig.layout.template.layout.colorway) == PALETTE
    names = [trace.name for trace in fig.data]
    assert names[1:] == ["model, 95 % band", "flag everybody", "flag nobody", "at 0.25"]
    assert len({trace.line.dash for trace in fig.data[1:4]}) == 3  # told apart without colour
    at = frame["net_benefit"][frame["threshold"] == 0.25].iloc[0]
    assert list(get_mark(fig).y) == [pytest.approx(at)]
    said = describe_decision_curve(frame, 0.25, 2_000)
    assert said.startswith("At 0.25 the net benefit is")
    assert "the band is above both lines" in said
    assert "n = 2,000" in said


def test_at_a_threshold_of_one_net_benefit_is_not_defined(cuts):
    frame = compute_decision_curve(cuts)
    assert len(plot_decision_curve(frame, 1.0).data) == 4  # no mark
    assert "is not defined" in describe_decision_curve(frame, 1.0, 2_000)


def test_a_model_that_knows_nothing_leads_nowhere():
    truth = np.arange(200) % 4 == 0
    frame = compute_decision_curve(build_cuts(truth, np.full(200, 0.25)))
    assert "Nowhere is the band above both lines" in describe_decision_curve(frame, 0.2, 200)


def test_the_cost_curve_names_the_threshold_that_the_costs_call_for(cuts):
    costs = Costs(fp=1, fn=4)
    frame = compute_cost_curve(cuts, costs)
    fig = plot_cost_curve(frame, 0.5, costs.implied_threshold)
    assert [each.text for each in fig.layout.annotations] == ["by the costs 0.2"]
    at = frame["cost"][frame["threshold"] == 0.5].iloc[0]
    assert list(get_mark(fig).y) == [pytest.approx(at)]
    assert not plot_cost_curve(frame, 0.5).layout.annotations
    assert "less than the cheaper of the two" in describe_cost_curve(frame, 0.2, 2_000)
    assert "less than" not in describe_cost_curve(frame, 0.0, 2_000)


def test_a_point_without_a_place_is_not_drawn_and_said():
    fig = plot_roc(frames.build_roc("model"))
    n = len(fig.data)
    assert len(mark_point(fig, None, 0.5, "at 1").data) == n
    assert len(mark_point(fig, 0.1, 0.5, "at 1").data) == n + 1
    said = describe_point(1.0, ("recall", 0.0), ("precision", None), 1_234)
    assert (
        said == "The diamond is the threshold 1: recall 0.0 %, precision not estimable (n = 1,234)."
    )
