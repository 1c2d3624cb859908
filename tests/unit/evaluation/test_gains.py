"""Gain, lift and KS: by hand, against chance, and against the ROC curve."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from automl.evaluation.gains import SHARES, compute_gain, compute_gain_table, compute_separation
from fairness.intervals import compute_wilson


def test_ten_rows_by_hand():
    positive = np.array([1, 1, 0, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
    score = np.arange(10, 0, -1) / 10
    frame = compute_gain(positive, score, "a")
    at_three = frame[np.isclose(frame["share"], 0.3)].iloc[0]
    assert (at_three["found"], at_three["lift"]) == pytest.approx((0.5, 0.5 / 0.3))
    assert at_three["threshold"] == pytest.approx(0.8)
    table = compute_gain_table(positive, score, "a").set_index("share")
    wilson = compute_wilson(2, 4)
    assert table.loc[0.2, ["found", "found_low", "found_high"]].tolist() == pytest.approx([0.5, wilson.low, wilson.high])  # fmt: skip
    assert table.loc[0.2, "lift_high"] == pytest.approx(wilson.high * 5)
    assert table["n_positive"].tolist() == [4] * len(SHARES)


def test_a_constant_score_is_chance():
    positive = np.arange(1_000) % 4 == 0
    table = compute_gain_table(positive, np.full(1_000, 0.25), "constant")
    assert table["found"].tolist() == pytest.approx(list(SHARES), abs=0.005)
    assert (table["lift_low"] <= 1).all()
    assert (table["lift_high"] >= 1).all()
    assert compute_separation(positive, np.full(1_000, 0.25), "constant")["ks"].iloc[0] == 0


def test_the_distance_is_that_of_two_samples():
    generator = np.random.default_rng(0)
    positive = generator.random(400) < 0.3
    score = np.round(generator.normal(positive * 1.0, 1), 1)
    row = compute_separation(positive, score, "a").iloc[0]
    wanted = ks_2samp(score[positive], score[~positive], alternative="less").statistic
    assert row["ks"] == pytest.approx(wanted)
    assert row["low"] < row["ks"] < row["high"]
    chosen = score >= row["threshold"]
    assert chosen[positive].mean() - chosen[~positive].mean() == pytest.approx(row["ks"])


@pytest.mark.parametrize("compute", [compute_gain, compute_gain_table, compute_separation])
def test_one_class_has_no_curve(compute):
    assert compute(np.zeros(5, dtype=bool), np.arange(5.0), "a").empty
