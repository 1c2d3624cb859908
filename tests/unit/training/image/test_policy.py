"""The operations of the policies against Pillow, which the papers used."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from automl.training.image.policy import OPERATIONS, apply_operations

PICTURES = np.random.default_rng(0).integers(20, 220, (4, 24, 24, 3)).astype(np.uint8)


def apply_one(name, strength, pictures=PICTURES):
    work = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    n = len(work)
    chosen = torch.full((n,), OPERATIONS.index(name))
    changed = apply_operations(work, chosen, torch.full((n,), float(strength)))
    return changed.permute(0, 2, 3, 1).numpy()


def apply_pillow(act, pictures=PICTURES):
    return np.stack([np.asarray(act(Image.fromarray(picture))) for picture in pictures])


@pytest.mark.parametrize("strength", [-1.0, -0.4, 0.3, 1.0])
@pytest.mark.parametrize(
    ("name", "enhancer"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("colour", ImageEnhance.Color),
        ("contrast", ImageEnhance.Contrast),
        ("sharpness", ImageEnhance.Sharpness),
    ],
)
def test_blends_are_those_of_pillow(name, enhancer, strength):
    expected = apply_pillow(lambda picture: enhancer(picture).enhance(1 + 0.99 * strength))
    found = apply_one(name, strength)
    if name == "sharpness":  # Pillow rounds the smoothed picture before it goes on
        assert np.abs(found - expected).mean() < 1
    else:
        assert np.abs(found - expected).max() <= 2.01


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_few_bits_and_inverted_tones_are_those_of_pillow(strength):
    bits = 8 - round(6 * strength)
    expected = apply_pillow(lambda picture: ImageOps.posterize(picture, bits))
    assert np.array_equal(apply_one("posterize", strength), expected)
    threshold = 255 * (1 - strength)
    expected = apply_pillow(lambda picture: ImageOps.solarize(picture, threshold))
    inside = threshold != PICTURES  # Pillow inverts the threshold itself too
    assert np.array_equal(apply_one("solarize", strength)[inside], expected[inside])


def test_stretching_is_that_of_pillow():
    expected = apply_pillow(ImageOps.autocontrast)
    assert np.abs(apply_one("stretch", 0.0) - expected).max() <= 1.01


def test_equalized_tones_are_those_of_pillow():
    assert np.array_equal(apply_one("equalize", 0.0), apply_pillow(ImageOps.equalize))
    flat = np.full_like(PICTURES, 77)
    assert np.array_equal(apply_one("equalize", 0.0, flat), flat)
    assert np.array_equal(apply_one("stretch", 0.0, flat), flat)


@pytest.mark.parametrize("name", ["shear_x", "shear_y", "move_x", "move_y", "turn"])
def test_no_strength_moves_nothing_and_some_does(name):
    assert np.allclose(apply_one(name, 0.0), PICTURES, atol=1e-2)
    assert np.abs(apply_one(name, 0.6) - PICTURES).mean() > 5


def test_a_move_goes_sideways_by_its_share_of_the_side():
    pictures = np.zeros((1, 28, 28, 1), dtype=np.uint8)
    pictures[:, :, 10] = 200
    moved = apply_one("move_x", 1.0, pictures)[0, :, :, 0]
    assert int(moved.mean(axis=0)[:24].argmax()) == 6  # 28 · 32 / 224 = 4 px to the left
    assert moved[:, -1] == pytest.approx(128.0)
