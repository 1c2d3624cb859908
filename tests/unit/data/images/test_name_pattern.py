"""Columns from file names, without regular expressions."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.data.images.name_pattern import parse_pattern
from automl.errors import SpecError


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{age}_{sex}_*.jpg", "x/26_1_20170116.jpg", {"age": "26", "sex": "1"}),
        ("{age}_{sex}_*.jpg", "26_1_20170116.png", {"age": "26", "sex": "1"}),
        ("{age}_{sex}_*", "26_1.png", None),
        ("*-{sex}", "a-b-f.png", {"sex": "b-f"}),
        ("img{number}", "img7.png", {"number": "7"}),
        ("img{number}", "pic7.png", None),
        ("{a}.{b}.*", "1.2.png", {"a": "1", "b": "2"}),
        ("{a}+({b})", "1+(2).png", {"a": "1", "b": "2"}),
        ("{a}_{b}", "_2.png", None),
        ("{site}_end", "x_end_end.png", {"site": "x_end"}),
    ],
)
def test_fields_are_read(pattern: str, name: str, expected: dict[str, str] | None) -> None:
    assert parse_pattern(pattern).match(name) == expected


@pytest.mark.parametrize(
    "pattern", ["", "*", "plain.jpg", "{a}{b}", "{a}*", "{}", "{a", "a}", "{a b}", "{1}", "{a}_{A}",
                "{a}/{b}", "_".join(f"{{x{n}}}" for n in range(9)), "{a}" + "_" * 300]
)  # fmt: skip
def test_what_is_unclear_is_refused(pattern: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_pattern(pattern)
    assert caught.value.hint


@given(st.text("ab_{}*.", max_size=20), st.text("ab_.", max_size=30))
def test_no_pattern_breaks_the_reader(pattern: str, name: str) -> None:
    try:
        found = parse_pattern(pattern).match(name)
    except SpecError:
        return
    assert found is None or all(found.values())


def test_no_name_takes_long() -> None:
    pattern = parse_pattern("{a}_*_{b}_*_{c}_*_{d}_*_x")
    began = time.perf_counter()
    for _ in range(1_000):
        assert pattern.match("_a" * 120) is None
    assert time.perf_counter() - began < 1
