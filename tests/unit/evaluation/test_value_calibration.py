"""A predicted value with the errors of the calibrate part: PIT, quantiles, CRPS against what is known."""

import numpy as np
import pytest

from automl.evaluation.value_calibration import (
    ValueRows,
    compute_crps,
    compute_pit,
    compute_pit_histogram,
    compute_quantile_coverage,
    compute_value_calibration,
)
from automl.figures.pit import describe_pit
from automl.figures.quantile_coverage import describe_quantile_coverage


def draw(n=3_000, m=800, width=1.0, seed=0):
    generator = np.random.default_rng(seed)
    base, known = generator.normal(50, 10, n), generator.normal(50, 10, m)
    return ValueRows(
        truth=base + width * generator.normal(0, 2, n), prediction=base,
        calibrate_truth=known + generator.normal(0, 2, m), calibrate_prediction=known,
    )  # fmt: skip


def test_crps_of_a_normal_forecast_is_the_published_one():
    known = np.sort(np.random.default_rng(1).normal(size=200_000))
    found = compute_crps(np.array([0.0, 1.0]), known)
    assert found == pytest.approx([0.233695, 0.602441], abs=3e-3)


def test_crps_is_its_definition_and_of_one_known_error_the_absolute_error():
    generator = np.random.default_rng(2)
    known, errors = np.sort(generator.normal(size=40)), generator.normal(size=7)
    expected = (
        np.abs(known[:, None] - errors).mean(axis=0) - np.abs(known[:, None] - known).mean() / 2
    )
    assert compute_crps(errors, known) == pytest.approx(expected)
    assert compute_crps(errors, np.zeros(1)) == pytest.approx(np.abs(errors))


def test_places_count_from_below_and_ties_stand_in_the_middle():
    known = np.array([1.0, 2.0, 2.0, 3.0])
    assert compute_pit(np.array([0.0, 2.0, 9.0]), known) == pytest.approx([0.1, 0.5, 0.9])


def test_errors_of_one_source_are_spread_evenly():
    rows = draw()
    bins = compute_pit_histogram(rows.errors, rows.known)
    assert bins["n"].sum() == 3_000
    assert bins["expected"].sum() == pytest.approx(3_000)
    inside = (bins["expected_low"] <= bins["n"]) & (bins["n"] <= bins["expected_high"])
    assert inside.sum() >= 17
    quantiles = compute_quantile_coverage(rows.errors, rows.known)
    assert (quantiles["observed"] - quantiles["level"]).abs().max() < 0.04
    assert "of 7 quantiles" in describe_quantile_coverage(quantiles)
    assert "hold for new rows" in describe_pit(bins)


@pytest.mark.parametrize(("width", "words"), [(2.0, "Both ends stand out"), (0.4, "Both ends are low")])  # fmt: skip
def test_errors_that_do_not_hold_are_seen(width, words):
    rows = draw(width=width)
    assert words in describe_pit(compute_pit_histogram(rows.errors, rows.known))
    found = compute_value_calibration(rows)
    assert (found.coverage.value < 0.8) == (width > 1)
    outer = found.quantiles.iloc[0]
    assert not outer["expected_low"] <= outer["observed"] <= outer["expected_high"]


def test_all_numbers_have_their_interval():
    found = compute_value_calibration(draw())
    assert (found.n, found.n_calibrate) == (3_000, 800)
    assert found.coverage.value == pytest.approx(0.9, abs=0.03)
    assert found.width == pytest.approx(2 * 1.645 * 2, rel=0.1)
    assert found.crps.value == pytest.approx(
        2 * 0.5642, rel=0.05
    )  # σ / √π of a normal forecast that is true
    for each in (found.crps, found.skill, found.coverage):
        assert each.low < each.value < each.high
    assert found.tenths["n"].sum() == 3_000
    assert ((found.tenths["bias_low"] < 0) & (found.tenths["bias_high"] > 0)).sum() >= 7


def test_equal_widths_show_where_rows_are_harder():
    generator = np.random.default_rng(3)
    base = generator.uniform(1, 10, 4_000)
    truth = base + generator.normal(size=4_000) * base
    rows = ValueRows(
        truth=truth[:3_000], prediction=base[:3_000],
        calibrate_truth=truth[3_000:], calibrate_prediction=base[3_000:],
    )  # fmt: skip
    tenths = compute_value_calibration(rows).tenths
    assert tenths["coverage"].iloc[0] > 0.98
    assert tenths["coverage"].iloc[-1] < 0.85


def test_few_known_errors_have_no_outer_quantile():
    rows = draw(m=12)
    found = compute_value_calibration(rows)
    assert found.width is None
    assert found.quantiles["observed"].iloc[-1] == 1.0
