"""Evaluations whatever the data: JSON without NaN, the same after a permutation, curves that keep their ends."""

import json

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.data.task import Task, TaskType
from automl.evaluation.evaluate import EvaluationInput, evaluate
from automl.evaluation.evaluation import Evaluation
from automl.evaluation.thinning import thin_curve

TASKS = {
    2: Task(target="y", type=TaskType.BINARY, metric="roc_auc", classes=("a", "b"), positive="b"),
    3: Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c")),
    0: Task(target="y", type=TaskType.REGRESSION, metric="rmse"),
}


@st.composite
def inputs(draw):
    """A few rows, often with one class only, ties and certain scores."""
    k, n = draw(st.sampled_from((2, 3, 0))), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    if k == 0:
        value = st.floats(-1e6, 1e6, allow_nan=False)
        rows = st.lists(value, min_size=n, max_size=n)
        return EvaluationInput(
            task=TASKS[k], truth=np.array(draw(rows)), prediction=np.array(draw(rows))
        )
    weight = np.round(rng.random((n, k)), draw(st.integers(0, 3))) + 1e-12
    weight /= weight.sum(axis=1, keepdims=True)
    return EvaluationInput(
        task=TASKS[k], truth=rng.integers(draw(st.integers(1, k)), size=n), prediction=weight
    )


@settings(max_examples=25, deadline=None)
@given(inputs())
def test_json_holds_no_nan_and_reads_back(given_):
    done = evaluate(given_)
    text = json.dumps(done.to_json(), allow_nan=False)
    assert json.dumps(Evaluation.from_json(json.loads(text)).to_json()) == text
    for estimate in done.metrics.values():
        assert (estimate.value is None) == bool(not estimate.is_ok)
        assert estimate.is_ok or estimate.reason


@settings(max_examples=10, deadline=None)
@given(inputs(), st.integers(0, 9))
def test_the_order_of_rows_does_not_matter(given_, seed):
    order = np.random.default_rng(seed).permutation(len(given_.truth))
    other = EvaluationInput(
        task=given_.task, truth=given_.truth[order], prediction=given_.prediction[order]
    )
    first, second = evaluate(given_).metrics, evaluate(other).metrics
    for name, estimate in first.items():
        assert (estimate.value is None) == (second[name].value is None)
        if estimate.value is not None:
            np.testing.assert_allclose(second[name].value, estimate.value, rtol=1e-6, atol=1e-9)


@given(st.integers(1, 400), st.integers(2, 50), st.integers(0, 9))
def test_thinned_curves_keep_their_ends(n, limit, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": np.sort(rng.random(n)), "y": np.sort(rng.random(n)).round(1)})
    thin = thin_curve(frame, "x", "y", limit)
    assert len(thin) <= limit or len(thin) == n
    pd.testing.assert_frame_equal(
        thin.iloc[[0, -1]].reset_index(drop=True), frame.iloc[[0, -1]].reset_index(drop=True)
    )
    assert thin["x"].is_monotonic_increasing
