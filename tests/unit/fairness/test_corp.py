"""Band, decomposition, smooth ECE and groups: COMPAS as computed elsewhere, and what must hold for any scores."""

import numpy as np
import pandas as pd
import pytest

from fairness.corp import bootstrap_decomposition, compute_band
from fairness.group_reliability import compute_group_curves, compute_group_reliability
from fairness.groups import build_grouping
from fairness.levels import fit_levels, pool_scores
from fairness.reliability import (
    compute_decomposition,
    compute_ece,
    compute_ece_null,
    compute_reliability,
    compute_slope,
    compute_spiegelhalter,
    fit_isotonic,
)
from fairness.smooth_calibration import compute_smooth_ece, compute_smooth_ece_null


@pytest.fixture(scope="module")
def deciles(data_folder):
    """Labels, the middle of every decile, and races."""
    names = ["race", "decile_score", "two_year_recid"]
    frame = pd.read_csv(data_folder / "compas_two_years.csv", usecols=names)
    score = (frame["decile_score"].to_numpy() - 0.5) / 10
    return frame["two_year_recid"].to_numpy(), score, frame["race"]


def draw(n, seed=0, sharpness=1.0):
    """Labels of chances whose logits were stretched before they were told."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(0, 1.2, n)
    truth = (generator.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return truth, 1 / (1 + np.exp(-sharpness * logit))


def test_compas_scores_fall_into_the_published_parts(deciles):
    truth, middle, race = deciles
    score = middle + 0.05
    for rows, expected in (
        (np.ones(len(race), dtype=bool), (0.229465, 0.012652, 0.030751, 0.247565)),
        (race == "African-American", (0.235955, 0.014483, 0.028323, 0.249794)),
        (race == "Caucasian", (0.221320, 0.010247, 0.027615, 0.238688)),
    ):
        found = compute_decomposition(truth[rows], score[rows])
        parts = (found.score, found.miscalibration, found.discrimination, found.uncertainty)
        assert parts == pytest.approx(expected, abs=1e-6)
    assert compute_ece(truth, score) == pytest.approx(0.097921, abs=1e-6)


def test_compas_middles_of_deciles_have_the_published_numbers(deciles):
    truth, score, _ = deciles
    brier, loss = (
        compute_decomposition(truth, score),
        compute_decomposition(truth, score, "log_loss"),
    )
    assert (brier.score, brier.miscalibration) == pytest.approx((0.231934, 0.015121), abs=1e-6)
    assert (
        loss.score,
        loss.miscalibration,
        loss.discrimination,
        loss.uncertainty,
    ) == pytest.approx((0.688934, 0.065227, 0.064561, 0.688269), abs=1e-6)
    line = compute_slope(truth, score)
    assert (line.slope, line.slope_error) == pytest.approx((0.467657, 0.016623), abs=1e-6)
    assert (line.intercept, line.in_the_large) == pytest.approx((0.055000, 0.309201), abs=1e-6)
    assert compute_spiegelhalter(truth, score) == pytest.approx(33.399, abs=1e-3)
    null = compute_ece_null(score, 10, "width")
    assert compute_ece(truth, score, 10, "width") == pytest.approx(0.108872, abs=1e-6)
    assert (null.mean, null.high) == pytest.approx((0.0114, 0.0164), abs=6e-4)


def test_compas_groups_have_the_published_slopes(deciles):
    truth, score, race = deciles
    table = compute_group_reliability(truth, score, build_grouping("race", race)).set_index("group")
    expected = {
        "African-American": (0.104145, 0.462124, 1.056405),
        "Caucasian": (0.012238, 0.470559, 1.216778),
        "Hispanic": (-0.203160, 0.321458, 1.229139),
    }
    for group, numbers in expected.items():
        row = table.loc[group]
        assert (row["intercept"], row["slope"], row["oe"]) == pytest.approx(numbers, abs=1e-6)
        assert row["oe_low"] < row["oe"] < row["oe_high"]
    assert table.index[0] == "African-American"
    assert pd.isna(table["slope_gap"].iloc[0])
    white = table.loc["Caucasian"]
    assert white["slope_gap"] == pytest.approx(0.470559 - 0.462124, abs=2e-6)
    assert white["slope_gap_low"] < 0 < white["slope_gap_high"]
    assert not table.loc["Native American", "has_curve"]
    assert pd.isna(table.loc["Asian", "miscalibration_low"])
    curves = compute_group_curves(truth, score, build_grouping("race", race))
    assert set(curves["series"]) == {"African-American", "Caucasian", "Hispanic", "Other"}
    assert curves["n"].sum() == len(race) - 50


def test_compas_smooth_error(deciles):
    truth, score, race = deciles
    assert compute_smooth_ece(truth, score) == pytest.approx(0.1050, abs=1e-3)
    for group, expected in (("African-American", 0.1016), ("Caucasian", 0.1000)):
        rows = race == group
        assert compute_smooth_ece(truth[rows], score[rows]) == pytest.approx(expected, abs=1e-3)
    assert compute_smooth_ece_null(score).mean == pytest.approx(0.0115, abs=6e-4)


def test_compas_band_lies_where_published(deciles):
    truth, score, _ = deciles
    band = compute_band(truth, score)
    assert len(band) == 10
    # one row more or less at the last decile moves a percentile by 0.0026
    for place, ends in ((0, (0.041, 0.060)), (4, (0.419, 0.480)), (9, (0.932, 0.969))):
        assert tuple(band.loc[place, ["low", "high"]]) == pytest.approx(ends, abs=0.004)


def test_isotonic_fit_of_compas_is_the_observed_rate(deciles):
    truth, score, _ = deciles
    rates = (0.2139, 0.3114, 0.3762, 0.4343, 0.4787, 0.5585, 0.5912, 0.6836, 0.6988, 0.7728)
    assert compute_reliability(truth, score)["observed"].tolist() == pytest.approx(rates, abs=5e-5)


def test_smooth_error_equals_its_definition():
    truth, score = draw(300, seed=3, sharpness=2.0)
    grid = (np.arange(4_000) + 0.5) / 4_000

    def size(sigma):
        total = np.zeros(len(grid))
        for image in (score, -score, 2 - score):  # the kernel is reflected at both ends
            kernel = np.exp(-((grid[:, None] - image) ** 2) / (2 * sigma**2))
            total += (kernel * (score - truth)).mean(axis=1) / (sigma * np.sqrt(2 * np.pi))
        return np.abs(total).mean()

    found = compute_smooth_ece(truth, score)
    assert size(found) == pytest.approx(found, abs=1e-3)


def test_calibrated_scores_lie_in_their_band_and_stretched_ones_do_not():
    outside = []
    for sharpness in (1.0, 2.5):
        truth, score = draw(4_000, seed=1, sharpness=sharpness)
        band = compute_band(truth, score, draws=200)
        levels = pool_scores(truth, score)
        fit = fit_levels(levels.n, levels.positives)
        outside.append(((fit < band["low"]) | (fit > band["high"])).mean())
    assert outside[0] < 0.3
    assert outside[1] > 0.6


def test_levels_keep_every_row_and_their_fit_is_the_isotonic_one():
    truth, score = draw(3_000, seed=2)
    levels = pool_scores(truth, np.round(score, 2))
    assert (levels.n_rows, int(levels.positives.sum())) == (3_000, int(truth.sum()))
    fit = fit_levels(levels.n, levels.positives)
    place = np.searchsorted(levels.score, np.round(score, 2) - 1e-9)
    assert fit[place] == pytest.approx(fit_isotonic(truth, np.round(score, 2)), abs=1e-9)
    pooled = pool_scores(truth, score)
    assert len(pooled.score) <= 500
    assert pooled.n_rows == 3_000
    assert (np.diff(pooled.score) > 0).all()


@pytest.mark.parametrize("loss", ["brier", "log_loss"])
def test_parts_add_up_and_their_intervals_hold_them(loss):
    truth, score = draw(800, seed=5, sharpness=2.0)
    parts = bootstrap_decomposition(truth, score, ("brier", "log_loss"), draws=200)[loss]
    found = compute_decomposition(truth, score, loss)
    total = parts.miscalibration.value - parts.discrimination.value + parts.uncertainty.value
    assert total == pytest.approx(parts.score.value)
    assert parts.score.value == pytest.approx(found.score)
    assert parts.skill.value == pytest.approx(1 - found.score / found.uncertainty)
    for each in (parts.score, parts.discrimination, parts.skill):
        assert each.low < each.value < each.high
    assert parts.null.mean < parts.null.high < parts.miscalibration.value


def test_labels_that_are_all_alike_have_no_skill():
    parts = bootstrap_decomposition(np.zeros(50, dtype=int), np.linspace(0.1, 0.4, 50), draws=50)[
        "brier"
    ]
    assert parts.skill.value is None
    assert parts.uncertainty.value == 0
