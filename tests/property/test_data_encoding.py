"""Encoding is row by row: what a row becomes depends on nothing but the row and the training rows."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import fit_encoder

COLUMNS = (
    ColumnUse(name="x", kind=Kind.NUMERIC, role=Role.FEATURE),
    ColumnUse(name="c", kind=Kind.CATEGORICAL, role=Role.FEATURE),
)
numbers = st.floats(allow_nan=True, allow_infinity=True)
labels = st.sampled_from(["a", "b", "c", "?", "", " a ", None])


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    n_rows = draw(st.integers(2, 40))
    x = draw(arrays(np.float64, n_rows, elements=numbers))
    c = draw(st.lists(labels, min_size=n_rows, max_size=n_rows))
    return pd.DataFrame({"x": x, "c": pd.Series(c, dtype="str")})


@settings(max_examples=150, deadline=None)
@given(train=frames(), rows=frames(), seed=st.integers(0, 1000))
def test_views_are_finite_bounded_and_row_by_row(
    train: pd.DataFrame, rows: pd.DataFrame, seed: int
) -> None:
    encoder = fit_encoder(train, COLUMNS)
    views = encoder.encode(rows)[0]
    shape = encoder.compute_shape(2)
    assert views.quantile.shape == views.standard.shape == (len(rows), shape.n_quantile)
    for view in (views.quantile, views.robust, views.standard):
        assert np.isfinite(view).all()
        assert np.abs(view).max() <= 10
    assert not np.isinf(views.raw).any()
    assert views.codes.min() >= 0
    assert views.codes.max() < shape.cardinalities[0]

    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = encoder.encode(rows.iloc[order])[0]
    np.testing.assert_array_equal(shuffled.quantile, views.quantile[order])
    np.testing.assert_array_equal(shuffled.codes, views.codes[order])
