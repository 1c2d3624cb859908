"""Audits of decisions made elsewhere; the counts of COMPAS are those of the specification."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from automl.reports import external
from automl.reports.external import ExternalAudit, read_external_rows, write_external_report
from fairness.audit import compute_audit
from fairness.errors import AuditError

COMPAS = {  # responsible.md 9.1: n, TN, FP, FN, TP
    ("race", "African-American"): (3696, 990, 805, 532, 1369),
    ("race", "Caucasian"): (2454, 1139, 349, 461, 505),
    ("race", "Hispanic"): (637, 318, 87, 129, 103),
    ("race", "Other"): (377, 208, 36, 90, 43),
    ("race", "Asian"): (32, 21, 2, 3, 6),
    ("race", "Native American"): (18, 5, 3, 1, 9),
    ("sex", "Female"): (1395, 609, 288, 195, 303),
    ("sex", "Male"): (5819, 2072, 994, 1021, 1732),
    ("age_cat", "25 - 45"): (4109, 1479, 741, 706, 1183),
    ("age_cat", "Greater than 45"): (1576, 897, 181, 285, 213),
    ("age_cat", "Less than 25"): (1529, 305, 360, 225, 639),
}


def build_table(n=120):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "hired": rng.choice(["1", "0"], n, p=[0.3, 0.7]),
            "decision": rng.choice(["1.0", "0"], n),
            "score": rng.random(n).round(3),
            "sex": rng.choice(["f", "m"], n),
            "age": rng.integers(18, 70, n).astype(str),
        }
    )


def test_compas_counts(data_folder, tmp_path):
    columns = ["two_year_recid", "decile_score", "race", "sex", "age_cat"]
    frame = pd.read_csv(data_folder / "compas_two_years.csv", usecols=columns)
    write_external_report(
        tmp_path,
        frame,
        ExternalAudit(
            truth="two_year_recid", score="decile_score", threshold=5, positive="1",
            sensitive=("race", "sex", "age_cat"),
        ),
    )  # fmt: skip
    audit = json.loads((tmp_path / "audit.json").read_text())
    got = {(row["attribute"], row["group"]): row for row in audit["counts"]}
    assert set(got) == set(COMPAS)
    for key, (n, tn, fp, fn, tp) in COMPAS.items():
        row = got[key]
        assert (row["tn"], row["fp"], row["fn"], row["tp"]) == (tn, fp, fn, tp)
        assert tn + fp + fn + tp == n
    assert audit["calibration"]["status"] == "not_estimable"
    check = audit["cross_check"]
    assert (check["library"], check["n_compared"]) == ("Fairlearn", 7 + 11 * 7 + 3 * 6)
    assert check["largest_difference"] < 1e-12
    assert "102 numbers, largest difference" in (tmp_path / "report.html").read_text()
    assert audit["threshold"] == 5
    predictions = pd.read_parquet(tmp_path / "predictions.parquet")
    assert list(predictions.columns) == [
        "row_id", "truth", "prediction", "score", "sensitive_race", "sensitive_sex", "sensitive_age_cat",
    ]  # fmt: skip
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_decisions_written_otherwise_are_the_same_labels():
    table = build_table().assign(decision=lambda frame: frame["decision"].astype(float))
    rows = read_external_rows(
        table,
        ExternalAudit(truth="hired", prediction="decision", positive="1.0", sensitive=("sex",)),
    )
    assert rows.positive == "1"
    assert rows.decision.tolist() == (table["decision"] == 1).astype(int).tolist()
    assert rows.score is None


def test_labels_in_text_are_compared_as_numbers_where_they_differ():
    table = build_table().assign(hired=lambda frame: frame["hired"] + ".0")
    decided = table["decision"].map({"1.0": "True", "0": "False"})
    request = ExternalAudit(
        truth="hired", prediction="decision", positive="1", beneficial="1.0", sensitive=("sex",)
    )
    for decision in (table["decision"], decided):
        rows = read_external_rows(table.assign(decision=decision), request)
        assert (rows.positive, rows.negative) == ("1", "0")
        assert rows.truth.tolist() == (table["hired"] == "1.0").astype(int).tolist()
        assert rows.decision.tolist() == (table["decision"] == "1.0").astype(int).tolist()
    scored = ExternalAudit(truth="hired", score="score", positive="1", sensitive=("sex",))
    assert read_external_rows(table, scored).positive == "1.0"


def test_a_beneficial_value_is_the_label_that_is_the_same_number(tmp_path):
    request = ExternalAudit(
        truth="hired", prediction="decision", beneficial="1.0", sensitive=("sex",)
    )
    write_external_report(tmp_path, build_table(), request)
    assert json.loads((tmp_path / "audit.json").read_text())["beneficial"] == "1"


def test_the_rarer_value_is_positive_and_that_is_said():
    rows = read_external_rows(
        build_table(), ExternalAudit(truth="hired", score="score", sensitive=("sex", "age"))
    )
    assert rows.positive == "1"
    assert "rarer" in rows.warnings[0]
    assert rows.threshold == 0.5
    assert rows.is_probability
    assert rows.attributes["age"].dtype.kind == "i"  # numbers in text, so that they can be binned


def test_rows_without_truth_or_score_are_left_out_aloud():
    table = build_table()
    table.loc[:3, "hired"] = None
    table.loc[[3, 9], "score"] = np.nan
    rows = read_external_rows(
        table, ExternalAudit(truth="hired", score="score", positive="1", sensitive=("sex",))
    )
    assert rows.row_id.tolist() == [4, 5, 6, 7, 8, *range(10, 120)]
    assert rows.warnings == (
        "4 rows without a value of 'hired': left out.",
        "2 rows without a value of 'score': left out.",
    )


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"truth": "nothing", "score": "score"}, "no column 'nothing'"),
        ({"truth": "age", "score": "score"}, "different values"),
        ({"truth": "hired", "score": "city"}, "'city' holds '[pq]'"),
        ({"truth": "hired", "score": "age"}, "needs a threshold"),
        ({"truth": "hired", "prediction": "city"}, "holds '[pq]'"),
        ({"truth": "hired", "score": "score", "positive": "yes"}, "'yes' does not occur"),
        ({"truth": "hired", "score": "score", "beneficial": "no"}, "'no' does not occur"),
        ({"truth": "hired"}, "Name a prediction or a score"),
        ({"truth": "hired", "score": "score", "sensitive": ()}, "No sensitive column is named"),
        ({"truth": "hired", "prediction": "decision", "threshold": 1.0}, "no score"),
        ({"truth": "hired", "score": "score", "threshold": np.nan}, "nan is no finite number"),
        (
            {"truth": "one", "score": "score", "positive": "1"},
            "Every value of the truth 'one' is '1'",
        ),
        ({"truth": "three", "score": "score"}, "'three' has 3 different values"),
        ({"truth": "none", "score": "score"}, "'none' has no values"),
        (
            {"truth": "sex", "score": "score"},
            "'sex' is named as the truth and as the sensitive column",
        ),
        ({"truth": "hired", "prediction": "sex"}, "as the prediction and as the sensitive"),
        ({"truth": "hired", "score": "hired"}, "'hired' is named as the truth and as the score"),
        ({"truth": "hired", "score": "written_nan"}, "holds 'NaN', which is no finite number"),
        ({"truth": "hired", "score": "all_empty"}, "No row has both"),
    ],
)
def test_bad_requests_are_named(request_, words):
    table = build_table().assign(
        one="1", three=lambda t: t.index.astype(str).str[-1].map(lambda c: str(int(c) % 3)), none=None,
        city="p", written_nan=lambda t: ["NaN", *t["score"].astype(str)[1:]], all_empty=None,
    )  # fmt: skip
    with pytest.raises(AuditError, match=words):
        read_external_rows(table, ExternalAudit(**{"sensitive": ("sex",), **request_}))


def test_infinite_scores_are_refused():
    table = build_table()
    table.loc[7, "score"] = np.inf
    with pytest.raises(AuditError, match="no finite number"):
        read_external_rows(table, ExternalAudit(truth="hired", score="score", sensitive=("sex",)))


def test_a_number_that_fairlearn_sees_otherwise_is_a_warning_everywhere(tmp_path, monkeypatch):
    def compute_wrong(rows, options):
        audit = compute_audit(rows, options)
        women = audit.find_group("sex", "f")
        rate = replace(women.metrics["selection_rate"], value=0.999)
        wrong = replace(women, metrics={**women.metrics, "selection_rate": rate})
        groups = tuple(wrong if group is women else group for group in audit.by_group)
        return replace(audit, by_group=groups)

    monkeypatch.setattr(external, "compute_audit", compute_wrong)
    request = ExternalAudit(truth="hired", score="score", positive="1", sensitive=("sex",))
    write_external_report(tmp_path, build_table(), request)
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert audit["cross_check"]["where"] == "selection rate of f (sex)"
    assert any("selection rate of f (sex)" in text for text in audit["warnings"])
    assert "this audit 0.999" in (tmp_path / "report.html").read_text()
