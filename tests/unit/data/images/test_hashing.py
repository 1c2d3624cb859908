"""Near copies share a hash, other pictures do not, and close pairs are found without comparing all."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from automl.data.images.copies import NEAR_BITS
from automl.data.images.hashing import compute_phash, find_near_pairs
from automl.data.images.quality import measure_picture
from tests.scenes import load_pixels, make_scene, save_picture

seeds = st.integers(0, 2**32 - 1)


def distance(first: np.ndarray, second: np.ndarray) -> int:
    return (measure_picture(first).phash ^ measure_picture(second).phash).bit_count()


@settings(max_examples=60, deadline=None)
@given(seed=seeds, quality=st.integers(50, 95))
def test_compression_changes_few_bits(seed: int, quality: int) -> None:
    scene = make_scene(seed)
    again = load_pixels(save_picture(scene, "JPEG", quality=quality))
    assert not np.array_equal(scene, again)
    assert distance(scene, again) <= NEAR_BITS


@settings(max_examples=60, deadline=None)
@given(seed=seeds, side=st.integers(64, 400))
def test_another_size_changes_few_bits(seed: int, side: int) -> None:
    scene = make_scene(seed)
    sized = np.asarray(Image.fromarray(scene).resize((side, side), Image.Resampling.BICUBIC))
    assert distance(scene, sized) <= NEAR_BITS


@settings(max_examples=60, deadline=None)
@given(seed=seeds, factor=st.floats(0.95, 1.05))
def test_a_little_more_or_less_light_changes_few_bits(seed: int, factor: float) -> None:
    scene = make_scene(seed, depth=0.12)
    lit = np.rint(scene * factor).clip(0, 255).astype(np.uint8)
    assert distance(scene, lit) <= NEAR_BITS


def test_other_pictures_are_far_apart() -> None:
    hashes = np.array([measure_picture(make_scene(seed)).phash for seed in range(300)], np.uint64)
    assert len(find_near_pairs(hashes, 10)) == 0
    ones = np.bitwise_count(hashes)
    assert (ones == 32).all()  # above the median is half of them


def test_a_flat_picture_has_a_hash() -> None:
    assert 0 <= compute_phash(np.full((32, 32), 128, dtype=np.float32)) < 2**64


@settings(max_examples=100, deadline=None)
@given(seed=seeds, n_others=st.integers(0, 200), most=st.integers(0, 6))
def test_every_close_pair_is_found_and_no_other(seed: int, n_others: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    few = rng.integers(0, 2**63, 8, dtype=np.uint64)
    close = [
        each
        ^ np.bitwise_or.reduce(
            np.uint64(1) << rng.choice(64, flips, replace=False).astype(np.uint64)
        )
        for each in few
        for flips in (1, 3, 5)
    ]
    others = rng.integers(0, 2**63, n_others, dtype=np.uint64)
    hashes = rng.permutation(np.unique(np.concatenate([few, close, others])))
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None])
    left, right = np.nonzero(np.triu(apart <= most, 1))
    assert find_near_pairs(hashes, most).tolist() == np.column_stack([left, right]).tolist()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_hashes(count: int) -> None:
    assert find_near_pairs(np.zeros(count, dtype=np.uint64)).shape == (max(0, count - 1), 2)


def test_equal_hashes_are_a_chain_not_a_square() -> None:
    hashes = np.full(50_000, 7, dtype=np.uint64)
    hashes[25_000:] = 6
    assert len(find_near_pairs(hashes)) == 49_999


def test_a_hundred_thousand_take_seconds() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, 100_000, dtype=np.uint64)
    started = time.process_time()
    find_near_pairs(hashes)
    assert time.process_time() - started < 5
