"""The files about a winner: the same numbers everywhere, nothing invented, nothing that runs."""

import json
import re
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.split_plan import SplitPlan
from automl.data.task import Task, TaskType
from automl.evaluation.evaluate import EvaluationInput, evaluate
from automl.reports.context import _describe_calibration, build_report_context
from automl.reports.predictions import PredictedRows, build_predictions
from automl.reports.search_report import SearchReport, write_search_report
from automl.search.spec import AuditPlan, Budget, Resources, SearchSpec
from fairness.wording import find_forbidden

N = 400


def build_spec(task, name="people.csv"):
    columns = (
        ColumnUse(name="age", kind=Kind.NUMERIC, role=Role.FEATURE),
        ColumnUse(name="sex", kind=Kind.CATEGORICAL, role=Role.SENSITIVE),
        ColumnUse(name=task.target, kind=Kind.CATEGORICAL, role=Role.TARGET),
    )
    return SearchSpec(
        data="ab" * 32, data_name=name, columns=columns, task=task, split=SplitPlan(),
        budget=Budget(seconds=60, trials=12), resources=Resources(devices=("cpu:0",), threads=1, batch_size=128),
        families=("linear", "mlp"), spaces={"linear": {}, "mlp": {}}, audit=AuditPlan(min_group_size=30),
    )  # fmt: skip


RESULT = {
    "winner": {"name": "MLP 3×256", "family": "mlp", "architecture": "MLP 3×256 relu"},
    "wall_seconds": 61.2,
    "looks": 1,
    "warnings": ["Column 'age' tells the target almost alone."],
    "versions": {"fairloom": "0.1.0"},
    "hashes": {"model": "cd" * 32},
    "n_rows": {"train": 1600, "select": 400, "calibrate": 267, "test": N},
    "calibration": {"temperature": 1.234},
    "trials": [
        {"stage": "baseline", "is_network": False}, {"stage": "search", "is_network": True},
        {"stage": "search", "is_network": False}, {"stage": "refit", "is_network": True},
    ],
    "leaderboard": [
        {"name": "MLP 3×256", "test": {"roc_auc": {"value": 0.9, "low": 0.87, "high": 0.93, "n": N}}},
        {"name": "not opened", "test": None},
        {"name": "linear", "is_baseline": True, "test": {"roc_auc": {"value": None, "low": None, "high": None, "n": N}}},
    ],
}  # fmt: skip


def make(task, truth, prediction, folder, name="people.csv", **changes):
    rng = np.random.default_rng(9)
    sex = pd.DataFrame(
        {"sex": rng.choice(["Female", "Male", None], N, p=[0.4, 0.5, 0.1])}, dtype="str"
    )
    rows = PredictedRows(
        row_id=np.arange(1000, 1000 + N), truth=truth, prediction=prediction, sensitive=sex
    )
    report = SearchReport(
        spec=build_spec(task, name), result={**RESULT, **changes},
        predictions=build_predictions(task, rows),
        evaluation=evaluate(EvaluationInput(task=task, truth=truth, prediction=prediction)),
        created_at="2026-01-02T03:04:05Z",
    )  # fmt: skip
    audit = write_search_report(folder, report)
    return folder, rows, audit


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    """Index 0 is the positive class."""
    folder = tmp_path_factory.mktemp("binary")
    task = Task(
        target="income", type=TaskType.BINARY, metric="roc_auc", classes=(">50K", "<=50K"),
        positive=">50K", beneficial=">50K",
    )  # fmt: skip
    rng = np.random.default_rng(0)
    p = 1 / (1 + np.exp(-rng.normal(-1, 2, N)))
    truth = (rng.random(N) >= p).astype(np.int64)
    make(task, truth, np.column_stack([p, 1 - p]), folder)
    return folder, json.loads((folder / "audit.json").read_text())


def test_a_chosen_calibrator_is_named():
    told = {"temperature": 1.2, "choice": {"chosen": "beta"}}
    assert _describe_calibration(told).startswith("beta calibration")
    assert _describe_calibration({"temperature": 1.2, "choice": {"chosen": "temperature"}}).startswith("temperature 1.2")  # fmt: skip


def test_predictions_have_the_contract_s_columns(binary):
    frame = pd.read_parquet(binary[0] / "predictions.parquet")
    assert list(frame.columns) == [
        "row_id", "truth", "prediction", "probability_>50K", "probability_<=50K", "sensitive_sex",
    ]  # fmt: skip
    assert frame["row_id"].tolist() == list(range(1000, 1000 + N))
    assert set(frame["truth"]) == set(frame["prediction"]) == {">50K", "<=50K"}
    assert frame["sensitive_sex"].isna().sum() > 0


def test_every_count_of_the_audit_recomputes_from_the_predictions(binary):
    folder, audit = binary
    frame = pd.read_parquet(folder / "predictions.parquet")
    group = frame["sensitive_sex"].fillna("(missing)")
    truth, flagged = frame["truth"] == ">50K", frame["probability_>50K"] >= 0.5
    assert len(audit["counts"]) == 3
    for row in audit["counts"]:
        inside = group == row["group"]
        assert row["tp"] == (inside & truth & flagged).sum()
        assert row["fp"] == (inside & ~truth & flagged).sum()
        assert row["tn"] == (inside & ~truth & ~flagged).sum()


def test_provenance_names_the_predictions_by_hash(binary):
    folder, audit = binary
    digest = sha256((folder / "predictions.parquet").read_bytes()).hexdigest()
    assert audit["provenance"]["predictions"] == {"path": "predictions.parquet", "sha256": digest}
    assert audit["provenance"]["hashes"]["data"] == "ab" * 32
    assert audit["provenance"]["hashes"]["model"] == "cd" * 32
    assert len(audit["provenance"]["hashes"]["spec"]) == 64


def test_positive_beneficial_threshold_and_protocol(binary):
    _, audit = binary
    assert (audit["positive"], audit["beneficial"], audit["threshold"]) == (">50K", ">50K", 0.5)
    assert audit["protocol"]["looks"] == 1
    assert (
        audit["protocol"]["Split"]
        == "60/15/10/15 % train/select/calibrate/test, stratified; seed 0"
    )
    assert audit["protocol"]["Trials"] == "2, 1 of them networks; 1 baseline; 1 refit"
    assert audit["protocol"]["Budget"] == "60 s and 12 trials"
    assert audit["protocol"]["Calibration"].startswith("temperature 1.234")
    assert RESULT["warnings"][0] in audit["warnings"]


def test_the_page_shows_the_counts_and_no_verdict(binary):
    folder, audit = binary
    page = (folder / "report.html").read_text(encoding="utf-8")
    for row in audit["counts"]:
        assert f"{row['tp']:,}" in page
    text = re.sub(
        r"<script.*?</script>|<style.*?</style>|<svg.*?</svg>", " ", page, flags=re.DOTALL
    )
    assert find_forbidden(text) == ()
    assert "MLP 3×256" in page


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Three classes, one with a name that is markup, and one sensitive column."""
    folder = tmp_path_factory.mktemp("several")
    task = Task(
        target="<b>kind</b>", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "<c>")
    )
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(3), N)
    truth = (p.cumsum(axis=1) > rng.random((N, 1))).argmax(axis=1)
    _, _, found = make(task, truth, p, folder)
    return folder, json.loads((folder / "audit.json").read_text()), found


def test_several_classes_are_audited_with_all_four_forms(several):
    folder, audit, found = several
    assert {path.name for path in folder.iterdir()} == {
        "audit.json", "predictions.parquet", "report.html", "audit_counts.csv", "audit_metrics.csv",
    }  # fmt: skip
    assert audit == json.loads(json.dumps(audit, allow_nan=False))
    assert [row["group"] for row in audit["by_group"]] == [g.group for g in found.by_group]
    assert sum(row["n"] for row in audit["by_group"]) == N
    assert audit["overall"]["metrics"]["log_loss"]["value"] > 0
    assert audit["overall"]["metrics"]["accuracy"]["numerator"] == found.overall.n_right
    assert audit["cross_check"]["largest_difference"] < 1e-9
    assert audit["cross_check"]["n_compared"] == 2 * (1 + len(found.by_group))
    assert (
        audit["provenance"]["predictions"]["sha256"]
        == sha256((folder / "predictions.parquet").read_bytes()).hexdigest()
    )
    assert list(pd.read_parquet(folder / "predictions.parquet").columns[3:6]) == [
        "probability_a", "probability_b", "probability_<c>",
    ]  # fmt: skip


def test_counts_of_several_classes_recompute_from_the_predictions(several):
    folder, audit, _ = several
    frame = pd.read_parquet(folder / "predictions.parquet")
    group = frame["sensitive_sex"].fillna("(missing)")
    for row in audit["counts"]:
        inside = (group == row["group"]) | (row["attribute"] == "")
        pair = (frame["truth"] == row["truth"]) & (frame["prediction"] == row["prediction"])
        assert row["n"] == (inside & pair).sum()


def test_the_report_on_several_classes_has_its_groups_and_no_script(several):
    folder, _, found = several
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Accuracy is" in page
    assert "The lowest recall of" in page
    assert "Recomputed with Fairlearn" in page
    assert "They cannot show whether labels are right" in page
    for group in found.by_group:
        assert f"({group.n_right:,}/{group.n:,})" in page
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert "<b>kind" not in page
    assert "&lt;c&gt;" in page
    assert find_forbidden(re.sub(r"<style.*?</style>", " ", page, flags=re.DOTALL)) == ()


def test_slices_of_pictures_are_labelled_and_a_column_of_names_is_left_out(tmp_path):
    task = Task(target="kind", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c"))
    rng = np.random.default_rng(1)
    p, truth = rng.dirichlet(np.ones(3), N), rng.integers(0, 3, N)
    sensitive = pd.DataFrame(
        {"picture_brightness": rng.random(N), "name": [f"person {i}" for i in range(N)]}
    )
    rows = PredictedRows(row_id=np.arange(N), truth=truth, prediction=p, sensitive=sensitive)
    spec = build_spec(task)
    file = ColumnUse(name="file", kind=Kind.IMAGE, role=Role.FEATURE)
    for of_pictures in (True, False):
        columns = (file, *spec.columns[1:]) if of_pictures else spec.columns
        report = SearchReport(
            spec=replace(spec, columns=columns), result=RESULT, predictions=build_predictions(task, rows),
            evaluation=evaluate(EvaluationInput(task=task, truth=truth, prediction=p)),
        )  # fmt: skip
        write_search_report(tmp_path, report)
        audit = json.loads((tmp_path / "audit.json").read_text())
        said = " ".join(audit["warnings"])
        assert ("stated by nobody: picture_brightness." in said) == of_pictures
        assert "'name' has 400 different values" in said
        assert {row["attribute"] for row in audit["by_group"]} == {"picture_brightness"}
    assert "sensitive_name" in pd.read_parquet(tmp_path / "predictions.parquet")


def test_without_a_sensitive_column_the_report_says_so(tmp_path):
    task = Task(target="kind", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c"))
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(3), N)
    truth = rng.integers(0, 3, N)
    rows = PredictedRows(
        row_id=np.arange(N), truth=truth, prediction=p, sensitive=pd.DataFrame(index=range(N))
    )
    report = SearchReport(
        spec=build_spec(task), result=RESULT, predictions=build_predictions(task, rows),
        evaluation=evaluate(EvaluationInput(task=task, truth=truth, prediction=p)),
    )  # fmt: skip
    write_search_report(tmp_path, report)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "No sensitive attribute given" in page
    assert "Groups in plain words" not in page


def test_regression_report_reads_in_the_unit_of_the_target(tmp_path):
    task = Task(target="price", type=TaskType.REGRESSION, metric="rmse")
    rng = np.random.default_rng(2)
    truth = rng.normal(200_000, 50_000, N)
    leaderboard = [
        {
            "name": "best",
            "test": {"rmse": {"value": 41_234.5, "low": 39_000.0, "high": 43_500.0, "n": N}},
        }
    ]
    folder, rows, _ = make(
        task, truth, truth + rng.normal(0, 40_000, N), tmp_path, leaderboard=leaderboard
    )
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "41,23" in page
    assert "Errors by tenth of the true value" in page
    frame = pd.read_parquet(folder / "predictions.parquet")
    assert list(frame.columns) == ["row_id", "truth", "prediction", "sensitive_sex"]
    np.testing.assert_array_equal(frame["prediction"], rows.prediction)


def test_files_of_an_earlier_run_are_gone(tmp_path):
    for name in ("audit_counts.csv", "audit_metrics.csv"):
        (tmp_path / name).write_text("old")
    task = Task(target="y", type=TaskType.REGRESSION, metric="rmse")
    make(task, np.arange(N, dtype=float), np.arange(N, dtype=float), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "audit.json", "predictions.parquet", "report.html",
    ]  # fmt: skip


def test_an_audit_has_its_tables(binary):
    folder, audit = binary
    counts = pd.read_csv(folder / "audit_counts.csv")
    assert set(counts["group"].dropna()) >= {row["group"] for row in audit["counts"]}
    assert (folder / "audit_metrics.csv").stat().st_size > 1_000


def test_what_is_unknown_is_not_stated(binary):
    task = Task(target="y", type=TaskType.REGRESSION, metric="rmse")
    context = build_report_context({}, build_spec(task), predictions_sha256="0" * 64)
    assert context.model_name == "not stated"
    assert context.looks is None
    assert context.protocol["Trials"] == "not stated"
    assert context.models == ()
    assert context.created_at.endswith("Z")


def test_models_are_those_that_were_opened(binary):
    task = Task(target="y", type=TaskType.REGRESSION, metric="rmse")
    context = build_report_context(RESULT, build_spec(task), predictions_sha256="0" * 64)
    assert [(model.name, model.is_baseline) for model in context.models] == [
        ("MLP 3×256", False), ("linear", True),
    ]  # fmt: skip
    assert context.models[1].metrics["roc_auc"].value is None


def test_sensitive_rows_must_match():
    task = Task(target="y", type=TaskType.REGRESSION, metric="rmse")
    rows = PredictedRows(
        row_id=np.arange(2),
        truth=np.zeros(2),
        prediction=np.zeros(2),
        sensitive=pd.DataFrame({"a": [1]}),
    )
    with pytest.raises(ValueError, match="1 rows of sensitive values for 2"):
        build_predictions(task, rows)


def test_a_reference_group_without_test_rows_is_said_and_the_largest_stands_in(tmp_path):
    task = Task(
        target="income", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes"
    )  # fmt: skip
    rng = np.random.default_rng(3)
    truth, p = rng.integers(0, 2, N), rng.random(N)
    rows = PredictedRows(
        row_id=np.arange(N), truth=truth, prediction=np.column_stack([1 - p, p]),
        sensitive=pd.DataFrame({"sex": ["Female"] * 150 + ["Male"] * (N - 150)}, dtype="str"),
    )  # fmt: skip
    spec = build_spec(task, "some data")
    spec = replace(spec, audit=replace(spec.audit, references={"sex": "Other"}))
    audit = write_search_report(
        tmp_path,
        SearchReport(
            spec=spec, result=RESULT, predictions=build_predictions(task, rows),
            evaluation=evaluate(
                EvaluationInput(task=task, truth=truth, prediction=rows.prediction)
            ),
        ),
    )  # fmt: skip
    assert audit.references == {"sex": "Male"}
    assert (
        "The reference group &#39;Other&#39; of &#39;sex&#39; has no row"
        in (tmp_path / "report.html").read_text()
    )
