import numpy as np
import pytest
import torch

from automl.data.views import Views, ViewShape
from automl.errors import SpecError
from automl.models.tabular.config import ColumnConfig, InputConfig, parse_columns
from automl.models.tabular.inputs import TabularInput, build_batch, count_flags

SHAPE = ViewShape(
    n_raw=1, n_quantile=2, n_quantile_numeric=1, cardinalities=(3, 4, 18), n_outputs=2
)
VIEWS = Views(
    raw=np.zeros((3, 1), np.float32),
    quantile=np.array([[0.5, 0], [1, 1], [-1, 0]], np.float32),
    robust=np.array([[0.4, 0], [0.8, 1], [-0.9, 0]], np.float32),
    standard=np.zeros((3, 2), np.float32),
    codes=np.array([[1, 3, 17], [2, 1, 4], [0, 0, 0]], np.int32),
)


def test_two_levels_are_one_signed_flag_and_unknown_is_zero():
    batch = build_batch(VIEWS, SHAPE)
    assert batch.flags.tolist() == [[1, 0, 0, 1], [-1, 1, 0, 0], [0, 0, 0, 0]]
    assert batch.flags.shape[1] == count_flags(SHAPE)
    assert batch.codes.tolist() == [[17], [4], [0]]


def test_inputs_have_the_promised_width_and_keep_indicators():
    for config in (
        InputConfig(n_bins=0, d_numeric=1, d_categorical=5),
        InputConfig(n_bins=4, d_numeric=3, d_categorical=5),
    ):
        layer = TabularInput(config=config, shape=SHAPE)
        out = layer(build_batch(VIEWS, SHAPE))
        assert out.shape == (3, layer.d_out)
        n_numeric = config.d_numeric if config.n_bins else 1
        assert out[:, n_numeric].tolist() == [0, 1, 0]


def test_the_view_and_the_limit_are_chosen():
    columns = ColumnConfig(numeric_view="robust", one_hot_limit=2)
    batch = build_batch(VIEWS, SHAPE, columns)
    assert np.array_equal(batch.numeric.numpy(), VIEWS.robust)
    assert batch.flags.tolist() == [[1], [-1], [0]]  # of three columns one has two levels
    assert batch.codes.tolist() == [[3, 17], [1, 4], [0, 0]]
    config = InputConfig(n_bins=0, d_numeric=1, d_categorical=5, columns=columns)
    layer = TabularInput(config=config, shape=SHAPE)
    assert layer(batch).shape == (3, layer.d_out) == (3, 2 + 1 + 10)


def test_a_configuration_of_before_reads_what_it_always_read():
    assert parse_columns({}) == ColumnConfig(numeric_view="quantile", one_hot_limit=16)
    with pytest.raises(SpecError, match="no numeric view 'ranks'"):
        parse_columns({"numeric_view": "ranks"})


def test_a_table_without_numbers_needs_no_embedding():
    shape = ViewShape(n_raw=0, n_quantile=0, n_quantile_numeric=0, cardinalities=(4,), n_outputs=2)
    views = Views(
        raw=np.zeros((2, 0), np.float32),
        quantile=np.zeros((2, 0), np.float32),
        robust=np.zeros((2, 0), np.float32),
        standard=np.zeros((2, 0), np.float32),
        codes=np.array([[1], [2]], np.int32),
    )
    layer = TabularInput(config=InputConfig(n_bins=8, d_numeric=4, d_categorical=4), shape=shape)
    out = layer(build_batch(views, shape))
    assert torch.equal(out, torch.tensor([[1.0, 0, 0], [0, 1, 0]]))
