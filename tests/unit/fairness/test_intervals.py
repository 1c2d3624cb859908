"""Closed forms against the published numbers and statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from fairness.errors import AuditError
from fairness.estimates import Estimate, Status
from fairness.intervals import (
    compute_auc_delong,
    compute_auc_difference,
    compute_corrected_t,
    compute_holm,
    compute_katz,
    compute_mcnemar,
    compute_newcombe,
    compute_paired_auc_delong,
    compute_two_proportion_p,
    compute_wilson,
)

HALF = 5e-5  # half a unit of the fourth digit


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (10, 10, 0.7225, 1),
        (8, 9, 0.5650, 0.9801),
        (6, 9, 0.3542, 0.8794),
        (2, 23, 0.0242, 0.2680),  # COMPAS, Asian FPR
        (1, 10, 0.0179, 0.4042),  # COMPAS, Native American FNR
    ],
)
def test_wilson(k, n, low, high):
    estimate = compute_wilson(k, n)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=HALF)
    assert (estimate.numerator, estimate.denominator) == (k, n)


def test_wilson_ends_are_exact():
    assert compute_wilson(0, 20).low == 0.0
    assert compute_wilson(10, 10).high == 1.0


def test_wilson_without_cases_is_not_estimable():
    estimate = compute_wilson(0, 0)
    assert estimate.status is Status.NOT_ESTIMABLE
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)


def test_wilson_refuses_more_hits_than_cases():
    with pytest.raises(AuditError, match="k = 3, n = 2"):
        compute_wilson(3, 2)


@pytest.mark.parametrize(("k", "n"), [(3, 17), (0, 5), (400, 1000), (7, 7)])
def test_wilson_equals_statsmodels(k, n):
    estimate = compute_wilson(k, n)
    assert (estimate.low, estimate.high) == pytest.approx(
        proportion_confint(k, n, method="wilson"), abs=1e-12
    )


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 20), 0.6791, 1),
        ((5, 56, 0, 29), -0.0381, 0.1926),
    ],
)
def test_newcombe(counts, low, high):
    estimate = compute_newcombe(*counts)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=HALF)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (3, 40, 9, 31)])
def test_newcombe_and_katz_equal_statsmodels(counts):
    difference, ratio = compute_newcombe(*counts), compute_katz(*counts)
    assert (difference.low, difference.high) == pytest.approx(
        confint_proportions_2indep(*counts, method="newcomb", compare="diff"), abs=1e-10
    )
    assert (ratio.low, ratio.high) == pytest.approx(
        confint_proportions_2indep(*counts, method="log", compare="ratio"), abs=1e-10
    )


def test_katz():
    estimate = compute_katz(56, 70, 48, 80)
    assert (estimate.low, estimate.high) == pytest.approx((1.0766, 1.6512), abs=HALF)


def test_katz_with_a_zero_count_has_a_value_but_no_interval():
    estimate = compute_katz(0, 10, 4, 10)
    assert estimate.value == 0
    assert not estimate.has_interval
    assert "zero count" in estimate.reason
    assert not compute_katz(4, 10, 0, 10).is_ok


def test_mcnemar():
    assert compute_mcnemar(150, 86) == pytest.approx((17.3559, 3.10e-5), abs=5e-5)
    assert compute_mcnemar(6, 16)[1] == pytest.approx(0.052479, abs=5e-7)
    assert compute_mcnemar(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("b", "c"), [(6, 16), (3, 3), (20, 4)])
def test_mcnemar_equals_statsmodels(b, c):
    assert compute_mcnemar(b, c)[1] == pytest.approx(mcnemar([[0, b], [c, 0]], exact=True).pvalue)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 10, 11, 100])
def test_student_s_p_value_is_scipy_s(n):
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(n).normal(0.3, 1, n)
    wanted = ttest_1samp(values, 0)
    got = compute_corrected_t(values, 0.0)
    assert got == pytest.approx((wanted.statistic, wanted.pvalue), abs=1e-12)


def test_corrected_resampled_t():
    t, p = compute_corrected_t([0.01, 0.02, -0.01, 0.03, 0], 0.25)
    assert (t, p) == pytest.approx((0.942809, 0.399162), abs=5e-7)
    assert np.isnan(compute_corrected_t([0.1], 0.25)).all()
    assert compute_corrected_t([0.0, 0.0], 0.25) == (0.0, 1.0)


def test_corrected_t_of_scikit_learn_s_example():
    # "Statistical comparison of models using grid search": rbf against linear, 10 × 10 folds
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), x, y, scoring="roc_auc", cv=folds)
        for kernel in ("rbf", "linear")
    )
    t, p = compute_corrected_t(rbf - linear, 10 / 90)
    assert t == pytest.approx(0.750313, abs=0.01)  # ties of a score move with the last bits
    assert p / 2 == pytest.approx(0.227423, abs=0.003)


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.001, 0.02, 0.03, 0.04, 0.5], [0.005, 0.08, 0.09, 0.09, 0.5]),
    ],
)
def test_holm(raw, adjusted):
    assert compute_holm(raw) == pytest.approx(adjusted)
    assert compute_holm(raw) == pytest.approx(list(multipletests(raw, method="holm")[1]))


def test_two_proportion_test_is_exact_for_small_counts():
    from scipy.stats import chi2_contingency, fisher_exact

    assert compute_two_proportion_p(1, 8, 5, 9) == pytest.approx(
        fisher_exact([[1, 7], [5, 4]]).pvalue
    )
    table = [[86, 226], [156, 256]]
    expected = chi2_contingency(table, correction=False).pvalue
    assert compute_two_proportion_p(86, 312, 156, 412) == pytest.approx(expected)


def test_two_proportion_test_of_equal_ends():
    assert compute_two_proportion_p(0, 10, 0, 12) == 1.0


def test_auc_counts_ties_half():
    y, score = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 2.0, 3.0])
    assert compute_auc_delong(y, score).value == pytest.approx(3.5 / 4)


def test_auc_of_one_class_names_the_missing_one():
    assert compute_auc_delong([1, 1], [0.1, 0.2]).reason == "no negative labels"
    assert compute_auc_delong([0, 0], [0.1, 0.2]).reason == "no positive labels"


def test_auc_of_separated_classes_has_no_interval():
    estimate = compute_auc_delong([0, 0, 1, 1], [1, 2, 3, 4])
    assert (estimate.value, estimate.low, estimate.high) == (1.0, None, None)


def test_paired_auc_of_a_score_with_itself_is_zero_without_width():
    generator = np.random.default_rng(1)
    y, a = generator.integers(0, 2, 200), generator.random(200)
    same = compute_paired_auc_delong(y, a, a)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    other = compute_paired_auc_delong(y, a + y, a)
    assert other.low is not None
    assert other.low > 0


def test_auc_difference_of_two_groups_adds_the_variances():
    generator = np.random.default_rng(2)
    y, s = generator.integers(0, 2, 300), generator.random(300)
    estimate = compute_auc_difference(y[:150], s[:150], y[150:], s[150:])
    assert estimate.n == 300
    assert estimate.low < estimate.value < estimate.high


def test_estimate_refuses_nan_and_a_value_that_is_not_there():
    with pytest.raises(ValueError, match="not estimable"):
        Estimate(float("nan"), None, None, 3, "")
    with pytest.raises(ValueError, match="cannot be"):
        Estimate(None, None, None, 3, "")
