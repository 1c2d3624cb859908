"""Audits of small tables with known answers, of Adult and German credit, and of bad input."""

import numpy as np
import pandas as pd
import pytest

from fairness.audit import AuditInput, AuditOptions, compute_audit
from fairness.errors import AuditError


def _rates(group):
    names = ("true_positive_rate", "false_positive_rate", "selection_rate")
    return [group.metrics[name].value for name in names]


def test_inline_rates_and_gaps(inline):
    assert _rates(inline.overall) == pytest.approx([0.5, 0.666667, 0.555556], abs=1e-6)
    expected = {"a": ([0.5, 1, 0.75], 4), "b": ([0.6, 0, 0.5], 6), "c": ([0.4, 0.666667, 0.5], 8)}
    for name, (rates, n) in expected.items():
        group = inline.find_group("g", name)
        assert _rates(group) == pytest.approx(rates, abs=1e-6)
        assert group.n == n
    values = {
        "demographic_parity_difference": 0.25,
        "demographic_parity_ratio": 0.666667,
        "equalized_odds_difference": 1,
        "equalized_odds_difference_mean": 0.6,
        "equalized_odds_ratio": 0,
        "equal_opportunity_difference": 0.2,
        "equal_opportunity_ratio": 0.666667,
    }
    for metric, value in values.items():
        assert inline.find_extreme("g", metric).all_groups.value == pytest.approx(value, abs=1e-6)
    to_overall = [
        inline.find_extreme("g", f"{name}_difference").to_overall
        for name in ("equal_opportunity", "demographic_parity")
    ]
    assert to_overall == pytest.approx([0.1, 0.194444], abs=1e-6)
    assert inline.find_extreme("g", "equal_opportunity_ratio").to_overall == pytest.approx(0.8)


def test_a_group_without_positives_is_not_estimable_and_listed(inline_empty):
    group = inline_empty.find_group("g", "a")
    for name in ("true_positive_rate", "false_negative_rate"):
        assert group.metrics[name].value is None
        assert group.metrics[name].reason == "no positive labels"
    spread = inline_empty.find_extreme("g", "equal_opportunity_difference").all_groups
    assert spread.value is None
    assert spread.excluded == {"a": "no positive labels"}
    gap = inline_empty.find_gap("g", "true_positive_rate", "b")
    assert gap.estimate.value is None
    assert gap.estimate.reason == "no positive labels in a"
    assert any("not estimable for a" in text for text in inline_empty.warnings)


def test_one_group_has_no_gap(audit_rows):
    audit = audit_rows("0101", "0110", "aaaa")
    assert audit.find_extreme("g", "demographic_parity_difference").all_groups.value == 0
    assert audit.gaps == ()


def test_no_score_leaves_auc_out(inline):
    assert inline.overall.metrics["roc_auc"].reason == "no scores were given"
    assert inline.calibration == ()


def test_ranking_score_has_auc_but_no_calibration():
    audit = compute_audit(
        AuditInput(
            truth=np.array([0, 1, 0, 1, 1, 0]),
            prediction=np.array([0, 1, 0, 1, 0, 1]),
            score=np.array([1.0, 9, 2, 8, 3, 7]),
            attributes=pd.DataFrame({"g": list("aabbab")}),
            score_is_probability=False,
        ),
        AuditOptions(positive="1", threshold=5.0),
    )
    assert audit.overall.metrics["roc_auc"].value == pytest.approx(8 / 9)
    assert audit.overall.metrics["brier_score"].reason.startswith("the score is a ranking score")
    calibration = audit.to_json()["calibration"]
    assert calibration["status"] == "not_estimable"
    assert calibration["groups"] == []


def test_impact_ratio_needs_a_beneficial_outcome(audit_rows):
    rows = ("010101", "011001", "aaabbb")
    unstated = audit_rows(*rows).find_extreme("g", "impact_ratio").all_groups
    assert "beneficial" in unstated.reason
    flag = audit_rows(*rows, beneficial="1").find_extreme("g", "impact_ratio").all_groups
    assert flag.value == pytest.approx(0.5)


def test_missing_values_are_a_group_of_their_own(audit_rows):
    audit = audit_rows("0101", "0110", ["x", None, "x", np.nan])
    assert [(g.group, g.n) for g in audit.list_groups("g")] == [("x", 2), ("(missing)", 2)]
    assert any("2 missing values" in text for text in audit.warnings)


def test_reference_is_the_largest_group_unless_named(audit_rows):
    rows = ("01010", "01100", "aabbb")
    assert audit_rows(*rows).references == {"g": "b"}
    assert audit_rows(*rows, references={"g": "a"}).references == {"g": "a"}


@pytest.mark.parametrize(
    ("references", "text"), [({"g": "z"}, "'z' does not occur"), ({"h": "a"}, "'h', which is not")]
)
def test_unknown_reference_is_named(audit_rows, references, text):
    with pytest.raises(AuditError, match=text):
        audit_rows("0101", "0110", "aabb", references=references)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"truth": np.array(["yes", "no"])}, "'yes'|yes"),
        ({"prediction": np.array([0.2, 0.9])}, "found 0.2"),
        ({"score": np.array([0.1, np.inf])}, "infinite"),
        ({"score": np.array([0.1, 7.0])}, "0.1 to 7"),
        ({"score": np.array([0.1])}, "1 rows"),
        ({"attributes": pd.DataFrame({"g": ["a"]})}, "1 rows"),
        ({"truth": np.array([])}, "no rows"),
    ],
)
def test_bad_rows_are_refused_by_value(change, text):
    good = {
        "truth": np.array([0, 1]),
        "prediction": np.array([0, 1]),
        "score": None,
        "attributes": pd.DataFrame({"g": ["a", "b"]}),
    }
    with pytest.raises(AuditError, match=text):
        AuditInput(**{**good, **change})


def test_one_person_flip_is_said(audit_rows):
    audit = audit_rows("01" * 10, "1" + "0" * 9 + "1" * 2 + "0" * 8, "a" * 10 + "b" * 10)
    assert any("one person would change" in text for text in audit.warnings)


def test_holm_is_never_below_the_raw_p(audit_rows):
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 600)
    decision = generator.integers(0, 2, 600)
    audit = audit_rows(truth, decision, generator.choice(list("abc"), 600))
    pairs = [(g.p_value, g.p_holm) for g in audit.gaps if g.p_holm is not None]
    assert pairs
    assert all(holm >= raw for raw, holm in pairs)


def _adult(data_folder):
    frame = pd.read_csv(
        data_folder / "adult_test.csv", usecols=["education-num", "sex", "race", "income"],
        skipinitialspace=True,
    )  # fmt: skip
    return compute_audit(
        AuditInput(
            truth=(frame["income"].str.strip(" .") == ">50K").to_numpy(),
            prediction=(frame["education-num"] >= 13).to_numpy(),
            score=None,
            attributes=frame[["sex", "race"]],
        ),
        AuditOptions(positive=">50K", beneficial=">50K"),
    )


def test_adult(data_folder):
    audit = _adult(data_folder)
    counts = {
        ("sex", "Female"): (3925, 906, 262, 328),
        ("sex", "Male"): (6378, 1226, 1673, 1583),
        ("race", "Amer-Indian-Eskimo"): (127, 13, 16, 3),
        ("race", "Asian-Pac-Islander"): (229, 118, 45, 88),
        ("race", "Black"): (1216, 166, 103, 76),
        ("race", "Other"): (98, 12, 12, 13),
        ("race", "White"): (8633, 1823, 1759, 1731),
    }
    for key, expected in counts.items():
        assert tuple(audit.find_group(*key).counts.table) == expected
    values = {
        ("sex", "demographic_parity_difference"): 0.031022,
        ("sex", "demographic_parity_ratio"): 0.880063,
        ("sex", "equal_opportunity_difference"): 0.069753,
        ("sex", "equalized_odds_difference"): 0.069753,
        ("sex", "equalized_odds_difference_mean"): 0.048030,
        ("race", "demographic_parity_difference"): 0.328538,
        ("race", "demographic_parity_ratio"): 0.234475,
        ("race", "equalized_odds_difference"): 0.503759,
        ("race", "equalized_odds_difference_mean"): 0.375480,
    }
    for key, value in values.items():
        assert audit.find_extreme(*key).all_groups.value == pytest.approx(value, abs=1e-6)
    assert audit.overall.metrics["accuracy"].value == pytest.approx(0.7502, abs=5e-5)


def test_german_label_rate_by_sex(data_folder):
    frame = pd.read_csv(data_folder / "german_credit.csv")
    column = next(c for c in frame.columns if c in ("sex", "gender"))
    good = (frame["class-label"] == 1).astype(int).to_numpy()
    audit = compute_audit(
        AuditInput(truth=good, prediction=good, score=None, attributes=frame[[column]]),
        AuditOptions(positive="1"),
    )
    women = min(audit.list_groups(column), key=lambda group: group.n)
    base_rate = women.metrics["base_rate"]
    assert (base_rate.numerator, base_rate.denominator) == (201, 310)
    gap = audit.find_gap(column, "base_rate", women.group).estimate
    assert gap.value == pytest.approx(-0.074801, abs=1e-6)
    assert (gap.low, gap.high) == pytest.approx((-0.1382, -0.0132), abs=5e-5)
