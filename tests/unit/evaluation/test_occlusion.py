"""Occlusion: the square that decides holds the peak, and a model that looks nowhere has a map of zeros."""

import numpy as np
import pytest

from automl.evaluation.explaining.occlusion import compute_occlusion, scale_occlusion


def predict(pixels):
    """Bright pixels in the second of four rows and the third of four columns of squares speak for class 1."""
    chance = pixels[:, 8:16, 16:24].mean(axis=(1, 2, 3)) / 255
    return np.column_stack([1 - chance, chance])


def test_the_planted_square_holds_the_peak_and_the_drop_is_a_probability():
    pixels = np.zeros((32, 32, 3), dtype=np.uint8)
    pixels[8:16, 16:24] = 255
    drops = compute_occlusion(predict, pixels, 1, n_cells=4)
    assert np.unravel_index(drops.argmax(), drops.shape) == (1, 2)
    assert drops[1, 2] == pytest.approx(
        1 - 16 / 255, abs=0.01
    )  # 1 in 16 is bright: the mean colour
    assert np.count_nonzero(drops) == 1
    heat = scale_occlusion(drops, 32)
    assert heat.shape == (32, 32)
    assert heat[8:16, 16:24].min() == 1
    assert heat.sum() == 64


def test_covering_that_helps_has_no_heat_and_small_pictures_fewer_squares():
    pixels = np.full((5, 5, 1), 100, dtype=np.uint8)
    pixels[0, 0] = 0
    drops = compute_occlusion(lambda p: p.mean(axis=(1, 2, 3))[:, None] / 255, pixels, 0)
    assert drops.shape == (5, 5)
    assert drops.min() < 0
    assert scale_occlusion(np.minimum(drops, 0), 5).max() == 0
