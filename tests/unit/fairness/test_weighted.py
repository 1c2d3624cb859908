from dataclasses import replace

import numpy as np
import pytest

from fairness.definitions import METRICS, compute_metric, compute_metrics, compute_score
from fairness.errors import AuditError
from fairness.outcomes import Outcomes
from fairness.weighted import compute_effective_rows

RNG = np.random.default_rng(0)
N = 120
TIMES = RNG.integers(0, 4, N)


def build(task_type):
    if task_type == "regression":
        truth = RNG.normal(size=N).round(1) + 5
        return Outcomes(
            "regression", truth, prediction=truth + RNG.normal(size=N).round(1), floor=1
        )
    if task_type == "multiclass":
        truth = RNG.integers(0, 3, N)
        logits = RNG.normal(size=(N, 3)) + 2 * np.eye(3)[truth]
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return Outcomes("multiclass", truth, probability=p)
    truth = RNG.integers(0, 2, N)
    score = np.clip(0.3 * truth + RNG.random(N).round(1) * 0.7, 0, 1)  # ties
    return Outcomes("binary", truth, probability=score)


CASES = {task: build(task) for task in ("binary", "multiclass", "regression")}


def repeat(outcomes):
    def each(array):
        return None if array is None else np.repeat(array, TIMES, axis=0)

    return replace(
        outcomes, truth=each(outcomes.truth), prediction=each(outcomes.prediction),
        probability=each(outcomes.probability),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (task, name)
        for task in CASES
        for name, row in METRICS.items()
        if task in row.tasks and name != "ece"  # its bins hold rows, not weight
    ],
)
def test_a_weight_counts_like_so_many_rows(task, name):
    weighted = replace(CASES[task], weight=TIMES * 2.5)  # only ratios matter
    repeated = repeat(CASES[task])
    assert compute_score(name, weighted) == pytest.approx(compute_score(name, repeated))
    estimate = compute_metric(name, weighted)
    assert estimate.value == pytest.approx(compute_metric(name, repeated).value)
    assert estimate.n == N
    assert estimate.low <= estimate.value <= estimate.high
    assert "effective rows" in estimate.method


@pytest.mark.parametrize("task", CASES)
def test_equal_weights_change_no_value(task):
    weighted = replace(CASES[task], weight=np.full(N, 3.0))
    names = [name for name, row in METRICS.items() if task in row.tasks]
    found = compute_metrics(names, weighted)
    assert list(found) == names
    for name in names:
        assert found[name].value == pytest.approx(compute_metric(name, CASES[task]).value), name


def test_weights_widen_the_interval():
    even = compute_metric("accuracy", replace(CASES["binary"], weight=np.ones(N)))
    heavy = np.where(np.arange(N) < 10, 20.0, 1.0)
    uneven = compute_metric("accuracy", replace(CASES["binary"], weight=heavy))
    assert uneven.high - uneven.low > 1.5 * (even.high - even.low)
    assert compute_effective_rows(heavy) == pytest.approx(310**2 / (10 * 400 + 110))


def test_rows_without_weight_cannot_carry_a_class():
    truth = np.array([0, 0, 1, 1])
    outcomes = Outcomes("binary", truth, probability=np.array([0.1, 0.7, 0.6, 0.9]))
    weightless = replace(outcomes, weight=np.array([1.0, 1.0, 0.0, 0.0]))
    assert not compute_metric("roc_auc", weightless).is_ok
    assert compute_metric("accuracy", weightless).value == pytest.approx(0.5)


@pytest.mark.parametrize("weight", [[1, 1], [-1, 1, 1, 1], [np.nan, 1, 1, 1], [0, 0, 0, 0]])
def test_weights_that_are_none_are_refused(weight):
    with pytest.raises(AuditError, match="eight"):
        Outcomes("binary", np.array([0, 0, 1, 1]), weight=np.array(weight, dtype=float))


def test_a_weighted_rate_is_as_sure_as_so_many_even_rows():
    truth = np.repeat([1, 0], 200)
    given = Outcomes("binary", truth, np.tile([1, 1, 1, 0], 100))
    even = compute_metric("true_positive_rate", replace(given, weight=np.full(400, 7.0)))
    plain = compute_metric("true_positive_rate", given)
    assert (even.low, even.high) == pytest.approx((plain.low, plain.high))
    assert even.method == "weighted wilson, 200 effective rows"
    none = compute_metric("false_negative_rate", Outcomes("binary", truth, truth, weight=np.where(truth, 2.0, 1.0)))  # fmt: skip
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.0188, abs=1e-4)
