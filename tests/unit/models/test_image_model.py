import numpy as np
import pytest
import torch

from automl.data.images.rows import ImageRows
from automl.errors import SpecError
from automl.models.image.image_model import ImageModel, Normaliser, compute_chunk, compute_logits
from automl.models.image.recipe_space import (
    RECIPE_DEFAULT,
    build_recipe_space,
    fill_recipe,
    parse_recipe,
)
from automl.models.image.small_cnn import SmallCNN, build_small_cnn
from automl.models.image.test_time import compute_views
from automl.space.sampling import validate_config
from tests.unit.training.image.pictures import build_prepared, draw_pictures

SHAPE = build_prepared(40).shape
CPU = torch.device("cpu")


def build_model(tta="none"):
    torch.manual_seed(0)
    network = build_small_cnn({}, SHAPE).eval()
    return ImageModel(
        family="small_cnn", config={}, shape=SHAPE, tta=tta, network=network, device=CPU
    )


def test_pictures_are_normalised_by_channel_and_stay_channels_last():
    pixels, _ = draw_pictures(5)
    found = Normaliser(SHAPE, CPU).apply(torch.tensor(pixels))
    mean, std = np.array(SHAPE.image_mean), np.array(SHAPE.image_std)
    expected = ((pixels / 255 - mean) / std).transpose(0, 3, 1, 2)
    assert np.allclose(found, expected, atol=1e-4)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("tta", ["none", "flip", "six"])
def test_the_weights_of_all_views_add_up_to_one(tta):
    pictures = torch.randn(2, 3, 8, 8)
    views = list(compute_views(pictures, tta))
    assert sum(weight for _, weight in views) == 1
    assert len(views) == {"none": 1, "flip": 2, "six": 6}[tta]
    assert torch.equal(views[0][0], pictures)


def test_a_mirrored_picture_has_the_prediction_of_the_picture_when_flips_are_averaged():
    pixels, _ = draw_pictures(6)
    mirrored = np.ascontiguousarray(pixels[:, :, ::-1])
    model = build_model("flip")
    found, other = model.predict_pictures(pixels), model.predict_pictures(mirrored)
    assert np.allclose(found, other, atol=1e-5)
    plain = build_model()
    assert not np.allclose(plain.predict_pictures(pixels), plain.predict_pictures(mirrored))


def test_chunks_do_not_change_predictions(monkeypatch):
    pixels, _ = draw_pictures(23)
    rows = ImageRows(array=pixels)
    whole = build_model("six").predict_rows(rows)
    monkeypatch.setattr("automl.models.image.image_model.MOST_PICTURES", 5)
    assert np.allclose(build_model("six").predict_rows(rows), whole, atol=1e-6)
    assert build_model().predict_rows(rows.take(np.array([], dtype=int))).shape == (0, 3)


def test_chunks_fit_the_memory():
    assert compute_chunk(8) == 512
    assert compute_chunk(224) == 6
    assert compute_chunk(4000) == 1


def test_a_record_brings_the_model_back_and_strangers_do_not_fit():
    model = build_model("flip")
    record = {"family": "small_cnn", **model.describe()}
    arrays = model.to_arrays()
    again = ImageModel.from_arrays(record, arrays, "cpu")
    pixels, _ = draw_pictures(4)
    assert np.array_equal(again.predict_pictures(pixels), model.predict_pictures(pixels))
    assert again.tta == "flip"
    with pytest.raises(RuntimeError, match=r"conv1\.weight"):
        ImageModel.from_arrays(
            record, {k: v for k, v in arrays.items() if k != "conv1.weight"}, "cpu"
        )
    with pytest.raises(RuntimeError, match="more"):
        ImageModel.from_arrays(record, arrays | {"more": np.zeros(1)}, "cpu")
    with pytest.raises(SpecError, match="tta"):
        ImageModel.from_arrays(record | {"tta": "nine"}, arrays, "cpu")


def test_rows_without_pictures_are_refused():
    views = build_prepared(10).views
    table = type(views)(
        raw=views.raw,
        quantile=views.quantile,
        robust=views.robust,
        standard=views.standard,
        codes=views.codes,
    )
    with pytest.raises(SpecError, match="reads pictures"):
        build_model().predict(table)


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (9, 3), (33, 3), (64, 1)])
def test_the_baseline_reads_any_side(side, channels):
    network = SmallCNN(channels, 4)
    logits = compute_logits(network, torch.randn(2, channels, side, side), "six")
    assert logits.shape == (2, 4)
    with pytest.raises(ValueError, match="outputs"):
        SmallCNN(3, 1)


@pytest.mark.parametrize("preset", ["quick", "balanced", "thorough"])
@pytest.mark.parametrize("on_gpu", [False, True])
def test_the_defaults_lie_in_every_space(preset, on_gpu):
    validate_config(build_recipe_space(preset, on_gpu=on_gpu), RECIPE_DEFAULT)


def test_labels_that_are_left_out_have_their_default():
    recipe = parse_recipe({"flip": "random", "epochs": 5})
    assert (recipe.flip, recipe.n_epochs, recipe.optimizer) == ("random", 5, "adamw")
    filled = fill_recipe({"optimizer": "sgd", "optimizer.sgd.lr": 0.1})
    assert not any(label.startswith("optimizer.adamw") for label in filled)


@pytest.mark.parametrize(
    "config",
    [
        {"flip": "upside_down"},
        {"translate": 0.9},
        {"epochs": 0},
        {"epochs": 2.5},
        {"mix": "mixup"},
        {"mix": "mixup", "mix.mixup.alpha": 0.0},
        {"optimizer": "sgd"},
        {"ema": "yes"},
        {"optimizer.adamw.lr": -1.0},
    ],
)
def test_foreign_values_are_refused(config):
    with pytest.raises(SpecError):
        parse_recipe(config)
