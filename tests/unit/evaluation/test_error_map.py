"""The map of errors: the same seed gives the same picture, clusters stay apart, and what cannot be laid out is said."""

import numpy as np
import pytest

from automl.errors import DataError
from automl.evaluation.error_map import project, spread_codes


def make_inputs(n=60):
    rng = np.random.default_rng(0)
    centre = np.repeat([[0.0] * 5, [9.0] * 5], n // 2, axis=0)
    return centre + rng.normal(size=(n, 5))


def test_the_same_seed_gives_the_same_picture_and_clusters_stay_apart():
    inputs = make_inputs()
    found, again = project(inputs), project(inputs)
    np.testing.assert_allclose(found.frame.to_numpy(), again.frame.to_numpy())
    for name in ("pca_x", "tsne_x"):
        assert found.frame[name].notna().all()
    first, second = (found.frame[["tsne_x", "tsne_y"]].to_numpy()[half] for half in (slice(0, 30), slice(30, 60)))  # fmt: skip
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > max(first.std(), second.std())
    assert found.explained[0] > 0.8
    assert found.perplexity == pytest.approx(59 / 3)


def test_few_rows_and_inputs_that_do_not_vary_are_refused():
    with pytest.raises(DataError, match="5 rows"):
        project(make_inputs()[:5])
    with pytest.raises(DataError, match="with 1 inputs that vary"):
        project(np.column_stack([np.arange(40.0), np.ones(40)]))


def test_levels_get_a_column_each_up_to_a_number():
    codes = np.array([[0, 1], [1, 2], [2, 40]])
    spread = spread_codes(np.zeros((3, 2)), codes)
    assert spread.shape == (3, 2 + 2 + 20)
    assert spread[1, 2:4].tolist() == [1, 0]
    assert spread_codes(np.ones((3, 1)), np.zeros((3, 0), dtype=int)).shape == (3, 1)
