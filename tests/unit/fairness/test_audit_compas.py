"""COMPAS, all 7,214 rows: the reference table and the reference gaps. Teaching data with known defects."""

import json

import numpy as np
import pytest

from fairness.intervals import compute_auc_difference, compute_auc_influence
from fairness.reliability import (
    compute_decomposition,
    compute_ece,
    compute_reliability,
    compute_slope,
    compute_spiegelhalter,
)

DIGIT = 5e-5
COUNTS = {  # tn fp fn tp, then fpr fnr ppv npv
    ("", ""): ((2681, 1282, 1216, 2035), (0.3235, 0.3740, 0.6135, 0.6880)),
    ("race", "African-American"): ((990, 805, 532, 1369), (0.4485, 0.2799, 0.6297, 0.6505)),
    ("race", "Caucasian"): ((1139, 349, 461, 505), (0.2345, 0.4772, 0.5913, 0.7119)),
    ("race", "Hispanic"): ((318, 87, 129, 103), (0.2148, 0.5560, 0.5421, 0.7114)),
    ("race", "Other"): ((208, 36, 90, 43), (0.1475, 0.6767, 0.5443, 0.6980)),
    ("race", "Asian"): ((21, 2, 3, 6), (0.0870, 0.3333, 0.7500, 0.8750)),
    ("race", "Native American"): ((5, 3, 1, 9), (0.3750, 0.1000, 0.7500, 0.8333)),
    ("sex", "Female"): ((609, 288, 195, 303), (0.3211, 0.3916, 0.5127, 0.7575)),
    ("sex", "Male"): ((2072, 994, 1021, 1732), (0.3242, 0.3709, 0.6354, 0.6699)),
    ("age_cat", "25 - 45"): ((1479, 741, 706, 1183), (0.3338, 0.3737, 0.6149, 0.6769)),
    ("age_cat", "Greater than 45"): ((897, 181, 285, 213), (0.1679, 0.5723, 0.5406, 0.7589)),
    ("age_cat", "Less than 25"): ((305, 360, 225, 639), (0.5414, 0.2604, 0.6396, 0.5755)),
}
RATES = ("false_positive_rate", "false_negative_rate", "precision", "negative_predictive_value")


@pytest.mark.parametrize("key", COUNTS)
def test_counts_and_rates(compas, key):
    group = compas.find_group(*key) if key[0] else compas.overall
    counts, rates = COUNTS[key]
    assert (group.counts.tn, group.counts.fp, group.counts.fn, group.counts.tp) == counts
    found = [group.metrics[name].value for name in RATES]
    assert found == pytest.approx(rates, abs=DIGIT + 1e-12)


def test_every_row_has_a_group(compas):
    for attribute in ("race", "sex", "age_cat"):
        assert sum(group.n for group in compas.list_groups(attribute)) == 7214


def test_small_groups_stay_with_their_numbers_and_are_marked(compas):
    asian = compas.find_group("race", "Asian").metrics["false_positive_rate"]
    assert (asian.value, asian.reason) == (2 / 23, "few cases: 23")
    assert compas.find_group("race", "Native American").is_small
    assert compas.find_group("race", "Caucasian").metrics["precision"].reason == ""


EXTREMES = [  # C1 – C6; large groups are the four races with enough cases
    ("race", "demographic_parity_difference", 0.457118),
    ("race", "demographic_parity_ratio", 0.314324),
    ("race", "equal_opportunity_difference", 0.576692),
    ("race", "equal_opportunity_ratio", 0.359231),
    ("race", "predictive_equality_difference", 0.361511),
    ("race", "predictive_equality_ratio", 0.193897),
    ("race", "equalized_odds_difference", 0.576692),
    ("race", "equalized_odds_difference_mean", 0.469102),
    ("race", "equalized_odds_ratio", 0.193897),
    ("race", "equalized_odds_ratio_mean", 0.276564),
    ("sex", "demographic_parity_difference", 0.044809),
    ("sex", "demographic_parity_ratio", 0.904348),
    ("sex", "equalized_odds_difference", 0.020698),
    ("sex", "equalized_odds_difference_mean", 0.011914),
    ("age_cat", "demographic_parity_difference", 0.403368),
    ("age_cat", "demographic_parity_ratio", 0.382633),
    ("age_cat", "equalized_odds_difference", 0.373450),
    ("age_cat", "equalized_odds_difference_mean", 0.342661),
    ("age_cat", "equal_opportunity_difference", 0.311872),
]
LARGE = [
    ("equal_opportunity_difference", 0.396839),
    ("equal_opportunity_ratio", 0.448947),
    ("predictive_equality_difference", 0.300927),
    ("predictive_equality_ratio", 0.328989),
    ("equalized_odds_difference", 0.396839),
    ("equalized_odds_difference_mean", 0.348883),
    ("equalized_odds_ratio", 0.328989),
    ("equalized_odds_ratio_mean", 0.388968),
]


@pytest.mark.parametrize(("attribute", "metric", "value"), EXTREMES)
def test_extremes_over_all_groups(compas, attribute, metric, value):
    assert compas.find_extreme(attribute, metric).all_groups.value == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(("metric", "value"), LARGE)
def test_extremes_over_groups_with_enough_cases(compas, metric, value):
    spread = compas.find_extreme("race", metric).large_groups
    assert spread.value == pytest.approx(value, abs=1e-6)
    assert set(spread.excluded) == {"Asian", "Native American"}


def test_distance_to_all_rows(compas):
    expected = {
        "demographic_parity": (0.250251, 0.455739),
        "equal_opportunity": (0.302653, 0.516499),
        "predictive_equality": (0.236536, 0.268806),
    }
    for name, (difference, ratio) in expected.items():
        found = [compas.find_extreme("race", f"{name}_{k}").to_overall for k in ("difference", "ratio")]  # fmt: skip
        assert found == pytest.approx([difference, ratio], abs=1e-6)


def test_signed_gaps_between_two_groups(compas):
    group = "African-American"
    values = {
        ("selection_rate", "difference"): 0.240200,
        ("selection_rate", "ratio"): 1.690224,
        ("average_odds_difference", "difference"): 0.205649,
        ("true_positive_rate", "difference"): 0.197373,
    }
    for (metric, kind), value in values.items():
        gap = compas.find_gap("race", metric, group, kind)
        assert gap.estimate.value == pytest.approx(value, abs=1e-6)
        assert gap.reference == "Caucasian"


def test_impact_ratio_uses_the_beneficial_decision(compas):
    rates = {g.group: 1 - g.metrics["selection_rate"].value for g in compas.list_groups("race")}
    assert rates["African-American"] / rates["Caucasian"] == pytest.approx(0.631593, abs=1e-6)
    spread = compas.find_extreme("race", "impact_ratio").all_groups
    assert spread.value == pytest.approx(min(rates.values()) / max(rates.values()))
    assert (spread.min_group, spread.max_group) == ("Native American", "Other")


def test_intervals_of_the_gaps(compas):
    fpr, ratio, fnr, ppv = (
        compas.find_gap("race", metric, "African-American", kind).estimate
        for metric, kind in (
            ("false_positive_rate", "difference"),
            ("false_positive_rate", "ratio"),
            ("false_negative_rate", "difference"),
            ("precision", "difference"),
        )
    )
    assert (fpr.value, fpr.low, fpr.high) == pytest.approx((0.2139, 0.1821, 0.2450), abs=DIGIT)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx(
        (1.9121, 1.7212, 2.1241), abs=DIGIT
    )
    assert (fnr.value, fnr.low, fnr.high) == pytest.approx((-0.1974, -0.2346, -0.1599), abs=DIGIT)
    assert (ppv.value, ppv.low, ppv.high) == pytest.approx((0.0384, -0.0000, 0.0773), abs=DIGIT)
    black = compas.find_group("race", "African-American").metrics["false_positive_rate"]
    white = compas.find_group("race", "Caucasian").metrics["false_positive_rate"]
    assert (black.low, black.high) == pytest.approx((0.4256, 0.4716), abs=DIGIT)
    assert (white.low, white.high) == pytest.approx((0.2137, 0.2567), abs=DIGIT)


@pytest.mark.parametrize(
    ("metric", "mean", "high", "p"),
    [
        ("false_positive_rate", 0.197, 0.391, 0.069),
        ("true_positive_rate", 0.234, 0.456, 0.011),
        ("selection_rate", 0.152, 0.299, 0.002),
    ],
)
def test_noise_floor(compas, metric, mean, high, p):
    spread = compas.find_extreme("race", metric).all_groups
    found = (spread.floor_mean, spread.floor_95, spread.p_value)
    assert found == pytest.approx((mean, high, p), abs=0.006)


def test_noise_floor_of_the_groups_with_enough_cases(compas):
    spread = compas.find_extreme("race", "false_positive_rate").large_groups
    assert (spread.floor_mean, spread.floor_95) == pytest.approx((0.042, 0.080), abs=0.006)


def test_auc(compas, compas_frame):
    y, decile = compas_frame["two_year_recid"].to_numpy(), compas_frame["decile_score"].to_numpy()
    expected = {
        None: (0.702166, 0.006089),
        "African-American": (0.691834, 0.008562),
        "Caucasian": (0.693146, 0.010797),
        "Hispanic": (0.637926, 0.022636),
    }
    for group, (value, error) in expected.items():
        inside = (
            np.ones(len(y), bool) if group is None else (compas_frame["race"] == group).to_numpy()
        )
        auc, influence = compute_auc_influence(y[inside], decile[inside])
        assert (auc, np.sqrt((influence**2).sum())) == pytest.approx((value, error), abs=1e-6)
    black, white = (
        (compas_frame["race"] == g).to_numpy() for g in ("African-American", "Caucasian")
    )
    gap = compute_auc_difference(y[black], decile[black], y[white], decile[white])
    assert (gap.value, gap.low, gap.high) == pytest.approx((-0.0013, -0.0283, 0.0257), abs=DIGIT)


def test_auc_of_a_tiny_group_stays_inside_the_unit_interval(compas):
    auc = compas.find_group("race", "Native American").metrics["roc_auc"]
    assert (auc.low, auc.high) == pytest.approx((0.570, 0.964), abs=6e-4)


@pytest.mark.parametrize(
    ("group", "parts"),
    [
        (None, (0.229465, 0.012652, 0.030751, 0.247565)),
        ("African-American", (0.235955, 0.014483, 0.028323, 0.249794)),
        ("Caucasian", (0.221320, 0.010247, 0.027615, 0.238688)),
    ],
)
def test_brier_decomposition(compas_frame, group, parts):
    frame = compas_frame if group is None else compas_frame[compas_frame["race"] == group]
    found = compute_decomposition(frame["two_year_recid"], frame["decile_score"] / 10)
    assert (
        found.score, found.miscalibration, found.discrimination, found.uncertainty
    ) == pytest.approx(parts, abs=1e-6)  # fmt: skip


def test_calibration_header(compas_frame):
    y, p = compas_frame["two_year_recid"], (compas_frame["decile_score"] - 0.5) / 10
    brier, log_loss = compute_decomposition(y, p), compute_decomposition(y, p, "log_loss")
    assert (brier.score, brier.miscalibration) == pytest.approx((0.231934, 0.015121), abs=1e-6)
    assert (
        log_loss.score, log_loss.miscalibration, log_loss.discrimination, log_loss.uncertainty
    ) == pytest.approx((0.688934, 0.065227, 0.064561, 0.688269), abs=1e-6)  # fmt: skip
    slope = compute_slope(y, p)
    assert (slope.slope, slope.slope_error, slope.intercept, slope.in_the_large) == pytest.approx(
        (0.467657, 0.016623, 0.055000, 0.309201), abs=1e-6
    )
    assert y.mean() / p.mean() == pytest.approx(1.123941, abs=1e-6)
    assert compute_spiegelhalter(y, p) == pytest.approx(33.399, abs=5e-4)


def test_calibration_by_group(compas_frame):
    expected = {
        "African-American": (0.104145, 0.462124),
        "Caucasian": (0.012238, 0.470559),
        "Hispanic": (-0.203160, 0.321458),
    }
    for group, pair in expected.items():
        frame = compas_frame[compas_frame["race"] == group]
        slope = compute_slope(frame["two_year_recid"], (frame["decile_score"] - 0.5) / 10)
        assert (slope.intercept, slope.slope) == pytest.approx(pair, abs=1e-6)


def test_curve_is_the_observed_rate_by_decile(compas_frame):
    curve = compute_reliability(compas_frame["two_year_recid"], compas_frame["decile_score"] / 10)
    assert curve["observed"].tolist() == pytest.approx(
        [0.2139, 0.3114, 0.3762, 0.4343, 0.4787, 0.5585, 0.5912, 0.6836, 0.6988, 0.7728], abs=DIGIT
    )
    ece = compute_ece(compas_frame["two_year_recid"], compas_frame["decile_score"] / 10)
    assert ece == pytest.approx(0.097921, abs=1e-6)


def test_json_follows_the_schema(compas):
    document = json.loads(json.dumps(compas.to_json(), allow_nan=False))
    assert list(document) == [
        "schema_version", "provenance", "task", "positive", "beneficial", "threshold", "protocol",
        "overall", "by_group", "counts", "gaps", "extremes", "calibration", "cross_check", "mitigation",
        "definitions", "warnings",
    ]  # fmt: skip
    row = next(r for r in document["by_group"] if r["group"] == "Asian")
    assert {"attribute", "group", "n", "metrics"} <= set(row)
    assert set(row["metrics"]["false_positive_rate"]) == {
        "value", "low", "high", "n", "numerator", "denominator", "method", "status", "reason",
    }  # fmt: skip
    asian = {"attribute": "race", "group": "Asian", "tn": 21, "fp": 2, "fn": 3, "tp": 6}
    assert asian in document["counts"]
    assert {
        "attribute", "metric", "kind", "group", "reference", "value", "low", "high", "method",
        "status", "reason",
    } <= set(document["gaps"][0])  # fmt: skip
    assert {
        "attribute", "metric", "max_group", "min_group", "value", "floor_mean", "floor_95", "excluded",
    } <= set(document["extremes"][0])  # fmt: skip
    assert len({(e["attribute"], e["metric"]) for e in document["extremes"]}) == len(document["extremes"])  # fmt: skip


def test_aequitas_ratios(compas_frame):
    """Published in the Aequitas demo, against African-American."""
    from fairness.audit import AuditInput, AuditOptions, compute_audit

    audit = compute_audit(
        AuditInput(
            truth=compas_frame["two_year_recid"].to_numpy(),
            prediction=compas_frame["score_text"].isin(["Medium", "High"]).to_numpy(),
            score=None,
            attributes=compas_frame[["race"]],
        ),
        AuditOptions(positive="1", references={"race": "African-American"}),
    )
    expected = {
        "selection_rate": 0.591638,
        "false_positive_rate": 0.522987,
        "false_negative_rate": 1.705274,
        "false_omission_rate": 0.824297,
    }
    for metric, value in expected.items():
        found = audit.find_gap("race", metric, "Caucasian", "ratio").estimate.value
        assert found == pytest.approx(value, abs=1e-6)
    assert audit.calibration_reason == "no scores were given"
