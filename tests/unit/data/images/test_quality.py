"""What is measured on pictures: known values, and what must not depend on their size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.data.images.quality import measure_picture
from tests.scenes import make_scene


def test_known_values() -> None:
    white = measure_picture(np.full((10, 20, 3), 255, dtype=np.uint8))
    assert white.brightness == pytest.approx(1)
    assert (white.contrast, white.sharpness, white.saturation) == pytest.approx((0, 0, 0), abs=1e-4)
    red = np.zeros((64, 64, 3), dtype=np.uint8)
    red[..., 0] = 255
    assert measure_picture(red).saturation == pytest.approx(1)
    assert measure_picture(red).brightness == pytest.approx(0.299, abs=1e-3)
    halves = np.zeros((64, 64, 1), dtype=np.uint8)
    halves[:, 32:] = 255
    assert measure_picture(halves).contrast == pytest.approx(0.5)
    edges = np.tile([0, 255, -255, 0], 1).astype(float)  # the Laplacian beside one straight edge
    assert edges.sum() == 0
    assert measure_picture(halves).sharpness == pytest.approx(2 * 255**2 / 62)


def test_grey_in_one_or_three_channels_is_the_same() -> None:
    grey = make_scene(1)[..., :1]
    one, three = measure_picture(grey), measure_picture(np.repeat(grey, 3, axis=2))
    assert one.phash == three.phash
    assert one.saturation == three.saturation == 0
    assert one.sharpness == pytest.approx(three.sharpness, rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), times=st.integers(2, 5))
def test_nothing_depends_on_the_resolution(seed: int, times: int) -> None:
    scene = make_scene(seed, side=128)
    large = scene.repeat(times, axis=0).repeat(times, axis=1)
    small, big = measure_picture(scene), measure_picture(large)
    assert big.brightness == pytest.approx(small.brightness, abs=0.01)
    assert big.contrast == pytest.approx(small.contrast, rel=0.05)
    assert big.saturation == pytest.approx(small.saturation, abs=0.03)
    assert big.sharpness == pytest.approx(small.sharpness, rel=0.3)


def test_blur_shows() -> None:
    assert (
        measure_picture(make_scene(3, blur=0.03)).sharpness
        < 0.1 * measure_picture(make_scene(3)).sharpness
    )


@settings(max_examples=50, deadline=None)
@given(
    height=st.integers(1, 80), width=st.integers(1, 80), channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_every_size_gives_numbers_in_range(
    height: int, width: int, channels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    measures = measure_picture(rng.integers(0, 256, (height, width, channels), dtype=np.uint8))
    assert 0 <= measures.brightness <= 1
    assert 0 <= measures.contrast <= 0.5 + 1e-6
    assert 0 <= measures.saturation <= 1
    assert 0 <= measures.sharpness < np.inf
    assert 0 <= measures.phash < 2**64
