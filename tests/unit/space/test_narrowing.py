"""Ranges may be narrowed, by label, and never widened."""

import pytest

from automl.errors import SpecError
from automl.models.catalog import get_space
from automl.space.dimensions import Choice, Float, Int, Switch
from automl.space.narrowing import list_ranges, narrow

SPACE = {
    "depth": Int(low=1, high=4),
    "width": Int(low=32, high=256, step=32),
    "norm": Choice(options=("none", "batch")),
    "optimizer": Switch(branches={"sgd": {"lr": Float(low=1e-3, high=1.0, log=True)}, "none": {}}),
    "fixed": Int(low=2, high=2),
}


def test_numbers_are_listed_with_those_behind_switches():
    assert list(list_ranges(SPACE)) == ["depth", "width", "optimizer.sgd.lr"]
    assert all(low.low < low.high for low in list_ranges(get_space("mlp")).values())


def test_what_is_narrowed_keeps_steps_scales_and_everything_else():
    narrowed = narrow(SPACE, {"width": (64, 128), "optimizer.sgd.lr": (0.01, 0.1), "depth": (2, 2)})
    assert narrowed["width"] == Int(low=64, high=128, step=32)
    assert narrowed["depth"] == Int(low=2, high=2)
    assert narrowed["optimizer"].branches["sgd"]["lr"] == Float(low=0.01, high=0.1, log=True)
    assert narrowed["norm"] == SPACE["norm"]
    assert narrow(SPACE, {}) == SPACE


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ({"depth": (0, 2)}, "not within 1 to 4"),
        ({"depth": (3, 2)}, "not within"),
        ({"width": (32, 300)}, "not within 32 to 256"),
        ({"width": (40, 64)}, "leaves the steps of 32"),
        ({"depth": (1.5, 2)}, "leaves the steps"),
        ({"norm": (0, 1)}, "no range of numbers"),
        ({"lr": (0.1, 0.2)}, "Known ranges: depth, width, optimizer.sgd.lr"),
        ({"depth": (float("nan"), 2)}, "not within"),
    ],
)
def test_what_is_no_narrower_range_is_refused_with_its_value(ranges, words):
    with pytest.raises(SpecError, match=words):
        narrow(SPACE, ranges)
