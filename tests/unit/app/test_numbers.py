"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.components import numbers


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.9271, 0.9231, 0.9312, "0.927 [0.923, 0.931]"),
        (0.93934, 0.92223, 0.95289, "0.939 [0.922, 0.953]"),
        (65.3502, 54.87, 76.02, "65.4 [54.9, 76.0]"),
        (-0.0004, -0.08, -0.0001, "0.000 [−0.080, 0.000]"),
        (51_234.5, 50_800.0, 51_600.0, "51,234 [50,800, 51,600]"),
        (None, None, None, "–"),
        (float("nan"), 0.0, 1.0, "–"),
        (0.5, None, None, "0.500"),
        (0.5, 0.5, 0.5, "0.500"),
    ],
)
def test_an_estimate_has_the_digits_its_interval_deserves(
    value: float | None, low: float | None, high: float | None, text: str
) -> None:
    assert numbers.format_estimate(value, low, high) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (0.42, "0.4 s"), (9.96, "10 s"), (59.6, "1 min"), (130, "2 min 10 s"),
        (3600, "1 h"), (3899, "1 h 4 min"),
    ],
)  # fmt: skip
def test_durations(seconds: float | None, text: str) -> None:
    assert numbers.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, "–"), (0, "0 B"), (999, "999 B"), (4_200_000, "4.2 MB"), (17.1e9, "17.1 GB")],
)
def test_bytes(size: float | None, text: str) -> None:
    assert numbers.format_bytes(size) == text


@given(st.floats(min_value=0, max_value=1e6))
def test_a_clock_never_shows_sixty(seconds: float) -> None:
    parts = [int(part) for part in numbers.format_clock(seconds).split(":")]
    assert all(part < 60 for part in parts[1:])
    assert sum(part * 60**index for index, part in enumerate(reversed(parts))) == int(seconds)


@given(st.floats(min_value=0, max_value=1e15))
def test_bytes_keep_their_size_within_five_percent(size: float) -> None:
    number, unit = numbers.format_bytes(size).split()
    factor = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
    assert float(number) * factor == pytest.approx(size, rel=0.06, abs=0.6)
