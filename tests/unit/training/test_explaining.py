import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from automl.data.images.rows import ImageRows
from automl.data.views import ViewShape
from automl.errors import SpecError
from automl.models.catalog import resolve_build
from automl.models.image.image_model import ImageModel
from automl.models.image.rollout import count_prefixes, map_positions, roll_out
from automl.models.tabular.constant import fit_constant
from automl.training.explaining import (
    GRAD_CAM,
    ROLLOUT,
    explain_pictures,
    load_members,
    scale_maps,
)
from automl.training.predictor import save_predictor

torch.set_num_threads(1)
SIDE, SQUARE = 24, 8
SHAPE = ViewShape(
    n_raw=0, n_quantile=0, n_quantile_numeric=0, cardinalities=(), n_outputs=2,
    side=SIDE, channels=1, image_mean=(0.3,), image_std=(0.2,),
)  # fmt: skip
CNN = {
    "family": "small_cnn",
    "config": {},
}


def plant(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise; pictures of class 1 have a bright square in the upper left corner."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 100, (n, SIDE, SIDE, 1), dtype=np.uint8)
    target = np.arange(n) % 2
    pixels[target == 1, :SQUARE, :SQUARE] += 140
    return pixels, target


def fit_model(seed: int) -> ImageModel:
    torch.manual_seed(seed)
    network = resolve_build(CNN["family"])(CNN["config"], SHAPE)
    model = ImageModel(
        family=CNN["family"], config=CNN["config"], shape=SHAPE, tta="none",
        network=network, device=torch.device("cpu"),
    )  # fmt: skip
    pixels, target = plant(64, seed)
    inputs, truth = model.normalise(pixels), torch.tensor(target)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    network.train()
    for _ in range(25):
        optimizer.zero_grad()
        functional.cross_entropy(network(inputs), truth).backward()
        optimizer.step()
    network.zero_grad(set_to_none=True)
    network.eval()
    return model


@pytest.fixture(scope="module")
def models():
    return [fit_model(seed) for seed in (0, 1)]


def test_the_heat_lies_on_the_planted_square(models) -> None:
    pixels, target = plant(20, seed=9)
    images = ImageRows(array=pixels).take(np.flatnonzero(target == 1))

    explained = explain_pictures(models, images, [1] * len(images))

    for each in explained:
        assert each.heat.shape == (SIDE, SIDE)
        assert each.heat.dtype == np.float32
        assert each.heat.min() >= 0
        assert each.heat.max() == pytest.approx(1)
        assert each.raw_maximum > 0
        assert each.method == GRAD_CAM
        row, column = np.unravel_index(each.heat.argmax(), each.heat.shape)
        assert max(row, column) < SQUARE + 2
        inside = each.heat[:SQUARE, :SQUARE].mean()
        assert inside > 3 * each.heat[SQUARE + 4 :, SQUARE + 4 :].mean()


def test_the_predicted_class_is_the_default(models) -> None:
    pixels, target = plant(6, seed=4)

    explained = explain_pictures(models, ImageRows(array=pixels))

    assert [each.class_index for each in explained] == target.tolist()
    assert [each.row for each in explained] == list(range(6))


def test_nothing_of_the_network_changes(models) -> None:
    network = models[0].network
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    explain_pictures(models[:1], ImageRows(array=plant(2, seed=1)[0]))

    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())
    assert not network.training


def test_a_map_of_zeros_says_so(models) -> None:
    pixels, _ = plant(2, seed=1)
    silent = fit_model(3)
    for parameter in silent.network.parameters():
        parameter.data.zero_()

    explained = explain_pictures([silent], ImageRows(array=pixels), [0, 1])

    assert all(not each.heat.any() for each in explained)
    assert all("zero everywhere" in each.note for each in explained)
    assert all(each.raw_maximum == 0 for each in explained)


def test_models_come_from_a_folder(models, tmp_path) -> None:
    for number, model in enumerate(models):
        save_predictor(model, tmp_path / "bundle" / "members" / str(number))
    images = ImageRows(array=plant(2, seed=1)[0])

    assert len(load_members(tmp_path / "bundle")) == 2
    assert len(load_members(tmp_path / "bundle" / "members" / "0")) == 1
    for saved, known in zip(
        explain_pictures(tmp_path / "bundle", images), explain_pictures(models, images), strict=True
    ):
        np.testing.assert_allclose(saved.heat, known.heat, atol=1e-6)


def test_what_is_no_network_is_refused() -> None:
    images = ImageRows(array=plant(2, seed=1)[0])
    with pytest.raises(SpecError, match="'constant' has no maps"):
        explain_pictures([fit_constant(np.array([0, 1]), 2)], images)


@pytest.mark.parametrize("classes", [[0], [0, 2], [0, -1]])
def test_foreign_classes_are_refused(models, classes) -> None:
    with pytest.raises(SpecError, match=r"classes of 0\.\.1"):
        explain_pictures(models, ImageRows(array=plant(2, seed=1)[0]), classes)


@settings(max_examples=30, deadline=None)
@given(
    layers=st.integers(1, 4),
    heads=st.integers(1, 3),
    tokens=st.integers(2, 12),
    seed=st.integers(0, 99),
)
def test_rows_of_a_rollout_sum_to_one(layers, heads, tokens, seed) -> None:
    generator = torch.Generator().manual_seed(seed)
    maps = [
        torch.randn(2, heads, tokens, tokens, generator=generator).softmax(-1)
        for _ in range(layers)
    ]
    flow = roll_out(maps)

    torch.testing.assert_close(flow.sum(-1), torch.ones(2, tokens))
    assert (flow >= 0).all()


def test_the_last_layer_stands_leftmost() -> None:
    """Token 0 reads token 1 in the last layer, token 1 reads token 2 in the first: 0 sees 2 in that order only."""
    first, last = torch.eye(3).clone(), torch.eye(3).clone()
    first[1] = torch.tensor([0.0, 0.0, 1.0])
    last[0] = torch.tensor([0.0, 1.0, 0.0])
    shape = (1, 1, 3, 3)

    assert roll_out([first.view(shape), last.view(shape)])[0, 0, 2] > 0.2
    assert roll_out([last.view(shape), first.view(shape)])[0, 0, 2] == 0


@pytest.mark.parametrize(("tokens", "prefixes"), [(197, 1), (196, 0), (17, 1), (261, 5), (1, 0)])
def test_tokens_that_are_no_positions(tokens, prefixes) -> None:
    assert count_prefixes(tokens) == prefixes


def test_positions_without_a_class_token_are_read_by_all() -> None:
    flow = torch.zeros(1, 4, 4)
    flow[0, :, 2] = 1.0

    assert map_positions(flow)[0].tolist() == [[0, 0], [1, 0]]


def test_a_flat_rollout_has_no_peak() -> None:
    scaled, raw = scale_maps(torch.full((1, 3, 3), 0.1), is_relative=True)

    assert not scaled.any()
    assert raw[0] == pytest.approx(0.1)


def test_networks_that_attend_are_rolled_out(models) -> None:
    class Attentive(type(models[0].network)):
        def attention_maps(self, pictures):
            maps = torch.full((len(pictures), 2, 10, 10), 0.01)
            maps[:, :, 0, 5] = 1.0  # the class token reads the middle
            return [maps]

    model = fit_model(0)
    model.network.__class__ = Attentive

    explained = explain_pictures([model], ImageRows(array=plant(2, seed=1)[0]), [0, 1])

    assert {each.method for each in explained} == {ROLLOUT}
    row, column = np.unravel_index(explained[0].heat.argmax(), (SIDE, SIDE))
    assert abs(row - SIDE / 2) < 3
    assert abs(column - SIDE / 2) < 3
