"""The audit of several classes: counts first, planted differences found, chance not taken for one."""

import json
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, recall_score

from fairness.audit import compute_audit
from fairness.class_audit import ClassInput, ClassOptions, compute_class_audit
from fairness.class_crosscheck import compute_class_cross_check
from fairness.class_gaps import MACRO, compute_accuracy_extreme, estimate_macro_recall
from fairness.class_tables import (
    build_class_frame,
    build_class_gap_frame,
    render_class_counts_csv,
    render_class_metrics_csv,
)
from fairness.class_wording import describe_findings, describe_shift
from fairness.context import ReportContext
from fairness.errors import AuditError
from fairness.frames import build_group_frame
from fairness.wording import find_forbidden

CLASSES = ("cat", "dog", "frog", "<ship>")
OPTIONS = ClassOptions(references={})


def make_rows(n=1_200, planted=0.0, seed=0, k=4):
    """Pictures of which the dark ones of class 0 are taken for class 1 with a chance ``planted``."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    brightness = rng.choice(["dark", "bright", "mid"], n, p=[0.3, 0.5, 0.2])
    wrong = rng.random(n) < 0.2
    prediction = np.where(wrong, (truth + rng.integers(1, k, n)) % k, truth)
    hit = (brightness == "dark") & (truth == 0) & (rng.random(n) < planted)
    prediction[hit] = 1
    probability = rng.dirichlet(np.ones(k), n)
    return ClassInput(
        truth=truth, prediction=prediction, classes=CLASSES[:k], probability=probability,
        attributes=pd.DataFrame({"picture_brightness": brightness}),
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return make_rows(planted=0.6)


@pytest.fixture(scope="module")
def audit(rows):
    return compute_class_audit(rows, OPTIONS)


def test_accuracy_and_macro_recall_by_group_are_those_of_fairlearn(rows, audit):
    def macro(truth, prediction):
        return recall_score(truth, prediction, average="macro", labels=np.unique(truth))

    frame = MetricFrame(
        metrics={"accuracy": accuracy_score, MACRO: macro},
        y_true=rows.truth, y_pred=rows.prediction,
        sensitive_features=rows.attributes["picture_brightness"],
    )  # fmt: skip
    for group in audit.by_group:
        for metric in ("accuracy", MACRO):
            ours = group.metrics[metric]
            assert ours.value == pytest.approx(frame.by_group.loc[group.group, metric], abs=1e-12)
            assert ours.low < ours.value < ours.high
            assert ours.n == group.n
    check = compute_class_cross_check(audit, rows)
    assert check.n_compared == 2 * 4
    assert check.largest_difference < 1e-12
    assert check.warnings == ()


def test_a_wrong_number_is_told_by_the_cross_check(rows, audit):
    other = compute_class_cross_check(audit, make_rows(planted=0.0))
    assert other.warnings
    assert "accuracy of" in other.where or "macro recall of" in other.where


def test_tables_add_up(rows, audit):
    assert audit.overall.n == len(rows.truth)
    assert sum(group.table for group in audit.by_group).tolist() == audit.overall.table.tolist()
    for group in audit.by_group:
        cells = [cell for cell in audit.by_class if cell.group == group.group]
        assert sum(cell.counts.tp for cell in cells) == group.n_right
        assert sum(cell.counts.positives for cell in cells) == group.n
        assert all(cell.counts.n == group.n for cell in cells)


def test_a_class_against_the_rest_is_the_binary_audit(rows, audit):
    binary = compute_audit(rows.against_rest("dog"), OPTIONS.for_class("dog"))
    for cell in audit.by_class:
        if cell.label == "dog":
            found = binary.find_group("picture_brightness", cell.group)
            assert found.counts == cell.counts
            for name, estimate in cell.metrics.items():
                assert found.metrics[name].value == estimate.value
    gap = next(g for g in audit.list_gaps("picture_brightness", "precision") if g.label == "dog")
    same = binary.find_gap("picture_brightness", "precision", gap.group)
    assert gap.estimate.value == same.estimate.value
    assert (gap.estimate.low, gap.estimate.high) == (same.estimate.low, same.estimate.high)
    assert gap.p_value == same.p_value


def test_a_planted_worse_slice_is_named_with_its_interval(audit):
    lowest, widest = (
        audit.find_lowest("picture_brightness"),
        audit.find_widest("picture_brightness"),
    )
    assert (lowest.label, lowest.group) == ("cat", "dark")
    assert (widest.label, widest.group, widest.reference) == ("cat", "dark", "bright")
    assert widest.estimate.high < 0
    assert widest.p_holm < 0.001
    said = " ".join(map(" ".join, describe_findings(audit, "picture_brightness")))
    assert "cat in “dark”" in said
    assert f"for {audit.count_comparisons():,} comparisons" in said
    assert "such an extreme looks larger" in said
    assert not find_forbidden(said)


def test_comparisons_are_counted(audit):
    assert audit.count_comparisons() == 2 * (1 + 4 * 3)
    assert all(gap.p_holm >= gap.p_value for gap in audit.gaps if gap.p_value is not None)
    assert any("26 comparisons; about 1.3" in text for text in audit.warnings)


def test_a_random_attribute_stays_under_the_floor():
    under = 0
    for seed in range(60):
        rows = make_rows(300, seed=seed)
        audit = compute_class_audit(rows, ClassOptions(references={}, seed=seed))
        spread = audit.find_extreme("picture_brightness").all_groups
        under += spread.value <= spread.floor_95
    assert under >= 51


def test_a_missing_class_is_listed_and_left_out_of_both_sides():
    rows = make_rows(600)
    keep = ~((rows.attributes["picture_brightness"] == "mid") & (rows.truth == 3))
    part = ClassInput(
        truth=rows.truth[keep], prediction=rows.prediction[keep], classes=CLASSES,
        attributes=rows.attributes[keep].reset_index(drop=True),
    )  # fmt: skip
    audit = compute_class_audit(part, OPTIONS)
    mid = next(group for group in audit.by_group if group.group == "mid")
    assert mid.absent == ("<ship>",)
    gap = next(g for g in audit.list_gaps("picture_brightness", MACRO) if g.group == "mid")
    assert "over the 3 classes that both groups have" in gap.estimate.reason
    assert any("no row of <ship> in mid" in text for text in audit.warnings)
    cell = next(c for c in audit.by_class if (c.group, c.label) == ("mid", "<ship>"))
    assert cell.metrics["true_positive_rate"].value is None
    base = next(group for group in audit.by_group if group.group == gap.reference)
    expected = np.mean([mid.table[k, k] / mid.table[k].sum() for k in range(3)]) - np.mean(
        [base.table[k, k] / base.table[k].sum() for k in range(3)]
    )
    assert gap.estimate.value == pytest.approx(expected)


def test_equal_groups_are_two_groups():
    rows = make_rows(600)
    right = ClassInput(
        truth=rows.truth, prediction=rows.truth, classes=CLASSES, attributes=rows.attributes
    )
    audit = compute_class_audit(right, OPTIONS)
    spread = audit.find_extreme("picture_brightness").all_groups
    assert (spread.value, len({spread.max_group, spread.min_group})) == (0, 2)


def test_small_groups_are_marked_and_take_no_part_in_the_gap():
    rows = make_rows(600)
    name = rows.attributes["picture_brightness"].to_numpy(copy=True)
    name[:7] = "strange"
    attributes = pd.DataFrame({"picture_brightness": name})
    rows = ClassInput(
        truth=rows.truth, prediction=rows.prediction, classes=CLASSES, attributes=attributes
    )
    audit = compute_class_audit(rows, OPTIONS)
    small = next(group for group in audit.by_group if group.group == "strange")
    assert small.is_small
    assert small.metrics["accuracy"].reason.startswith("few cases: 7")
    extreme = audit.find_extreme("picture_brightness")
    assert "strange" in extreme.large_groups.excluded
    assert "strange" not in (extreme.large_groups.max_group, extreme.large_groups.min_group)
    assert audit.find_lowest("picture_brightness").group != "strange"


def test_shift_of_a_group_that_is_all_is_zero_and_beside_chance_otherwise(audit):
    assert all(0 <= group.shift.value <= 1 for group in audit.by_group)
    dark = next(group for group in audit.by_group if group.group == "dark")
    assert "chance alone" in describe_shift(dark)
    rows = make_rows(200)
    one = ClassInput(
        truth=rows.truth, prediction=rows.prediction, classes=CLASSES,
        attributes=pd.DataFrame({"a": ["x"] * 200}),
    )  # fmt: skip
    alone = compute_class_audit(one, OPTIONS)
    assert alone.by_group[0].shift.value == alone.by_group[0].shift.floor_95 == 0
    assert any("has one group" in text for text in alone.warnings)
    assert "not estimable" in describe_findings(alone, "a")[0][0]


def test_json_holds_plain_numbers_and_csv_the_same(audit):
    value = json.loads(json.dumps(audit.to_json(ReportContext(looks=1)), allow_nan=False))
    assert value["task"]["type"] == "multiclass"
    counts = pd.read_csv(StringIO(render_class_counts_csv(audit)), keep_default_na=False)
    assert counts.loc[counts["attribute"] == "", "n"].sum() == audit.overall.n
    assert len(counts) == len(value["counts"])
    metrics = pd.read_csv(StringIO(render_class_metrics_csv(audit)), keep_default_na=False)
    assert len(metrics) == 2 * 4 + 5 * 12
    lone = metrics[(metrics["class"] == "cat") & (metrics["group"] == "dark")]
    assert set(lone["metric"]) == {
        "base_rate", "selection_rate", "true_positive_rate", "false_positive_rate", "precision",
    }  # fmt: skip


def test_frames_hold_one_row_per_group_class_or_gap(audit):
    name = "picture_brightness"
    assert len(build_group_frame(audit, name, "accuracy")) == 3
    assert len(build_class_frame(audit, name, "true_positive_rate")) == 12
    assert set(build_class_gap_frame(audit, name)["metric"]) == {"accuracy", MACRO}
    assert len(build_class_gap_frame(audit, name, "cat")) == 2 * 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"truth": np.array([0, 9])}, "class number 9"),
        ({"prediction": np.array([0])}, "prediction has 1 rows"),
        ({"attributes": pd.DataFrame({"a": ["x"]})}, "sensitive columns have 1"),
        ({"probability": np.ones((2, 3))}, "shape"),
        ({"truth": np.array([], dtype=int)}, "no rows"),
    ],
)
def test_what_does_not_fit_is_named(change, words):
    given = {
        "truth": np.array([0, 1]), "prediction": np.array([0, 1]), "classes": ("a", "b"),
        "attributes": pd.DataFrame({"a": ["x", "y"]}), **change,
    }  # fmt: skip
    with pytest.raises(AuditError, match=words):
        ClassInput(**given)


def test_an_unknown_reference_or_class_is_refused(rows):
    with pytest.raises(AuditError, match="'blue' does not occur"):
        compute_class_audit(rows, ClassOptions(references={"picture_brightness": "blue"}))
    with pytest.raises(AuditError, match="no class 'bird'"):
        rows.against_rest("bird")


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(1, 60), st.integers(0, 99))
def test_any_rows_give_an_audit_whose_numbers_are_in_range(k, n, seed):
    rng = np.random.default_rng(seed)
    rows = ClassInput(
        truth=rng.integers(0, k, n), prediction=rng.integers(0, k, n),
        classes=tuple("abcde"[:k]), attributes=pd.DataFrame({"g": rng.choice(["x", "y", None], n)}),
    )  # fmt: skip
    audit = compute_class_audit(rows, ClassOptions(references={}, min_group_size=5))
    json.dumps(audit.to_json(), allow_nan=False)
    for group in audit.by_group:
        assert 0 <= group.metrics["accuracy"].value <= 1
    assert not find_forbidden(" ".join(map(" ".join, describe_findings(audit, "g"))))
    again = compute_accuracy_extreme(audit.by_group, audit.overall, min_size=5, seed=0)
    assert again == audit.find_extreme("g")


def test_a_group_without_misses_is_not_sure_of_it():
    table = np.diag([40, 30, 20])
    estimate = estimate_macro_recall(table, 0)
    assert estimate.value == estimate.high == 1.0
    assert 0.9 < estimate.low < 0.995  # 95 % of the mean of three Jeffreys posteriors


def test_the_interval_of_macro_recall_covers():
    rng = np.random.default_rng(0)
    recalls, sizes = np.array([0.9, 0.6, 0.75]), np.array([60, 40, 50])
    inside = 0
    for seed in range(300):
        hits = rng.binomial(sizes, recalls)
        table = np.diag(hits)
        table[[0, 1, 2], [1, 2, 0]] = sizes - hits
        estimate = estimate_macro_recall(table, seed)
        inside += estimate.low <= recalls.mean() <= estimate.high
    assert 0.91 <= inside / 300 <= 0.985
