"""The page of the benchmarks is current, its commands are there, and figures are put together rightly."""

import importlib.util
import json

import pytest

from benchmarks import figures
from benchmarks.figures import BEGIN, CLAIMS, END, FOLDER, find_figure, render_table
from benchmarks.growth import fit_exponents
from benchmarks.machine import describe_machine
from benchmarks.searches import divide, summarise


def test_the_page_is_current():
    page = (FOLDER / "README.md").read_text()
    assert BEGIN + render_table() + END in page, "run `python -m benchmarks.figures`"


def test_every_command_is_there_and_every_record_belongs_to_one():
    for claim in CLAIMS:
        assert importlib.util.find_spec(claim.command.split()[0]) is not None
    known = {claim.record for claim in CLAIMS}
    assert {path.stem for path in (FOLDER / "results").glob("*.json")} <= known


def test_a_record_of_a_busy_machine_says_so(tmp_path, monkeypatch):
    claim = next(claim for claim in CLAIMS if claim.record == "large")
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    assert find_figure(claim) == "not measured"
    (tmp_path / "results").mkdir()
    run = {"wall_seconds": 301.2, "peak_memory_gb": 3.456, "peak_anonymous_gb": 3.1}
    record = {"machine": {"load_per_core": 3.0}, "runs": [run]}
    (tmp_path / "results" / "large.json").write_text(json.dumps(record))
    assert find_figure(claim) == (
        "301 s, 3.46 GB (3.10 without mapped files) (on a busy machine: load 3 per core)"
    )


def test_a_machine_is_described_by_what_figures_depend_on():
    found = describe_machine()
    assert found["cores"] >= 1
    assert found["memory_gb"] > 0
    assert all(found[name] != "absent" for name in ("torch", "optuna", "lightgbm"))


def _run(table, ratio, **changes):
    return {
        "table": table, "metric": "roc_auc", "test": {"value": 0.9}, "accuracy": None,
        "values": {"network": None}, "error_over_lightgbm_default": None, "error_over_single": ratio,
        "is_ensemble": ratio != 1, "ensemble_share": 0.01, "first_model_seconds": 2.0,
        "trials_per_minute": 30.0, "wall_seconds": 60.0, "peak_memory_gb": 1.0, "budget_kept": True,
    } | changes  # fmt: skip


def test_a_task_where_the_single_model_is_delivered_is_not_one_where_the_ensemble_is_better():
    runs = [_run("a", 0.9), _run("a", 0.95, budget_kept=False), _run("b", 1.0), {"failure": "x"}]
    found = summarise(runs)
    assert (found["ensemble_better"], found["tasks"], found["single_delivered"]) == (1, 2, 1)
    assert (found["budgets_kept"], found["runs"], found["failures"]) == (2, 3, 1)
    assert found["tables"]["a"]["error_over_single"] == pytest.approx(0.925)
    assert not found["tables"]["a"]["budget_kept"]
    assert divide(0.0, 0.0) == 1.0
    assert divide(0.1, 0.0) is None


def test_exponents_are_those_of_the_powers_that_were_measured():
    units = ("seconds", "cpu_seconds", "search_seconds", "peak_memory_gb")
    runs = [{"rows": n, **dict.fromkeys(units, 3 * n**0.5)} for n in (100, 1_000, 10_000)]
    found = fit_exponents([*runs, {"rows": 10**6, "failure": "x"}], "rows")
    assert found["seconds"] == {"all": 0.5, "largest": 0.5}
    assert "failure" in fit_exponents(runs[:1], "rows")
