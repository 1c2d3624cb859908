"""What holds for every score: coverage of exchangeable rows, nested sets, and what changes nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from automl.evaluation.conformal import (
    ConformalScore,
    build_sets,
    compute_band,
    compute_class_scores,
    compute_true_scores,
    find_group_quantiles,
    find_quantile,
    find_rank,
)

levels = st.integers(50, 99).map(lambda percent: percent / 100)
scores = arrays(np.float64, st.integers(1, 80), elements=st.floats(0, 1e6))
weights = arrays(
    np.float64, st.tuples(st.integers(2, 40), st.integers(2, 6)), elements=st.floats(1e-3, 1)
)
kinds = st.sampled_from([ConformalScore.LAC, ConformalScore.APS])


@given(scores, levels)
def test_leaving_each_row_out_once_covers_as_often_as_stated(values, level):
    """Of exchangeable rows each is as likely the new one: the exact average over all of them."""
    covered = [
        values[place] <= find_quantile(np.delete(values, place), level)
        for place in range(len(values))
    ]
    assert np.mean(covered) >= level - 1e-12
    if len(np.unique(values)) == len(values):  # without ties never by more than one row
        assert np.mean(covered) <= level + 1 / len(values) + 1e-12


@given(scores, levels, levels)
def test_a_higher_coverage_never_has_a_smaller_quantile(values, one, other):
    low, high = sorted((one, other))
    assert find_quantile(values, low) <= find_quantile(values, high)


@given(scores, levels, st.randoms(use_true_random=False))
def test_order_changes_nothing_and_growing_transformations_go_through(values, level, random):
    mixed = values.tolist()
    random.shuffle(mixed)
    quantile = find_quantile(values, level)
    assert find_quantile(np.array(mixed), level) == quantile
    if np.isfinite(quantile):
        assert find_quantile(2 * values + 1, level) == 2 * quantile + 1


@given(scores, levels)
def test_at_least_rank_rows_are_within_the_quantile_and_fewer_strictly(values, level):
    rank = find_rank(len(values), level)
    quantile = find_quantile(values, level)
    if rank is None:
        assert quantile == np.inf
        return
    assert (values <= quantile).sum() >= rank
    assert (values < quantile).sum() < rank


@given(weights, kinds, levels, levels, st.randoms(use_true_random=False))
def test_sets_grow_with_the_coverage(weight, kind, one, other, random):
    probability = weight / weight.sum(axis=1, keepdims=True)
    truth = np.array([random.randrange(probability.shape[1]) for _ in probability])
    own = compute_true_scores(kind, truth, probability)
    low, high = (find_quantile(own, level) for level in sorted((one, other)))
    classes = compute_class_scores(kind, probability)
    assert not (build_sets(classes, low) & ~build_sets(classes, high)).any()


@given(weights, kinds)
def test_likelier_classes_have_smaller_scores_and_the_order_of_classes_does_not_matter(weight, kind):  # fmt: skip
    probability = weight / weight.sum(axis=1, keepdims=True)
    found = compute_class_scores(kind, probability)
    assert ((found >= 0) & (found <= 1)).all()
    order = np.argsort(-probability, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(found, order, axis=1), axis=1) >= 0).all()
    turned = compute_class_scores(kind, probability[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(turned, found, atol=1e-12)


@given(weights)
def test_adaptive_sets_are_never_empty(weight):
    probability = weight / weight.sum(axis=1, keepdims=True)
    assert build_sets(compute_class_scores(ConformalScore.APS, probability), 0.0).any(axis=1).all()


@given(scores, levels)
def test_one_group_is_the_whole_and_an_empty_one_has_no_limit(values, level):
    codes = np.zeros(len(values), dtype=np.int64)
    own = find_group_quantiles(values, codes, 2, level)
    assert own[0] == find_quantile(values, level)
    assert own[1] == np.inf


@settings(max_examples=8)
@given(st.integers(0, 2**16), st.sampled_from([0.8, 0.9, 0.95]))
def test_measured_coverage_of_drawn_rows_stays_in_its_band(seed, level):
    rng = np.random.default_rng(seed)
    draws = rng.exponential(1, (400, 160))
    measured = np.array([(each[100:] <= find_quantile(each[:100], level)).mean() for each in draws])
    low, high = compute_band(100, level, 60)
    # 95 of 100, and 400 draws: 6 of 10,000 such tests would see less than 91 %
    assert ((low <= measured) & (measured <= high)).mean() > 0.91
