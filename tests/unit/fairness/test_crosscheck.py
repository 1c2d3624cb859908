"""The second opinion of Fairlearn: equal numbers, left out where undefined, and loud where they differ."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit
from fairness.context import ReportContext
from fairness.crosscheck import compute_cross_check
from fairness.report import render_report
from fairness.wording import describe_cross_check, find_forbidden


def build_rows(truth, prediction, groups) -> AuditInput:
    return AuditInput(
        truth=np.array([int(v) for v in truth]),
        prediction=np.array([int(v) for v in prediction]),
        score=None,
        attributes=pd.DataFrame({"g": list(groups)}),
    )


INLINE = ("011110101000111111", "001011100111100110", "bbabbcccaacabccbcc")


def audit_of(rows: AuditInput) -> Audit:
    return compute_audit(rows, AuditOptions(positive="1"))


def plant(audit: Audit, group: str, metric: str, value: float) -> Audit:
    """The audit with one wrong number."""
    changed = [
        replace(g, metrics={**g.metrics, metric: replace(g.metrics[metric], value=value)})
        if g.group == group
        else g
        for g in audit.by_group
    ]
    return replace(audit, by_group=tuple(changed))


def test_every_rate_and_named_metric_agrees():
    rows = build_rows(*INLINE)
    check = compute_cross_check(audit_of(rows), rows)
    assert check.n_compared == 7 + 3 * 7 + 6  # all rows, three groups, six named metrics
    assert check.largest_difference < 1e-12
    assert check.warnings == ()
    assert check.version.startswith("0.")


def test_compas_agrees(compas, compas_frame):
    rows = AuditInput(
        truth=compas_frame["two_year_recid"].to_numpy(),
        prediction=compas_frame["score_text"].isin(["Medium", "High"]).to_numpy(),
        score=None,
        attributes=compas_frame[["race", "sex", "age_cat"]],
    )
    check = compute_cross_check(compas, rows)
    assert (check.n_compared, check.warnings) == (7 + 11 * 7 + 3 * 6, ())
    assert check.largest_difference < 1e-12


def test_a_planted_difference_is_named_with_both_values():
    rows = build_rows(*INLINE)
    check = compute_cross_check(plant(audit_of(rows), "b", "true_positive_rate", 0.61), rows)
    assert check.where == "true positive rate of b (g)"
    assert check.largest_difference == pytest.approx(0.01)
    assert len(check.warnings) == 1
    assert "gives 0.6 for true positive rate of b (g), this audit 0.61" in check.warnings[0]


def test_many_differences_are_counted_not_listed():
    rows = build_rows(*INLINE)
    audit = audit_of(rows)
    for metric in ("selection_rate", "true_positive_rate", "accuracy"):
        for group in "abc":
            audit = plant(audit, group, metric, 0.123)
    warnings = compute_cross_check(audit, rows).warnings
    assert len(warnings) == 6
    assert warnings[-1] == "4 more numbers differ from Fairlearn's."


def test_a_missing_row_shows():
    rows = build_rows(*INLINE)
    fewer = build_rows(*(text[:-1] for text in INLINE))
    assert compute_cross_check(audit_of(rows), fewer).warnings


def test_what_is_not_estimable_here_is_left_out_with_its_reason():
    rows = build_rows("0001100101", "0101000110", "aaabbbcccc")
    check = compute_cross_check(audit_of(rows), rows)
    assert check.warnings == ()
    listed = "\n".join(check.not_compared)
    assert "true positive rate of a (g): no positive labels" in listed
    assert "equalized odds difference, worst of g: Fairlearn counts the rate" in listed
    assert "Intervals" in check.not_compared[-1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("abc")), min_size=1, max_size=30))  # fmt: skip
def test_any_rows_agree(cells):
    rows = build_rows(*zip(*cells, strict=True))
    check = compute_cross_check(audit_of(rows), rows)
    assert check.warnings == ()
    assert check.n_compared > 0


def test_without_groups_there_is_nothing_to_say():
    rows = replace(build_rows(*INLINE), attributes=pd.DataFrame(index=range(18)))
    check = compute_cross_check(audit_of(rows), rows)
    assert (check.n_compared, describe_cross_check(check.to_json())) == (0, "")


def test_json_and_report_say_it_in_one_sentence():
    rows = build_rows(*INLINE)
    audit = audit_of(rows)
    check = replace(compute_cross_check(audit, rows), largest_difference=0.0, where="")
    context = ReportContext(cross_check=check)
    assert audit.to_json(context)["cross_check"] == {
        "library": "Fairlearn", "version": check.version, "n_compared": 34, "largest_difference": 0.0,
        "where": "", "not_compared": list(check.not_compared),
    }  # fmt: skip
    sentence = f"Recomputed with Fairlearn {check.version}: 34 numbers, largest difference 0."
    assert sentence in render_report(audit, context)
    assert not find_forbidden(sentence)


def test_fairlearn_is_imported_only_when_asked():
    code = (
        "import sys, fairness.crosscheck; assert 'fairlearn' not in sys.modules, 'fairlearn loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
