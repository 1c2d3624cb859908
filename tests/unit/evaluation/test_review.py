"""The queue of rows that are not sure enough: counts, the curve, and groups."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from automl.evaluation.review import (
    MOST_LEVELS,
    compute_confidence,
    compute_coverage_accuracy,
    compute_review,
)
from fairness.groups import build_grouping
from fairness.intervals import compute_wilson

CONFIDENCE = np.array([0.9, 0.7, 0.6, 0.9, 0.5])
RIGHT = np.array([True, False, True, True, False])


def test_the_limit_itself_is_decided_by_the_model():
    group = build_grouping("sex", pd.Series(["f", "f", "m", "m", "m"]))
    found = compute_review(CONFIDENCE, RIGHT, 0.7, [group])
    assert found.queued == compute_wilson(2, 5)
    assert found.kept_accuracy == compute_wilson(2, 3)
    assert found.queued_accuracy == compute_wilson(1, 2)
    groups = found.groups.set_index(["attribute", "group"])
    assert groups.loc[("sex", "m"), ["n", "k"]].tolist() == [3, 2]
    assert groups.loc[("sex", "f"), ["n", "k"]].tolist() == [2, 0]
    kept = found.kept_groups.set_index("group")
    assert kept.loc["m", ["n", "k"]].tolist() == [1, 1]
    assert kept.loc["f", ["n", "k"]].tolist() == [2, 1]


def test_a_part_without_rows_has_no_accuracy():
    assert compute_review(CONFIDENCE, RIGHT, 0.1).queued_accuracy.value is None
    assert compute_review(CONFIDENCE, RIGHT, 1.0).kept_accuracy.value is None


def test_the_curve_counts_equals_together():
    curve = compute_coverage_accuracy(CONFIDENCE, RIGHT)
    assert curve["limit"].tolist() == [0.9, 0.7, 0.6, 0.5]
    assert curve["n"].tolist() == [2, 3, 4, 5]
    assert curve["k"].tolist() == [2, 2, 3, 3]
    assert curve["low"].iloc[-1] == compute_wilson(3, 5).low


def test_the_kept_part_is_righter_the_higher_the_limit_on_calibrated_rows():
    rng = np.random.default_rng(0)
    share = rng.uniform(0, 1, 20_000)
    probability = np.column_stack([1 - share, share])
    is_right = (rng.random(20_000) < share) == (share >= 0.5)
    confidence = compute_confidence(probability)
    curve = compute_coverage_accuracy(confidence, is_right)
    assert len(curve) <= MOST_LEVELS
    kept = [compute_review(confidence, is_right, limit).kept_accuracy for limit in (0.5, 0.6, 0.7, 0.8, 0.9)]  # fmt: skip
    assert all(low.high < high.low for low, high in pairwise(kept))
    at = curve.iloc[(curve["limit"] - 0.7).abs().argmin()]
    assert at["accuracy"] == pytest.approx(kept[2].value, abs=0.01)
