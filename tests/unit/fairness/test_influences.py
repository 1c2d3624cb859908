"""What a row moves: values against scikit-learn, spread against the bootstrap."""

import numpy as np
import pytest
from sklearn import metrics as sk

from fairness.influences import (
    compute_auc_ovo_influence,
    compute_average_precision_influence,
    compute_influence,
    estimate_by_influence,
)
from fairness.outcomes import Outcomes
from fairness.resampling import iterate_row_times
from fairness.row_statistics import build_statistic


def draw(n=400, seed=0, digits=2):
    generator = np.random.default_rng(seed)
    truth = generator.choice(3, n, p=[0.6, 0.3, 0.1])
    logits = generator.normal(size=(n, 3)) + 1.3 * np.eye(3)[truth]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p = p.round(digits)  # with ties
    return Outcomes("multiclass", truth, probability=p / p.sum(axis=1, keepdims=True))


def test_values_are_those_of_scikit_learn():
    given = draw()
    assert compute_auc_ovo_influence(given.labels, given.scores)[0] == pytest.approx(
        sk.roc_auc_score(given.labels, given.scores, multi_class="ovo")
    )
    got = compute_average_precision_influence(given.labels == 1, given.scores[:, 1])
    assert got[0] == pytest.approx(sk.average_precision_score(given.labels == 1, given.scores[:, 1]))  # fmt: skip


@pytest.mark.parametrize("name", ["roc_auc_ovr", "roc_auc_ovo", "average_precision_ovr"])
def test_the_spread_is_that_of_the_bootstrap(name):
    given = draw()
    value, influence = compute_influence(name, given)
    assert influence.sum() == pytest.approx(0, abs=1e-9)
    statistic = build_statistic(name, given)
    assert statistic(np.ones((1, given.n)))[0] == pytest.approx(value)
    drawn = np.concatenate([statistic(times) for times in iterate_row_times(given.n)])
    assert np.sqrt((influence**2).sum()) == pytest.approx(drawn.std(), rel=0.1)


@pytest.mark.parametrize("name", ["roc_auc_ovo", "average_precision_ovr"])
def test_a_row_moves_the_value_as_its_influence_says(name):
    given = draw(digits=6)
    _, influence = compute_influence(name, given)
    statistic, base = build_statistic(name, given), np.ones((1, given.n))
    step = 1e-4
    for row in (0, 7, int(np.flatnonzero(given.labels == 2)[0])):
        more = base.copy()
        more[0, row] += step
        moved = (statistic(more) - statistic(base))[0] / step
        assert moved == pytest.approx(influence[row], rel=0.05, abs=1e-5)


def test_one_class_and_one_row_of_a_class_are_said():
    one = Outcomes("multiclass", np.zeros(4, dtype=int), probability=np.full((4, 2), 0.5))
    assert estimate_by_influence("roc_auc_ovo", one).reason == "only one class is present"
    p = np.array([[0.6, 0.4], [0.7, 0.3], [0.65, 0.35]])
    lonely = Outcomes("multiclass", np.array([0, 0, 1]), probability=p)
    found = estimate_by_influence("roc_auc_ovo", lonely)
    assert found.is_ok
    assert "one row of a class" in found.reason
