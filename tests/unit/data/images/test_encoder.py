"""What is learned from pictures: by hand, from the rows given and no others, and the same after a reload."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.data.dataset import ColumnUse, ImageFacts, Kind, Role
from automl.data.encoding import load_encoder, save_encoder
from automl.data.images import encoder as module
from automl.data.images.encoder import (
    ImageEncoder,
    compute_pixel_facts,
    fit_image_encoder,
)
from automl.data.images.rows import ImageRows
from automl.errors import DataError

COLUMNS = (ColumnUse(name="file", kind=Kind.IMAGE, role=Role.FEATURE),)


def make_rows(n: int = 20, side: int = 32, channels: int = 3, seed: int = 0) -> ImageRows:
    rng = np.random.default_rng(seed)
    return ImageRows(array=rng.integers(0, 256, (n, side, side, channels), dtype=np.uint8))


def fit(images: ImageRows, rows: np.ndarray) -> ImageEncoder:
    facts = ImageFacts(side=images.side, channels=images.channels)
    return fit_image_encoder(compute_pixel_facts(images), rows, COLUMNS, facts)


def test_means_by_hand() -> None:
    images, rows = make_rows(), np.arange(0, 20, 3)
    encoder = fit(images, rows)
    pixels = images.array[rows] / 255
    assert encoder.image_mean == pytest.approx(tuple(pixels.mean(axis=(0, 1, 2))), abs=1e-6)
    assert encoder.image_std == pytest.approx(tuple(pixels.std(axis=(0, 1, 2))), abs=1e-5)
    cells = pixels.reshape(len(rows), 8, 4, 8, 4, 3).mean(axis=(2, 4)).reshape(len(rows), -1)
    assert encoder.cell_mean == pytest.approx(tuple(cells.mean(axis=0)), abs=1e-6)
    views = encoder.encode_images(images)
    assert views.images is images
    np.testing.assert_allclose(views.raw[rows], cells, atol=1e-6)
    np.testing.assert_allclose(views.standard[rows].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(views.standard[rows].std(axis=0), 1, atol=1e-4)
    assert views.quantile.shape == (20, 0)
    assert views.codes.shape == (20, 0)


@settings(max_examples=60, deadline=None)
@given(side=st.integers(8, 60), channels=st.sampled_from([1, 3]), seed=st.integers(0, 2**32 - 1))
def test_cells_are_area_means_at_any_side(side: int, channels: int, seed: int) -> None:
    images = make_rows(3, side, channels, seed)
    facts = compute_pixel_facts(images)
    large = (images.array / 255).repeat(8, axis=1).repeat(8, axis=2)
    cells = large.reshape(3, 8, side, 8, side, channels).mean(axis=(2, 4)).reshape(3, -1)
    np.testing.assert_allclose(facts.cells, cells, atol=1e-6)
    np.testing.assert_allclose(facts.mean, (images.array / 255).mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(
        facts.square, ((images.array / 255) ** 2).mean(axis=(1, 2)), atol=1e-6
    )


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    images = make_rows(23)
    whole = compute_pixel_facts(images)
    monkeypatch.setattr(module, "CHUNK_BYTES", 4 * 32 * 32 * 3 * 4)
    parts = compute_pixel_facts(images)
    np.testing.assert_allclose(parts.cells, whole.cells, atol=1e-6)
    np.testing.assert_allclose(parts.square, whole.square, atol=1e-6)


def test_only_the_rows_given_are_learned_from() -> None:
    images, rows = make_rows(), np.arange(10)
    other = ImageRows(array=images.array.copy())
    other.array[10:] = 0
    assert fit(other, rows) == fit(images, rows)
    assert fit(other, np.arange(20)) != fit(images, np.arange(20))


def test_one_colour_everywhere_is_no_division_by_zero() -> None:
    images = ImageRows(array=np.full((5, 16, 16, 1), 200, dtype=np.uint8))
    encoder = fit(images, np.arange(5))
    assert encoder.image_std == (1 / 255,)
    assert not encoder.encode_images(images).standard.any()


def test_an_odd_picture_is_clipped() -> None:
    array = np.random.default_rng(0).integers(100, 103, (50, 16, 16, 1)).astype(np.uint8)
    array[-1] = 255
    views = fit(ImageRows(array=array), np.arange(49)).encode_images(ImageRows(array=array))
    assert views.standard.max() == 10


def test_a_saved_encoder_is_json_and_the_same(tmp_path: Path) -> None:
    encoder = fit(make_rows(), np.arange(20))
    save_encoder(encoder, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["encoder.json"]
    assert load_encoder(tmp_path) == encoder
    shape = encoder.compute_shape(4)
    assert (shape.n_raw, shape.n_quantile, shape.cardinalities) == (192, 0, ())
    assert (shape.side, shape.channels, shape.n_outputs) == (32, 3, 4)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("side", 0), ("channels", 2), ("image_mean", [0.5]), ("image_std", [0.1, 0.1, 0.0]),
        ("cell_scale", [1.0]), ("fit", "pad"), ("version", 2), ("side", "32px"),
    ],
)  # fmt: skip
def test_a_damaged_encoder_is_refused(tmp_path: Path, field: str, value: object) -> None:
    save_encoder(fit(make_rows(), np.arange(20)), tmp_path)
    path = tmp_path / "encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(DataError, match="cannot be read"):
        load_encoder(tmp_path)


def test_what_does_not_fit_is_refused() -> None:
    encoder = fit(make_rows(), np.arange(20))
    with pytest.raises(DataError, match="28 pixels and 1 channels"):
        encoder.encode_images(make_rows(side=28, channels=1))
    with pytest.raises(DataError, match="no pictures to learn from"):
        fit(make_rows(), np.arange(0))
