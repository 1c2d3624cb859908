"""Trials compared over folds: the corrected test, and who is left out of it."""

import numpy as np
import pytest

from automl.data.views import Part, Prepared, Views, ViewShape
from automl.search.ranking import compare_folds
from fairness.intervals import compute_corrected_t

VIEWS = Views(
    raw=np.zeros((10, 1), dtype=np.float32), quantile=np.zeros((10, 1), dtype=np.float32),
    robust=np.zeros((10, 1), dtype=np.float32), standard=np.zeros((10, 1), dtype=np.float32),
    codes=np.zeros((10, 0), dtype=np.int32),
)  # fmt: skip
SHAPE = ViewShape(n_raw=1, n_quantile=1, n_quantile_numeric=1, cardinalities=(), n_outputs=2)


def prepare(train, folds=(), held=None):
    parts = {Part.TRAIN: np.arange(train), Part.SELECT: np.arange(train, 10)}
    target = np.zeros(10, dtype=np.int64)
    return Prepared(
        views=VIEWS, target=target, parts=parts, shape=SHAPE, folds=tuple(folds), held=held
    )


def test_folds_compare_with_the_best_and_are_corrected():
    folds = [prepare(6, held=np.array([8, 9])) for _ in range(3)]
    trials = [
        {"number": 4, "fold_scores": [0.9, 0.92, 0.94]},
        {"number": 2, "fold_scores": [0.89, 0.9, 0.95]},
        {"number": 7, "fold_scores": [0.5, 0.51, 0.53]},
        {"number": 8, "fold_scores": [0.9]},  # ended after a fold
    ]
    found = compare_folds(prepare(6, folds), trials)
    near = compute_corrected_t([0.01, 0.02, -0.01], 2 / 6)[1]
    far = compute_corrected_t([0.4, 0.41, 0.41], 2 / 6)[1]
    assert found == pytest.approx({"4": 1.0, "2": near, "7": 2 * far})


def test_without_folds_there_is_nothing_to_compare():
    assert compare_folds(prepare(6), [{"number": 1, "fold_scores": []}]) == {}
