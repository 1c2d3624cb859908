"""The illustration of augmentation: eight changes, none of which mirrors where it must not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.augmentation_preview import (
    N_VARIANTS,
    build_variants,
    cut_hole,
    mirror,
    mix,
    paste,
    shift,
)

SIDES = st.integers(8, 40)


def draw(side: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, channels), dtype=np.uint8)


@given(side=SIDES, channels=st.sampled_from((1, 3)), may_mirror=st.booleans())
def test_every_variant_is_a_picture_of_the_same_shape_and_differs(
    side: int,
    channels: int,
    may_mirror: bool,  # noqa: FBT001 - Hypothesis names it
) -> None:
    picture, partner = draw(side, channels), draw(side, channels, 1)
    before = picture.copy()
    variants = build_variants(picture, partner, may_mirror=may_mirror)
    assert len(variants) == len({name for name, _ in variants}) == N_VARIANTS
    for _, changed in variants:
        assert changed.shape == picture.shape
        assert changed.dtype == np.uint8
        assert (changed != picture).any()
    np.testing.assert_array_equal(picture, before)


def test_without_mirroring_nothing_is_mirrored() -> None:
    names = [name for name, _ in build_variants(draw(16, 3), draw(16, 3, 1), may_mirror=False)]
    assert not [name for name in names if "mirror" in name]


def test_mirroring_twice_gives_the_picture_back() -> None:
    picture = draw(12, 3)
    np.testing.assert_array_equal(mirror(mirror(picture)), picture)


@pytest.mark.parametrize(("right", "down"), [(1, 0), (-1, 0), (0, 1), (1, -1)])
def test_a_shift_moves_what_stays_inside(right: int, down: int) -> None:
    picture, step = draw(22, 1), 2
    moved = shift(picture, right, down)
    inner = slice(step, -step)
    expected = np.roll(picture, (down * step, right * step), (0, 1))
    np.testing.assert_array_equal(moved[inner, inner], expected[inner, inner])


def test_a_hole_hides_the_middle_only() -> None:
    picture = draw(20, 3)
    changed = cut_hole(picture)
    assert len(np.unique(changed[6:14, 6:14].reshape(-1, 3), axis=0)) == 1
    np.testing.assert_array_equal(changed[:6], picture[:6])


def test_mixing_lies_between_both_and_pasting_takes_from_both() -> None:
    black, white = np.zeros((10, 10, 1), np.uint8), np.full((10, 10, 1), 255, np.uint8)
    assert len(np.unique(mix(white, black))) == 1
    assert 0 < int(mix(white, black)[0, 0, 0]) < 255
    share = float((paste(white, black) == 0).mean())
    assert 0.3 < share < 0.4
