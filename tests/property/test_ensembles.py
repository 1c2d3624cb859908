"""What holds for every ensemble, whatever its candidates predict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.data.task import Task, TaskType
from automl.evaluation.mixing import mix
from automl.search.ensemble import (
    MOST_MEMBERS,
    MOST_PICKS,
    EnsembleInput,
    build_ensemble,
    split_rows,
)
from automl.search.ensemble_scores import build_measure

METRICS = ("roc_auc", "log_loss", "accuracy", "brier_score")


@st.composite
def inputs(draw) -> EnsembleInput:
    """Binary rows with candidates of any quality; ties and constants among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    n = draw(st.integers(8, 150))
    truth = rng.permutation(np.arange(n) % 3 == 0).astype(np.int64)
    models = {}
    for number in draw(st.sets(st.integers(0, 99), min_size=1, max_size=8)):
        share = np.clip(0.5 + draw(st.sampled_from([0.0, 0.1, 0.3])) * (2 * truth - 1), 0, 1)
        share = share + draw(st.sampled_from([0.0, 0.2])) * rng.normal(0, 1, n)
        share = np.clip(np.round(share, draw(st.sampled_from([1, 8]))), 0.001, 0.999)
        models[number] = np.column_stack([1 - share, share])
    task = Task(
        target="y", type=TaskType.BINARY, metric=draw(st.sampled_from(METRICS)),
        classes=("a", "b"), positive="b",
    )  # fmt: skip
    single = draw(st.sampled_from(sorted(models)))
    seed = draw(st.integers(0, 9))
    return EnsembleInput(task=task, truth=truth, predictions=models, single=single, seed=seed)


@settings(max_examples=60, deadline=None)
@given(inputs())
def test_weights_are_shares_and_the_heaviest_come_first(given_input):
    ensemble = build_ensemble(given_input)
    weights = list(ensemble.weights.values())
    assert abs(sum(weights) - 1) < 1e-9
    assert weights == sorted(weights, reverse=True)
    assert min(weights) >= 1 / MOST_PICKS
    assert set(ensemble.weights) <= set(given_input.predictions)
    assert len(weights) <= MOST_MEMBERS


@settings(max_examples=60, deadline=None)
@given(inputs(), st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_changes_nothing(given_input, random):
    numbers = list(given_input.predictions)
    random.shuffle(numbers)
    turned = EnsembleInput(
        task=given_input.task, truth=given_input.truth, single=given_input.single,
        predictions={number: given_input.predictions[number] for number in numbers},
        seed=given_input.seed,
    )  # fmt: skip
    assert build_ensemble(turned) == build_ensemble(given_input)


@settings(max_examples=60, deadline=None)
@given(inputs())
def test_on_the_rows_it_was_picked_by_it_is_never_worse_than_the_best_alone(given_input):
    ensemble = build_ensemble(given_input)
    rows, _ = split_rows(given_input)
    truth = given_input.truth[rows]
    models = {number: each[rows] for number, each in given_input.predictions.items()}
    measure = build_measure(given_input.task)
    scores = {
        number: measure.score(truth, measure.reduce(truth, each), None)
        for number, each in models.items()
    }
    mixed = mix([models[number] for number in ensemble.weights], list(ensemble.weights.values()))
    assert measure.score(truth, measure.reduce(truth, mixed), None) >= max(scores.values()) - 1e-9
