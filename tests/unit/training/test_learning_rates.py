"""What losses at 32 rates suggest; on problems whose stable limit is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.models.catalog import FAMILIES
from automl.training.learning_rates import (
    DIVERGED,
    N_STEPS,
    SAFETY,
    compute_smoothed,
    find_obstacle,
    judge,
    list_rates,
)

RATES = list_rates()


def descend(curvature: float, n_steps: int = N_STEPS) -> np.ndarray:
    """Losses of gradient descent on ``curvature · x² / 2`` from 1, for each rate; stable below 2 / curvature."""
    factors = (1 - curvature * np.array(RATES)) ** 2
    with np.errstate(over="ignore"):
        return curvature / 2 * factors[:, None] ** np.arange(n_steps)


def test_rates_are_evenly_spaced_on_a_log_scale():
    assert len(RATES) == 32
    assert RATES[0] == pytest.approx(1e-5)
    assert RATES[-1] == pytest.approx(1)
    assert np.diff(np.log(RATES)) == pytest.approx(math.log(1e5) / 31)


@settings(max_examples=30, deadline=None)
@given(st.floats(min_value=3.0, max_value=3e3))
def test_a_convex_problem_diverges_from_its_stable_limit_on(curvature):
    verdict = judge(RATES, descend(curvature))
    stable = [rate for rate in RATES if rate * curvature <= 2]
    beyond = [rate for rate in RATES if rate * curvature > 2.02]  # so near that it hardly grows
    assert verdict.first_diverging > stable[-1]
    assert verdict.first_diverging <= beyond[0]
    assert verdict.suggested <= verdict.first_diverging / SAFETY
    assert verdict.suggested * curvature < 2 / SAFETY * 1.5


def test_without_a_rate_that_diverges_the_steepest_is_suggested():
    verdict = judge(RATES, descend(1.0))
    assert verdict.first_diverging is None
    assert verdict.suggested == RATES[-1]
    assert "the highest rate tested" in verdict.reason


def test_a_steep_fall_far_under_what_diverges_is_taken_as_it_is():
    losses = np.ones((32, N_STEPS))
    losses[10:20] = np.linspace(1, 0.5, N_STEPS)
    losses[14] = np.linspace(1, 0.4, N_STEPS)
    losses[30:, 3] = np.nan
    verdict = judge(RATES, losses)
    assert verdict.first_diverging == RATES[30]
    assert verdict.suggested == RATES[14]
    assert verdict.reason.startswith("The loss falls most steeply at 0.0018, far below 0.69")


def test_a_loss_that_returned_from_far_away_has_diverged():
    losses = np.tile(np.linspace(1, 0.5, N_STEPS), (32, 1))
    losses[0] = 1
    losses[25, 1:4] = 20 * DIVERGED
    losses[25, 4:] = 0.01
    verdict = judge(RATES, losses)
    assert verdict.first_diverging == RATES[25]
    assert verdict.suggested <= RATES[25] / SAFETY


@pytest.mark.parametrize("wild", [np.inf, np.nan])
def test_no_rate_is_suggested_where_none_helps(wild):
    verdict = judge(RATES, np.ones((32, N_STEPS)))
    assert (verdict.suggested, verdict.first_diverging) == (None, None)
    assert "No rate lowers the loss by 2% within 60 steps" in verdict.reason
    losses = np.ones((32, N_STEPS))
    losses[0, 5] = wild
    verdict = judge(RATES, losses)
    assert verdict.suggested is None
    assert verdict.first_diverging == RATES[0]
    assert "Even the lowest rate" in verdict.reason


@settings(max_examples=30, deadline=None)
@given(
    st.integers(min_value=0, max_value=2**32 - 1),
    st.floats(min_value=1e-3, max_value=1e3),
)
def test_a_suggestion_never_exceeds_a_tenth_of_what_diverges(seed, spread):
    losses = np.exp(np.random.default_rng(seed).normal(0, math.log1p(spread), (32, N_STEPS)))
    verdict = judge(RATES, losses)
    if verdict.suggested is not None and verdict.first_diverging is not None:
        assert verdict.suggested <= verdict.first_diverging / SAFETY


def test_smoothed_losses_begin_without_bias_and_stay_within_the_losses():
    losses = np.random.default_rng(0).uniform(1, 2, (3, N_STEPS))
    smoothed = compute_smoothed(losses)
    assert smoothed[:, 0] == pytest.approx(losses[:, 0])
    assert (smoothed >= losses.min()).all()
    assert (smoothed <= losses.max()).all()
    assert smoothed[:, -1].std() < losses[:, -1].std()


def test_only_networks_of_packs_can_be_tested():
    for name in ("mlp", "resnet"):
        assert find_obstacle(name, FAMILIES[name].default) == ""
    for name in ("realmlp", "tabm", "ft_transformer", "cnn", "lightgbm"):
        assert FAMILIES[name].title in find_obstacle(name, FAMILIES[name].default)
    encoded = {**FAMILIES["mlp"].default, "target_encoding": True}
    assert "by their target" in find_obstacle("mlp", encoded)
    assert "no value for 'numeric_embedding'" in find_obstacle("mlp", {"width": 8})
