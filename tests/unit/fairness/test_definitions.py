"""The registry against scikit-learn, and what it does where nothing can be computed."""

from functools import partial

import numpy as np
import pytest
from sklearn import metrics as sk

from fairness.definitions import (
    METRICS,
    Outcomes,
    compute_metric,
    compute_score,
    list_metrics,
)
from fairness.errors import AuditError

FROM_LABELS = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "matthews_corrcoef": sk.matthews_corrcoef,
    "cohen_kappa": sk.cohen_kappa_score,
}
BINARY_LABELS = {
    **FROM_LABELS,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
}
BINARY_SCORES = {
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "log_loss": sk.log_loss,
    "brier_score": sk.brier_score_loss,
}
MULTICLASS_LABELS = {
    **FROM_LABELS,
    "f1_macro": partial(sk.f1_score, average="macro"),
    "f1_weighted": partial(sk.f1_score, average="weighted"),
    "precision_macro": partial(sk.precision_score, average="macro", zero_division=0),
    "precision_weighted": partial(sk.precision_score, average="weighted", zero_division=0),
    "recall_macro": partial(sk.recall_score, average="macro", zero_division=0),
}
MULTICLASS_SCORES = {
    "roc_auc_ovr": partial(sk.roc_auc_score, multi_class="ovr"),
    "roc_auc_ovo": partial(sk.roc_auc_score, multi_class="ovo"),
    "average_precision_ovr": sk.average_precision_score,
    "log_loss": sk.log_loss,
    "brier_score": sk.brier_score_loss,
}
REGRESSION = {
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "median_absolute_error": sk.median_absolute_error,
    "r2": sk.r2_score,
    "d2_absolute_error": sk.d2_absolute_error_score,
    "pinball_10": partial(sk.mean_pinball_loss, alpha=0.1),
    "pinball_90": partial(sk.mean_pinball_loss, alpha=0.9),
}


def test_binary_equals_scikit_learn():
    for seed in range(25):
        generator = np.random.default_rng(seed)
        n = int(generator.integers(20, 300))
        y = generator.integers(0, 2, n)
        score = np.round(np.clip(generator.normal(0.4 + 0.2 * y, 0.25), 0.01, 0.99), 2)
        outcomes = Outcomes("binary", y, None, score)
        expectations = {n: f(y, score >= 0.5) for n, f in BINARY_LABELS.items()}
        expectations |= {n: f(y, score) for n, f in BINARY_SCORES.items()}
        for name, expected in expectations.items():
            assert compute_metric(name, outcomes).value == pytest.approx(expected, abs=1e-9), name
            sign = METRICS[name].sign
            assert compute_score(name, outcomes) == pytest.approx(sign * expected, abs=1e-9), name


def test_multiclass_equals_scikit_learn():
    for seed in range(15):
        generator = np.random.default_rng(seed)
        n, k = int(generator.integers(60, 200)), int(generator.integers(3, 8))
        y = np.concatenate([np.arange(k), generator.integers(0, k, n)])
        p = generator.dirichlet(np.ones(k), len(y))
        outcomes = Outcomes("multiclass", y, None, p)
        expectations = {n: f(y, p.argmax(axis=1)) for n, f in MULTICLASS_LABELS.items()}
        expectations |= {n: f(y, p) for n, f in MULTICLASS_SCORES.items()}
        for name, expected in expectations.items():
            assert compute_metric(name, outcomes).value == pytest.approx(expected, abs=1e-9), name
        top = 5 if k > 5 else 2
        expected = sk.top_k_accuracy_score(y, p, k=top, labels=range(k))
        assert compute_metric("top_k_accuracy", outcomes).value == pytest.approx(expected)


def test_regression_equals_scikit_learn():
    for seed in range(10):
        generator = np.random.default_rng(seed)
        y = generator.normal(10, 3, int(generator.integers(5, 100)))
        forecast = y + generator.normal(size=len(y))
        outcomes = Outcomes("regression", y, forecast)
        for name, reference in REGRESSION.items():
            expected = reference(y, forecast)
            assert compute_metric(name, outcomes).value == pytest.approx(expected, abs=1e-9), name
        floored = Outcomes("regression", y, forecast, None, 1e-9)
        assert compute_metric("mape", floored).value == pytest.approx(
            sk.mean_absolute_percentage_error(y, forecast), abs=1e-9
        )


def test_recall_at_specificity_is_read_off_the_curve():
    for seed in range(10):
        generator = np.random.default_rng(seed)
        y = np.concatenate([[0, 1], generator.integers(0, 2, 150)])
        score = np.round(np.clip(generator.normal(0.4 + 0.2 * y, 0.25), 0, 1), 2)
        mistaken, found, _ = sk.roc_curve(y, score, drop_intermediate=False)
        expected = found[mistaken <= 0.05 + 1e-12].max()
        got = compute_metric("recall_at_specificity", Outcomes("binary", y, None, score))
        assert got.value == pytest.approx(expected)


def test_every_metric_of_labels_survives_sets_with_one_class():
    p = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]])
    for y in (np.array([0, 0, 0]), np.array([2, 2, 2]), np.array([0, 0, 1])):
        outcomes = Outcomes("multiclass", y, None, p)
        for name, reference in MULTICLASS_LABELS.items():
            if name in ("matthews_corrcoef", "cohen_kappa", "balanced_accuracy"):
                continue  # scikit-learn gives 0 or a warning where nothing can be computed
            expected = reference(y, p.argmax(axis=1))
            assert compute_metric(name, outcomes).value == pytest.approx(expected, abs=1e-9), name


def test_the_worst_tenth_does_not_move_the_trimmed_error():
    truth = np.zeros(20)
    errors = np.append(np.full(18, 2.0), [50.0, -80.0])
    outcomes = Outcomes("regression", truth, errors)
    assert compute_metric("rmse_90", outcomes).value == pytest.approx(2.0)
    assert compute_metric("rmse", outcomes).value > 20


def test_percentage_errors_stand_on_the_floor():
    outcomes = Outcomes("regression", np.array([10.0, -20, 0.1]), np.array([11.0, -20, 1.1]), None, 2.0)  # fmt: skip
    assert compute_metric("mape", outcomes).value == pytest.approx((0.1 + 0 + 0.5) / 3)
    assert compute_metric("rmspe", outcomes).value == pytest.approx(np.sqrt((0.01 + 0.25) / 3))


def test_a_target_as_good_as_zero_has_no_percentage_error():
    outcomes = Outcomes("regression", np.array([2.3e-308, 2.3e-308]), np.array([4.0, 5.0]))
    assert "zero" in compute_metric("mape", outcomes).reason
    assert compute_metric("mae", outcomes).value == pytest.approx(4.5)


def test_r2_of_the_reference_case():
    outcomes = Outcomes("regression", np.array([2.5, 0, 2.1, 1.8]), np.array([3, -0.1, 2, 1.7]))
    assert compute_metric("r2", outcomes).value == pytest.approx(0.923497, abs=5e-7)


def test_multiclass_reference_case():
    p = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])  # fmt: skip
    outcomes = Outcomes("multiclass", np.array([0, 1, 1, 2, 2, 2]), None, p)
    values = {n: compute_metric(n, outcomes).value for n in ("accuracy", "log_loss", "brier_score")}
    assert values == pytest.approx(
        {"accuracy": 0.666667, "log_loss": 0.710122, "brier_score": 0.42}, abs=5e-7
    )


def test_every_metric_of_every_task_has_a_value_and_an_interval_inside_its_range():
    generator = np.random.default_rng(5)
    y = generator.integers(0, 2, 400)
    three = generator.integers(0, 3, 400)
    cases = {
        "binary": Outcomes("binary", y, None, np.clip(generator.normal(0.4 + 0.1 * y, 0.2), 0, 1)),
        "multiclass": Outcomes("multiclass", three, None, generator.dirichlet(np.ones(3), 400)),
        "regression": Outcomes("regression", generator.normal(9, 1, 400), generator.normal(9, 1, 400)),
    }  # fmt: skip
    for task, outcomes in cases.items():
        for metric in list_metrics(task):
            estimate = compute_metric(metric.name, outcomes)
            assert estimate.is_ok, metric.name
            assert estimate.has_interval != (metric.name == "ece"), metric.name
            if estimate.has_interval:
                assert metric.range[0] <= estimate.low <= estimate.value <= estimate.high
                assert estimate.high <= metric.range[1]


def test_zero_denominators_are_not_estimable_and_say_why():
    no_flag = Outcomes("binary", np.array([0, 1, 0]), np.array([0, 0, 0]))
    assert compute_metric("precision", no_flag).reason == "no flagged rows"
    no_positive = Outcomes("binary", np.array([0, 0]), np.array([0, 1]))
    assert compute_metric("true_positive_rate", no_positive).reason == "no positive labels"
    assert compute_metric("roc_auc", no_positive).reason == "no scores were given"


def test_ranking_scores_have_an_auc_but_no_losses():
    outcomes = Outcomes("binary", np.array([0, 1, 0, 1]), np.array([0, 1, 0, 1]), np.array([1.0, 9, 2, 8]))  # fmt: skip
    assert compute_metric("roc_auc", outcomes).value == 1.0
    for name in ("brier_score", "log_loss", "ece"):
        assert not compute_metric(name, outcomes).is_ok
        with pytest.raises(AuditError, match="ranking score"):
            compute_score(name, outcomes)


def test_score_of_an_empty_denominator_is_the_worst_value():
    outcomes = Outcomes("binary", np.array([0, 1, 0]), np.array([0, 0, 0]))
    assert compute_score("precision", outcomes) == 0.0


def test_score_of_one_class_is_an_error():
    outcomes = Outcomes("binary", np.zeros(5), None, np.linspace(0, 1, 5))
    with pytest.raises(AuditError, match="all 5 true values are equal"):
        compute_score("roc_auc", outcomes)


@pytest.mark.parametrize("name", ["accurcy", "rmse"])
def test_unknown_or_foreign_metric_is_named(name):
    outcomes = Outcomes("binary", np.array([0, 1]), np.array([0, 1]))
    with pytest.raises(AuditError, match=name):
        compute_metric(name, outcomes)


def test_outcomes_refuse_missing_values_and_odd_lengths():
    with pytest.raises(AuditError, match="infinite"):
        Outcomes("binary", np.array([0, 1]), None, np.array([0.1, np.nan]))
    with pytest.raises(AuditError, match="has 3 rows"):
        Outcomes("binary", np.array([0, 1]), np.array([0, 1, 1]))


def test_registry_rows_are_complete():
    for name, metric in METRICS.items():
        assert name == metric.name
        assert metric.title
        assert metric.formula
        assert metric.range[0] < metric.range[1]
