"""Integrated gradients: complete for every family of networks, and by the columns of the table."""

import numpy as np
import pandas as pd
import pytest
import torch

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import fit_encoder
from automl.errors import SpecError
from automl.models.catalog import get_family, resolve_build
from automl.models.tabular.constant import fit_constant
from automl.models.tabular.network_model import NetworkModel, TargetScale
from automl.models.tabular.target_encoding import TargetEncoding
from automl.training.integrated_gradients import integrate_gradients, is_network
from automl.training.target_encoding import EncodedModel

KINDS = {
    "age": Kind.NUMERIC, "town": Kind.CATEGORICAL, "job": Kind.CATEGORICAL, "day": Kind.DATETIME,
    "note": Kind.TEXT,
}  # fmt: skip
COLUMNS = tuple(ColumnUse(name=n, kind=k, role=Role.FEATURE) for n, k in KINDS.items())


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    n = 300
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "town": pd.Series([f"town {i}" for i in rng.integers(30, size=n)], dtype="str"),
            "job": pd.Series(rng.choice(["nurse", "smith", "clerk"], n), dtype="str"),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(900, size=n), "D"),
            "note": pd.Series(rng.choice(["good day", "bad day ahead", "no"], n), dtype="str"),
        }
    )
    encoder = fit_encoder(frame, COLUMNS)
    views, _ = encoder.encode(frame)
    return encoder, views.take(np.arange(4)), views.take(np.arange(4, 104))


def build_network(family, shape, **config):
    torch.manual_seed(0)
    config = {**get_family(family).default, **config}
    network = resolve_build(family)(config, shape)
    with torch.no_grad():  # so that no output is flat
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return NetworkModel(
        family=family, config=config, shape=shape, network=network, device=torch.device("cpu"),
        target=TargetScale(is_regression=shape.n_outputs == 1, mean=3.0, scale=2.0, low=-99, high=99),
    )  # fmt: skip


@pytest.mark.parametrize("family", ["mlp", "resnet", "realmlp", "tabm", "ft_transformer"])
def test_shares_add_up_to_the_difference_for_every_network(rows, family):
    encoder, views, background = rows
    model = build_network(family, encoder.compute_shape(3))
    assert is_network(model)
    found = integrate_gradients(model, encoder, (views, background), [0, 1, 2])
    assert found.values.shape == (4, 5, 3)
    np.testing.assert_allclose(found.end, model.predict(views), atol=1e-5)
    gap = np.abs(found.start + found.values.sum(axis=1) - found.end).max()
    assert gap < 0.01 * max(np.abs(found.end - found.start).max(), 0.1)
    assert (np.abs(found.values).max(axis=(0, 2)) > 0).all()  # every column reaches the output


def test_a_linear_network_gets_weight_times_distance(rows):
    encoder, views, background = rows
    model = build_network("mlp", encoder.compute_shape(1), numeric_embedding="none")
    net = torch.nn.Linear(1, 1)

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(40, 2)

        def forward(self, batch):
            return net(batch.numeric[:, :1]) + 0 * self.table(batch.codes).sum(dim=(1, 2))[:, None]

    linear = NetworkModel(
        family="mlp", config=model.config, shape=model.shape, target=model.target,
        network=Plain(), device=model.device,
    )  # fmt: skip
    found = integrate_gradients(linear, encoder, (views, background), [0])
    distance = views.quantile[:, 0] - background.quantile[:, 0].mean()
    expected = 2.0 * float(net.weight.detach()[0, 0]) * distance  # 2 is the scale of the target
    np.testing.assert_allclose(found.values[:, 0, 0], expected, atol=1e-4)
    assert np.abs(found.values[:, 1:]).max() == 0


def test_encoded_levels_go_to_their_column_and_trees_are_refused(rows):
    encoder, views, background = rows
    shape = encoder.compute_shape(2)
    town = encoder.categorical_names.index("town")
    size = shape.cardinalities[town]
    wide = type(shape)(
        **{name: getattr(shape, name) for name in shape.__slots__}
        | {"n_quantile": shape.n_quantile + 1, "n_quantile_numeric": shape.n_quantile_numeric + 1}
    )
    encoding = TargetEncoding(
        columns=(town,), cardinalities=(size,), view="quantile", position=shape.n_quantile_numeric,
        tables=np.random.default_rng(0).normal(size=(size, 1)).astype(np.float32),
    )  # fmt: skip
    model = EncodedModel(model=build_network("mlp", wide), encoding=encoding)
    assert is_network(model)
    found = integrate_gradients(model, encoder, (views, background), [1])
    np.testing.assert_allclose(found.end[:, 0], model.predict(views)[:, 1], atol=1e-5)
    gap = np.abs(found.start + found.values.sum(axis=1) - found.end).max()
    assert gap < 0.01
    constant = fit_constant(np.array([0, 1, 1]), n_classes=2)
    assert not is_network(constant)
    with pytest.raises(SpecError, match="no gradients"):
        integrate_gradients(constant, encoder, (views, background), [1])
