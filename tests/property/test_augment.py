"""Batched augmentation against the same thing done picture by picture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.models.image.recipe_space import parse_recipe
from automl.training.image.augment import (
    Augmenter,
    compute_loss,
    cut_mix,
    draw_flips,
    erase_squares,
    mirror,
    mix_up,
    resize_down,
    shift,
)
from automl.training.image.policy import OPERATIONS, apply_operations, apply_policy

SHAPES = st.tuples(st.integers(1, 9), st.integers(8, 17), st.sampled_from([1, 3]))
SEEDS = st.integers(0, 2**31)
EXAMPLES = settings(max_examples=30, deadline=None)


def draw_bytes(shape, seed):
    n, side, channels = shape
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(
        0, 256, (n, side, side, channels), dtype=torch.uint8, generator=generator
    ), generator


@EXAMPLES
@given(SHAPES, SEEDS, st.integers(1, 7))
def test_a_shift_is_a_crop_of_the_reflected_picture(shape, seed, most):
    pictures, generator = draw_bytes(shape, seed)
    n, side, _ = shape
    offsets = torch.randint(-most, most + 1, (2, n), generator=generator)
    moved = shift(pictures, offsets[0], offsets[1], most)
    for index in range(n):
        down, right = (int(value) for value in offsets[:, index])
        padded = np.pad(pictures[index].numpy(), ((most, most), (most, most), (0, 0)), "reflect")
        top, left = most - down, most - right
        assert np.array_equal(moved[index], padded[top : top + side, left : left + side])


@EXAMPLES
@given(SHAPES, SEEDS)
def test_a_mirror_image_twice_is_the_picture(shape, seed):
    pictures, generator = draw_bytes(shape, seed)
    chosen = torch.rand(len(pictures), generator=generator) < 0.5
    once = mirror(pictures.clone(), chosen)
    for index, is_mirrored in enumerate(chosen):
        expected = pictures[index].flip(1) if is_mirrored else pictures[index]
        assert torch.equal(once[index], expected)
    assert torch.equal(mirror(once.clone(), chosen), pictures)


@EXAMPLES
@given(st.integers(1, 50), st.integers(0, 100), SEEDS)
def test_alternating_flips_show_both_sides_in_two_epochs(n, epoch, seed):
    generator = torch.Generator().manual_seed(seed)
    parity = torch.randint(2, (n,), generator=generator)
    first = draw_flips("alternating", parity, epoch, generator)
    second = draw_flips("alternating", parity, epoch + 1, generator)
    assert bool((first ^ second).all())
    assert draw_flips("none", parity, epoch, generator) is None


@EXAMPLES
@given(SHAPES, SEEDS, st.integers(1, 8))
def test_a_cutout_is_one_square_within_the_picture(shape, seed, size):
    n, side, channels = shape
    pictures = torch.ones(n, channels, side, side)
    erased = erase_squares(pictures, size, torch.Generator().manual_seed(seed)) == 0
    assert torch.equal(erased.all(dim=1), erased.any(dim=1))
    for box in erased[:, 0]:
        rows, columns = box.any(dim=1), box.any(dim=0)
        assert bool((box == (rows[:, None] & columns[None])).all())
        assert 1 <= int(rows.sum()) <= size
        assert 1 <= int(columns.sum()) <= size


@EXAMPLES
@given(SHAPES, SEEDS, st.floats(0.1, 2))
def test_cutmix_shares_the_label_by_the_area_that_was_pasted(shape, seed, alpha):
    n, side, channels = shape
    pictures = torch.arange(n).float()[:, None, None, None].expand(n, channels, side, side)
    mixed = cut_mix(pictures, alpha, torch.Generator().manual_seed(seed))
    for index in range(n):
        own = mixed.pictures[index] == index
        partner = int(mixed.partner[index])
        assert bool((own | (mixed.pictures[index] == partner)).all())
        if partner != index:
            assert float(mixed.share[index]) == pytest.approx(float(own.float().mean()), abs=1e-6)


@EXAMPLES
@given(SHAPES, SEEDS, st.floats(0.1, 1))
def test_mixup_blends_by_the_share_of_the_label(shape, seed, alpha):
    n, side, channels = shape
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.randn(n, channels, side, side, generator=generator)
    mixed = mix_up(pictures, alpha, generator)
    share = mixed.share[:, None, None, None]
    assert bool(((mixed.share >= 0) & (mixed.share <= 1)).all())
    expected = share * pictures + (1 - share) * pictures[mixed.partner]
    assert torch.allclose(mixed.pictures, expected, atol=1e-5)


def test_shares_follow_the_beta_distribution():
    mixed = mix_up(torch.zeros(20_000, 1, 1, 1), 0.3, torch.Generator().manual_seed(0))
    assert float(mixed.share.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(mixed.share.var()) == pytest.approx(1 / (4 * (2 * 0.3 + 1)), abs=0.005)


@EXAMPLES
@given(SEEDS, st.floats(0, 0.3))
def test_a_mixed_loss_of_whole_shares_is_the_plain_one(seed, smoothing):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(6, 4, generator=generator)
    target = torch.randint(4, (6,), generator=generator)
    mixed = mix_up(torch.zeros(6, 1, 2, 2), 1.0, generator)
    whole = type(mixed)(
        pictures=mixed.pictures, partner=mixed.partner, share=torch.ones_like(mixed.share)
    )
    plain = compute_loss(logits, target, None, smoothing)
    assert float(compute_loss(logits, target, whole, smoothing)) == pytest.approx(float(plain))


@EXAMPLES
@given(SHAPES, SEEDS, st.sampled_from(["trivial", "rand"]))
def test_a_policy_keeps_the_form_and_repeats(shape, seed, policy):
    pictures, _ = draw_bytes(shape, seed)
    first = apply_policy(pictures, policy, torch.Generator().manual_seed(seed))
    again = apply_policy(pictures, policy, torch.Generator().manual_seed(seed))
    assert first.shape == pictures.shape
    assert first.dtype is torch.uint8
    assert torch.equal(first, again)


@EXAMPLES
@given(SHAPES, SEEDS, st.integers(0, len(OPERATIONS) - 1))
def test_a_batch_is_treated_as_its_pictures_one_by_one(shape, seed, operation):
    pictures, generator = draw_bytes(shape, seed)
    work = pictures.permute(0, 3, 1, 2).float()
    strength = torch.rand(len(work), generator=generator) * 2 - 1
    chosen = torch.randint(len(OPERATIONS), (len(work),), generator=generator)
    chosen[0] = operation
    together = apply_operations(work, chosen, strength)
    for index in range(len(work)):
        one = slice(index, index + 1)
        alone = apply_operations(work[one], chosen[one], strength[one])
        assert torch.allclose(together[one], alone, atol=1e-3)


def test_nothing_asked_for_is_nothing_done():
    pictures, generator = draw_bytes((5, 9, 3), 0)
    augmenter = Augmenter(parse_recipe({}), 9)
    distorted = augmenter.distort(pictures.clone(), torch.zeros(5, dtype=torch.long), 1, generator)
    assert torch.equal(distorted, pictures)
    floats = pictures.permute(0, 3, 1, 2).float()
    assert torch.equal(augmenter.finish(floats, generator), floats)
    assert augmenter.mix(floats, generator) is None


def test_a_smaller_side_holds_area_means():
    pictures = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert resize_down(pictures, 2)[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert resize_down(pictures, 4) is pictures
