"""Calibration against scikit-learn, the inline cases and the null values."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from fairness import reliability
from fairness.errors import AuditError
from fairness.reliability import (
    compute_bins,
    compute_decomposition,
    compute_ece,
    compute_ece_null,
    compute_reliability,
    compute_slope,
    fit_isotonic,
)


def test_isotonic_fit_equals_scikit_learn():
    for seed in range(10):
        generator = np.random.default_rng(seed)
        score = np.round(generator.random(200), 2)
        y = (generator.random(200) < score**2).astype(float)
        expected = IsotonicRegression().fit(score, y).predict(score)
        assert fit_isotonic(y, score) == pytest.approx(expected, abs=1e-12)


def test_many_scores_are_pooled_as_few_are(monkeypatch):
    generator = np.random.default_rng(0)
    for digits in (1, 2, 4):
        score = np.round(generator.random(900), digits)
        y = (generator.random(900) < score**2).astype(float)
        few = fit_isotonic(y, score)
        monkeypatch.setattr(reliability, "MOST_LEVELS", 5)
        assert (fit_isotonic(y, score) == few).all()
        monkeypatch.undo()


def test_the_null_ece_of_many_rows_is_that_of_drawn_labels(monkeypatch):
    score = np.random.default_rng(1).beta(0.5, 3, 4_000)
    drawn = compute_ece_null(score)
    monkeypatch.setattr(reliability, "MOST_NULL_ROWS", 100)
    formula = compute_ece_null(score)
    assert formula.mean == pytest.approx(drawn.mean, rel=0.06)
    assert formula.high == pytest.approx(drawn.high, rel=0.1)
    assert compute_ece_null(np.repeat([0.0, 1.0], 3_000)).mean == 0


def test_decomposition_of_the_reference_case():
    found = compute_decomposition([0, 0, 1, 1], [-1, 1, 1, 2])
    parts = (found.score, found.miscalibration, found.discrimination, found.uncertainty)
    assert parts == pytest.approx((0.75, 0.625, 0.125, 0.25))


def test_ece_of_the_reference_case():
    y, p = [0, 0, 1, 1, 1], [0.25, 0.25, 0.55, 0.75, 0.75]
    assert compute_ece(y, p, 2, "width") == pytest.approx(0.29)


@pytest.mark.parametrize(("n", "expected"), [(500, 0.054), (2_000, 0.027)])
def test_a_calibrated_model_shows_the_null_ece(n, expected):
    score = np.random.default_rng(1).random(n)
    assert compute_ece_null(score).mean == pytest.approx(expected, abs=0.003)


def test_bins_never_split_ties_and_keep_every_row():
    score = np.repeat([0.1, 0.2, 0.9], [50, 3, 47])
    bins = compute_bins(np.tile([0, 1], 50), score)
    assert bins["n"].sum() == 100
    assert bins["n"].tolist() == [50, 3, 47]
    assert (bins["low"] <= bins["observed"]).all()
    assert (bins["observed"] <= bins["high"]).all()


def test_curve_rises_and_counts_every_row():
    generator = np.random.default_rng(3)
    score = generator.random(400)
    y = (generator.random(400) < score).astype(int)
    curve = compute_reliability(y, score)
    assert curve["observed"].is_monotonic_increasing
    assert curve["n"].sum() == 400
    assert curve["positives"].sum() == y.sum()


def test_slope_recovers_a_distortion():
    generator = np.random.default_rng(0)
    logit = generator.normal(size=20_000)
    y = (generator.random(20_000) < 1 / (1 + np.exp(-logit))).astype(int)
    slope = compute_slope(y, 1 / (1 + np.exp(-2 * logit)))
    assert slope.slope == pytest.approx(0.5, abs=0.02)
    assert slope.slope_low < 0.5 < slope.slope_high
    assert slope.intercept == pytest.approx(0, abs=0.05)


def test_slope_does_not_exist_for_separated_or_constant_scores():
    assert compute_slope([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]) is None
    assert compute_slope([0, 1, 0], [0.5, 0.5, 0.5]) is None
    assert compute_slope([1, 1, 1], [0.2, 0.5, 0.9]) is None


def test_scores_outside_the_unit_interval_are_refused_by_value():
    with pytest.raises(AuditError, match=r"got 0\.5 to 7\.0"):
        compute_ece([0, 1], [0.5, 7.0])
