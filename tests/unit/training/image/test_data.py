import threading
from contextlib import closing

import numpy as np
import pytest
import torch

from automl.data.images.rows import ImageRows
from automl.models.image.recipe_space import parse_recipe
from automl.training.image import data
from automl.training.image.data import (
    ResidentPictures,
    StreamedPictures,
    iterate_in_order,
    open_pictures,
)
from automl.training.image.recipe import compute_batch_size, compute_side

CPU = torch.device("cpu")
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 3)).astype(np.uint8)
ROWS = ImageRows(array=PIXELS).take(np.arange(39, 3, -2))
BATCHES = [np.array([3, 0, 17]), np.array([5]), np.array([1, 1, 2])]


def count_threads():
    return sum(thread.name == "pictures" for thread in threading.enumerate())


@pytest.mark.parametrize("kind", [ResidentPictures, StreamedPictures])
def test_batches_come_in_the_order_that_was_asked_for(kind):
    pictures = kind(ROWS, CPU)
    found = [batch.numpy() for batch in pictures.iterate(BATCHES)]
    for batch, positions in zip(found, BATCHES, strict=True):
        assert np.array_equal(batch, ROWS.load()[positions])
    whole = torch.cat(list(iterate_in_order(pictures, 5))).numpy()
    assert np.array_equal(whole, ROWS.load())
    assert count_threads() == 0


def test_the_thread_ends_when_nobody_listens_any_more():
    many = [np.array([0])] * 1000
    with closing(StreamedPictures(ROWS, CPU).iterate(many)) as found:
        next(found)
        assert count_threads() == 1
    assert count_threads() == 0


def test_what_goes_wrong_while_reading_is_raised_where_it_is_needed():
    with (
        closing(StreamedPictures(ROWS, CPU).iterate([np.array([0]), np.array([99])])) as found,
        pytest.raises(IndexError),
    ):
        list(found)
    assert count_threads() == 0


@pytest.mark.parametrize(("free", "is_resident"), [(10_000, True), (1_000, False)])
def test_pictures_are_held_when_they_take_two_fifths_of_the_free_memory(
    monkeypatch, free, is_resident
):
    monkeypatch.setattr(data, "compute_free_bytes", lambda _: free)
    assert ROWS.size_bytes == 18 * 108
    assert open_pictures(ROWS, CPU).is_resident is is_resident
    assert open_pictures(ROWS, CPU, n_sharing=3).is_resident is False


@pytest.mark.parametrize(
    ("requested", "n_rows", "on_gpu", "expected"),
    [
        (512, 7000, False, 128),
        (512, 7000, True, 512),
        (256, 50_000, True, 256),
        (512, 300, False, 16),
        (512, 20, False, 16),
        (8, 1000, False, 8),
        (512, 1200, False, 64),
    ],
)
def test_batches_are_small_enough_for_a_dozen_steps(requested, n_rows, on_gpu, expected):
    assert compute_batch_size(requested, n_rows, on_gpu=on_gpu) == expected


def test_a_progressive_run_ends_at_the_full_side():
    recipe = parse_recipe({"resolution": "progressive", "epochs": 10})
    sides = [compute_side(recipe, epoch, 32) for epoch in range(1, 11)]
    assert sides == [24] * 6 + [32] * 4
    assert compute_side(recipe, 1, 12) == 12
    assert compute_side(parse_recipe({"epochs": 10}), 1, 32) == 32
