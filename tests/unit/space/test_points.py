"""A space as a unit cube: every value is found again, cells are equal, and a configuration is completed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.models.catalog import get_space, get_starts
from automl.space.dimensions import Choice, Float, Int, Switch
from automl.space.points import (
    build_config,
    count_values,
    get_share,
    get_value,
    is_whole,
    list_axes,
    overlay,
)
from automl.space.sampling import contains, validate_config

DIMENSIONS = (
    Int(low=32, high=256, step=32),
    Int(low=1, high=64, log=True),
    Int(low=5, high=5),
    Float(low=-1.0, high=2.0),
    Float(low=1e-5, high=1e-1, log=True),
    Float(low=0.5, high=0.5),
    Choice(options=("a", "b", 3)),
    Switch(branches={"on": {"depth": Int(low=1, high=3)}, "off": {}}),
)


@pytest.mark.parametrize("dimension", DIMENSIONS)
@given(share=st.floats(min_value=-0.5, max_value=1.5))
def test_every_share_is_a_value_and_its_own_share_finds_it_again(dimension, share):
    value = get_value(dimension, share)
    assert contains(dimension, value)
    assert 0 <= get_share(dimension, value) <= 1
    again = get_value(dimension, get_share(dimension, value))
    assert again == (pytest.approx(value) if isinstance(dimension, Float) else value)


def test_cells_of_steps_and_options_are_equal():
    dimension = Int(low=32, high=256, step=32)
    found = [get_value(dimension, (index + 0.5) / 800) for index in range(800)]
    assert {found.count(value) for value in set(found)} == {100}
    assert count_values(dimension) == len(set(found)) == 8


def test_axes_leave_out_what_has_one_value():
    space = {"one": Int(low=2, high=2), "two": Choice(options=("x",)), "lr": Float(low=0, high=1)}
    assert [axis.label for axis in list_axes(space)] == ["lr"]
    assert build_config(space, lambda _label, each: get_value(each, 0.0)) == {
        "one": 2, "two": "x", "lr": 0,
    }  # fmt: skip


def test_a_start_is_whole_and_a_part_of_it_is_not():
    space, start = get_space("mlp"), dict(get_starts("mlp")[0])
    assert is_whole(space, start)
    for label in start:
        assert not is_whole(space, {name: value for name, value in start.items() if name != label})


def test_what_is_fixed_decides_what_it_opens():
    space, start = get_space("mlp"), dict(get_starts("mlp")[0])
    config = overlay(space, start, {"optimizer": "sgd", "width": 32})
    validate_config(space, config)
    assert config["width"] == 32
    assert "optimizer.adamw.lr" not in config
    assert config["depth"] == start["depth"]
