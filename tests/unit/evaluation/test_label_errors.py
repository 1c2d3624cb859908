"""Labels that are contradicted: ranked by cleanlab, counted, and with classes that no row has."""

import numpy as np
import pytest

from automl.errors import DataError
from automl.evaluation.label_errors import COLUMNS, rank_labels

CLASSES = ("a", "b", "c")


def predict(n, seed=0):
    """True classes a and b, sure probabilities of three classes, and labels of which 5 % are wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    share = np.full((n, 3), 0.02)
    share[np.arange(n), truth] = rng.uniform(0.6, 0.96, n)
    flipped = rng.choice(n, n // 20, replace=False)
    labels = truth.copy()
    labels[flipped] = 1 - labels[flipped]
    return labels, share, flipped


def test_wrong_labels_come_first_and_are_counted():
    labels, share, flipped = predict(1_000)
    rows = np.arange(1_000) * 2 + 5
    found = rank_labels(rows, labels, share, CLASSES)
    assert tuple(found.frame.columns) == COLUMNS
    assert set(found.frame["row"]) == set(rows[flipped])
    assert found.n_contradicted == len(flipped)
    assert found.n_suspected == pytest.approx(len(flipped), rel=0.2)
    assert found.frame["label_probability"].is_monotonic_increasing
    first = found.frame.iloc[0]
    assert first["label"] != first["likely"]
    assert first["likely_probability"] > 0.9


def test_probabilities_that_miss_one_by_a_little_and_certain_ones_are_taken():
    labels, share, _ = predict(200)
    share = (share / share.sum(axis=1, keepdims=True)).astype(np.float32) * np.float32(1.000001)
    share[:20] = np.eye(3, dtype=np.float32)[labels[:20]]
    assert rank_labels(np.arange(200), labels, share, CLASSES).n_rows == 200


def test_one_class_is_refused():
    with pytest.raises(DataError, match="same label"):
        rank_labels(np.arange(3), np.zeros(3, dtype=int), np.full((3, 3), 1 / 3), CLASSES)
