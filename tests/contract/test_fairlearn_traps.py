"""Fairlearn as oracle, and its traps: a failure after an upgrade means re-reading the row in the reference.

Every count metric of ours equals Fairlearn's where both exist; where a denominator is zero ours says so.
"""

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fl
from sklearn.metrics import precision_score, recall_score

from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit
from fairness.errors import AuditError
from fairness.groups import build_grouping

FRAME_METRICS = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "true_negative_rate": fl.true_negative_rate,
    "false_negative_rate": fl.false_negative_rate,
}
SCALARS = {
    "demographic_parity_difference": fl.demographic_parity_difference,
    "demographic_parity_ratio": fl.demographic_parity_ratio,
    "equal_opportunity_difference": fl.equal_opportunity_difference,
    "equal_opportunity_ratio": fl.equal_opportunity_ratio,
    "equalized_odds_difference": fl.equalized_odds_difference,
    "equalized_odds_ratio": fl.equalized_odds_ratio,
}


def _audit(y, d, g, score=None) -> Audit:
    return compute_audit(
        AuditInput(
            truth=np.asarray(y),
            prediction=np.asarray(d),
            score=score,
            attributes=pd.DataFrame({"g": list(g)}),
        ),
        AuditOptions(positive="1"),
    )


def _rows(seed, groups="abcd", n=400):
    generator = np.random.default_rng(seed)
    return (
        generator.integers(0, 2, n),
        generator.integers(0, 2, n),
        generator.choice(list(groups), n, p=np.arange(1, len(groups) + 1) / sum(range(1, len(groups) + 1))),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_rates_equal_metric_frame(seed):
    y, d, g = _rows(seed)
    audit = _audit(y, d, g)
    frame = fl.MetricFrame(metrics=FRAME_METRICS, y_true=y, y_pred=d, sensitive_features=g)
    for name in FRAME_METRICS:
        assert audit.overall.metrics[name].value == pytest.approx(frame.overall[name])
        for group, value in frame.by_group[name].items():
            assert audit.find_group("g", group).metrics[name].value == pytest.approx(value)
        if name == "true_negative_rate":  # the complement is shown instead
            continue
        extreme = audit.find_extreme("g", name)
        assert extreme.all_groups.value == pytest.approx(frame.difference()[name])
        assert extreme.to_overall == pytest.approx(frame.difference(method="to_overall")[name])


@pytest.mark.parametrize("seed", range(4))
def test_named_metrics_equal_fairlearn_scalars(seed):
    y, d, g = _rows(seed)
    audit = _audit(y, d, g)
    for name, compute in SCALARS.items():
        expected = compute(y, d, sensitive_features=g)
        assert audit.find_extreme("g", name).all_groups.value == pytest.approx(expected), name
    for name in ("equalized_odds_difference", "equalized_odds_ratio"):
        expected = SCALARS[name](y, d, sensitive_features=g, agg="mean")
        assert audit.find_extreme("g", f"{name}_mean").all_groups.value == pytest.approx(expected)


def test_trap_1_missing_group_values_are_refused_there_and_a_group_here():
    y, d, g = [0, 1, 0, 1], [0, 1, 1, 1], ["a", "b", None, "a"]
    with pytest.raises(ValueError, match=r"(?i)nan|missing|none"):
        fl.MetricFrame(metrics=fl.selection_rate, y_true=y, y_pred=d, sensitive_features=g)
    audit = _audit(y, d, g)
    assert sum(group.n for group in audit.by_group) == 4
    assert audit.find_group("g", "(missing)").n == 1


def test_trap_2_no_positives_is_zero_there_and_not_estimable_here():
    y, d, g = [0, 0, 0, 1, 1, 0], [0, 1, 0, 1, 0, 0], list("aaabbb")
    frame = fl.MetricFrame(
        metrics={"tpr": fl.true_positive_rate, "fnr": fl.false_negative_rate},
        y_true=y, y_pred=d, sensitive_features=g,
    )  # fmt: skip
    assert frame.by_group.loc["a"].tolist() == [0, 0]
    assert fl.equal_opportunity_difference(y, d, sensitive_features=g) == 0.5
    spread = _audit(y, d, g).find_extreme("g", "equal_opportunity_difference").all_groups
    assert spread.value is None
    assert "a" in spread.excluded


def test_trap_3_skipped_groups_are_listed_here():
    generator = np.random.default_rng(0)
    y = np.array([0, 1] * 20 + [1] * 5)
    g = ["a"] * 20 + ["b"] * 20 + ["c"] * 5
    spread = _audit(y, y, g, generator.random(45)).find_extreme("g", "roc_auc").all_groups
    assert spread.excluded == {"c": "no negative labels"}
    assert spread.value is not None


def test_trap_5_the_interval_of_a_signed_gap_can_include_zero():
    y, d, g = _rows(11, "ab")
    gap = _audit(y, d, g).find_gap("g", "selection_rate", "a").estimate
    assert gap.low < 0 < gap.high


def test_trap_8_text_labels_select_nobody_there_and_are_refused_here():
    labels = np.array(["yes", "no", "yes"])
    assert fl.selection_rate(labels, labels) == 0.0
    with pytest.raises(AuditError, match="positive value"):
        _audit(labels, labels, "aab")
    assert fl.selection_rate([0, 1, 1], [0.9, 0.8, 1.0]) == pytest.approx(1 / 3)
    with pytest.raises(AuditError, match=r"found 0\.8"):
        _audit([0, 1, 1], [0.9, 0.8, 1.0], "aab")


def test_trap_9_our_groups_have_one_shape():
    single = fl.MetricFrame(
        metrics=fl.selection_rate, y_true=[0, 1], y_pred=[0, 1], sensitive_features=["a", "b"]
    )
    assert isinstance(single.overall, float)
    audit = _audit([0, 1], [0, 1], "ab")
    assert isinstance(audit.overall.metrics, dict)


def test_trap_25_names_and_indices_of_columns_do_not_matter():
    y = pd.Series([0, 1, 1, 0], name="y_true", index=[9, 8, 7, 6])
    audit = compute_audit(
        AuditInput(
            truth=y.to_numpy(),
            prediction=y.to_numpy(),
            score=None,
            attributes=pd.DataFrame({"y_pred": list("abab")}, index=[3, 2, 1, 0]),
        ),
        AuditOptions(positive="1"),
    )
    assert tuple(audit.find_group("y_pred", "a").counts.table) == (1, 0, 0, 1)


def test_trap_26_continuous_columns_are_binned_and_1_is_one_group():
    values = list(range(100))
    frame = fl.MetricFrame(
        metrics=fl.selection_rate, y_true=[0, 1] * 50, y_pred=[0, 1] * 50, sensitive_features=values
    )
    assert len(frame.by_group) == 100
    assert len(build_grouping("x", pd.Series(values)).names) == 4
    assert build_grouping("x", pd.Series([1, "1"], dtype=object)).names == ("1",)


def test_trap_28_precision_without_flagged_rows():
    y, d = [0, 1, 1, 0], [0, 0, 0, 0]
    with pytest.warns(UserWarning, match="ill-defined"):
        assert precision_score(y, d) == 0.0
    assert recall_score(y, d) == 0.0
    precision = _audit(y, d, "aabb").overall.metrics["precision"]
    assert (precision.value, precision.reason) == (None, "no flagged rows")
