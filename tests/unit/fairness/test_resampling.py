"""Bootstrap and noise floor: seeded, honest about empty cells, right on average."""

import numpy as np
import pytest

from fairness import resampling
from fairness.rates import compute_f1_binary, divide
from fairness.resampling import (
    bootstrap_table,
    compute_floor,
    count_row_draws,
    draw_gaps,
    draw_mean_gaps,
    draw_tables,
    iterate_row_times,
)


def test_drawn_tables_keep_the_total_and_empty_cells():
    drawn = draw_tables(np.array([10, 0, 5, 25]), seed=3)
    assert (drawn.sum(axis=1) == 40).all()
    assert (drawn[:, 1] == 0).all()
    assert drawn.mean(axis=0) == pytest.approx([10, 0, 5, 25], abs=0.4)


def test_bootstrap_is_repeatable_and_contains_the_value():
    table = np.array([40, 10, 8, 42])
    first, second = (bootstrap_table(table, compute_f1_binary, seed=7) for _ in range(2))
    assert first == second
    assert first.low < first.value < first.high


def test_bootstrap_with_many_undefined_draws_gives_no_interval():
    estimate = bootstrap_table(
        np.array([9, 0, 0, 1]), lambda t: divide(t[..., 3], t[..., 3] + t[..., 2])
    )
    assert estimate.value == 1.0
    assert estimate.low is None
    assert "not estimable" in estimate.reason


def test_drawn_rows_are_as_many_as_there_are_rows_and_no_others():
    chunks = list(iterate_row_times(7, seed=0))
    times = np.concatenate(chunks)
    assert times.shape == (1_000, 7)
    assert (times.sum(axis=1) == 7).all()
    assert times.mean(axis=0) == pytest.approx(np.ones(7), abs=0.15)


def test_chance_gaps_of_many_rows_are_those_of_permuted_groups(monkeypatch):
    generator = np.random.default_rng(0)
    values = generator.exponential(size=6_000) ** 2
    groups = generator.choice(4, 6_000, p=[0.5, 0.4, 0.08, 0.02])
    permuted = draw_mean_gaps(values, groups)
    monkeypatch.setattr(resampling, "MAX_DRAWN_CELLS", 1_000)
    formula = draw_mean_gaps(values, groups)
    assert len(formula) == len(permuted) == 1_000
    for share in (50, 95):
        expected = np.percentile(permuted, share)
        assert np.percentile(formula, share) == pytest.approx(expected, rel=0.12)
    two = draw_mean_gaps(values, np.minimum(groups, 1))
    assert two.mean() == pytest.approx(
        np.sqrt(2 / np.pi) * values.std() * np.sqrt(1 / 3_000 + 1 / 3_000), rel=0.1
    )


def test_large_tables_get_fewer_draws():
    assert count_row_draws(1_000) == 1_000
    assert count_row_draws(10_000_000) == 200


@pytest.mark.parametrize(
    ("groups", "n", "mean", "high"),
    [(2, 50, 0.073, 0.180), (4, 100, 0.094, 0.170), (6, 200, 0.082, 0.130)],
)
def test_floor_of_equal_groups(groups, n, mean, high):
    generator = np.random.default_rng(0)
    floors = []
    for seed in range(30):
        successes = int(generator.binomial(n, 0.3, size=groups).sum())
        floors.append(compute_floor(draw_gaps([n] * groups, successes, seed), 0.0))
    assert np.mean([floor.mean for floor in floors]) == pytest.approx(mean, abs=0.004)
    assert np.mean([floor.high for floor in floors]) == pytest.approx(high, abs=0.012)


def test_floor_p_value_counts_draws_as_large_as_the_gap():
    gaps = np.array([0.1, 0.2, 0.3, 0.4])
    assert compute_floor(gaps, 0.3).p_value == pytest.approx(3 / 5)
    assert compute_floor(gaps, 0.0).p_value == 1.0


def test_permuted_means_of_a_constant_show_no_gap():
    gaps = draw_mean_gaps(np.ones(30), np.repeat([0, 1, 2], 10))
    assert gaps.max() == pytest.approx(0.0)
