"""Audits of decisions between more than two classes that were made elsewhere."""

import json

import numpy as np
import pandas as pd
import pytest

from automl.reports.external import ExternalAudit
from automl.reports.external_classes import (
    evaluate_decisions,
    has_several_classes,
    read_class_rows,
    write_external_class_report,
)
from fairness.context import ReportContext
from fairness.errors import AuditError

REQUEST = ExternalAudit(truth="kind", prediction="found", sensitive=("sex",))


def build_table(n=240):
    rng = np.random.default_rng(0)
    truth = rng.choice(["cat", "dog", "fox"], n)
    found = np.where(rng.random(n) < 0.7, truth, rng.choice(["cat", "dog", "fox"], n))
    return pd.DataFrame({"kind": truth, "found": found, "sex": rng.choice(["f", "m"], n)})


def test_more_than_two_classes_are_noticed():
    table = build_table().assign(two=lambda frame: (frame["kind"] == "cat").astype(int), score=0.5)
    assert has_several_classes(table, REQUEST)
    two = ExternalAudit(truth="two", prediction="found", sensitive=("sex",))
    assert not has_several_classes(table, two)
    scored = ExternalAudit(truth="kind", score="score", sensitive=("sex",))
    assert not has_several_classes(table, scored)
    with pytest.raises(AuditError, match="no column 'nothing'"):
        has_several_classes(
            table, ExternalAudit(truth="nothing", prediction="found", sensitive=("sex",))
        )


def test_the_files_hold_the_same_counts(tmp_path):
    table = build_table()
    write_external_class_report(tmp_path, table, REQUEST, ReportContext(data_name="decisions.csv"))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "audit.json", "report.html", "audit_counts.csv", "audit_metrics.csv", "predictions.parquet",
    }  # fmt: skip
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert (audit["task"]["type"], audit["task"]["classes"]) == (
        "multiclass",
        ["cat", "dog", "fox"],
    )
    counted = table.groupby(["sex", "kind", "found"]).size()
    counts = {
        (row["group"], row["truth"], row["prediction"]): row["n"]
        for row in audit["counts"]
        if row["attribute"] == "sex"
    }
    assert counts == counted.to_dict()
    assert audit["overall"]["n"] == 240
    accuracy = float((table["kind"] == table["found"]).mean())
    assert audit["overall"]["metrics"]["accuracy"]["value"] == pytest.approx(accuracy)
    assert audit["cross_check"]["largest_difference"] < 1e-12
    predictions = pd.read_parquet(tmp_path / "predictions.parquet")
    assert list(predictions.columns) == ["row_id", "truth", "prediction", "sensitive_sex"]
    report = (tmp_path / "report.html").read_text()
    assert "240 rows of the file" in report
    assert "test part" not in report.split("<main>")[1].split("</section>")[0]


def test_what_is_missing_or_only_predicted_is_said():
    table = build_table()
    table.loc[:2, "kind"] = None
    table.loc[5, "found"] = ""
    table.loc[8:10, "found"] = "wolf"
    rows = read_class_rows(table, REQUEST)
    assert rows.audited.classes == ("cat", "dog", "fox", "wolf")
    assert len(rows.row_id) == 236
    assert rows.audited.prediction[rows.row_id == 8].tolist() == [3]
    assert any("holds 'wolf', which the truth 'kind' never is" in text for text in rows.warnings)
    assert "3 rows without a value of 'kind': left out." in rows.warnings
    assert "1 row without a value of 'found': left out." in rows.warnings


def test_classes_written_as_other_numbers_are_the_same_classes():
    codes = {"cat": "1", "dog": "2", "fox": "10"}
    table = build_table()
    written = table.assign(kind=table["kind"].map(codes), found=table["found"].map(codes) + ".0")
    rows = read_class_rows(written, REQUEST)
    assert rows.audited.classes == ("1", "2", "10")
    hits = rows.audited.truth == rows.audited.prediction
    assert hits.tolist() == (table["kind"] == table["found"]).tolist()


def test_only_what_decisions_tell_is_evaluated():
    found = evaluate_decisions(read_class_rows(build_table(), REQUEST).audited, seed=0)
    assert {"accuracy", "balanced_accuracy", "f1_macro"} <= set(found.metrics)
    assert not {"log_loss", "roc_auc_ovr", "ece"} & set(found.metrics)
    assert found.curves["confusion"]["n"].sum() == 240


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"positive": "cat"}, "positive value 'cat'"),
        ({"beneficial": "cat"}, "beneficial value 'cat'"),
        ({"prediction": "number"}, "different values"),
        ({"prediction": "empty"}, "No row has both"),
    ],
)
def test_bad_requests_are_named(changes, words):
    table = build_table().assign(number=lambda frame: frame.index.astype(str), empty=None)
    given = {"truth": "kind", "prediction": "found", "sensitive": ("sex",)} | changes
    with pytest.raises(AuditError, match=words):
        read_class_rows(table, ExternalAudit(**given))


def test_classes_that_are_numbers_stand_by_size():
    marks = [str(mark) for mark in (10, 9, 2, 1, 10, 2)]
    table = pd.DataFrame({"kind": marks, "found": marks[::-1], "sex": list("fmfmfm")})
    assert read_class_rows(table, REQUEST).audited.classes == ("1", "2", "9", "10")
