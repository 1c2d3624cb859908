import math
from itertools import pairwise

import pytest

from automl.training.schedules import compute_factor, count_warm_up


def factors(schedule, n_steps):
    return [compute_factor(schedule, step, n_steps) for step in range(n_steps)]


def test_twenty_steps_give_one_of_warm_up_with_a_rate_above_zero():
    assert count_warm_up(20) == 1
    values = factors("cosine", 20)
    assert values[0] == 0.5
    assert values[1] == 1.0


def test_cosine_is_its_closed_form_after_the_warm_up():
    values = factors("cosine", 200)
    assert values[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    for step in (10, 57, 105, 199):
        progress = (step - 10) / 190
        assert values[step] == pytest.approx(0.5 * (1 + math.cos(math.pi * progress)))
    assert values[105] == pytest.approx(0.5)
    assert all(a >= b for a, b in pairwise(values[10:]))


def test_constant_stays_at_one():
    values = factors("constant", 100)
    assert values[5:] == [1.0] * 95
    assert values[:5] == sorted(values[:5])


def test_one_cycle_rises_to_one_and_ends_low():
    values = factors("one_cycle", 101)
    assert values[0] == pytest.approx(1 / 25)
    assert values[30] == pytest.approx(1.0)
    assert values[100] == pytest.approx(1e-4)
    assert max(values) == values[30]


def test_coslog4_has_four_waves_each_twice_as_long():
    values = factors("coslog4", 1500)
    tops = [step for step in range(1, 1499) if values[step - 1] < values[step] >= values[step + 1]]
    assert len(tops) == 4
    assert [values[step] for step in tops] == pytest.approx([1.0] * 4, abs=1e-2)
    lows = [100 * (2**wave - 1) - 0.5 for wave in range(1, 4)]  # progress (2^wave - 1) / 15
    assert all(values[round(low)] < 1e-2 for low in lows)
    assert values[-1] < 1e-4


def test_flat_cos_stays_and_falls_in_the_second_half():
    values = factors("flat_cos", 200)
    assert values[:100] == [1.0] * 100
    assert values[150] == pytest.approx(0.5, abs=0.01)
    assert values[-1] < 1e-3


@pytest.mark.parametrize(
    "schedule", ["cosine", "constant", "one_cycle", "coslog4", "flat_cos", "steady"]
)
@pytest.mark.parametrize("n_steps", [1, 2, 3, 7, 1000])
def test_factors_lie_above_zero_and_at_most_at_one(schedule, n_steps):
    assert all(0 < factor <= 1 for factor in factors(schedule, n_steps))


def test_steps_outside_and_foreign_names_are_refused():
    with pytest.raises(ValueError, match="step 5"):
        compute_factor("cosine", 5, 5)
    with pytest.raises(ValueError, match="'step'"):
        compute_factor("step", 2, 5)
