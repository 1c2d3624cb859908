"""Thresholds from Python and the shell: what is refused, and why; a search's own files are in test_cli_search."""

from pathlib import Path

import pytest

import automl
from automl.__main__ import main
from automl.data.task import Task, TaskType
from automl.errors import DataError, SpecError
from automl.evaluation.costs import Costs
from automl.evaluation.goal import Goal
from automl.evaluation.threshold_change import ThresholdRequest
from automl.worker import threshold_files
from tests.ui.finished import TASKS


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "Nothing"),
        ({"goal": "f1", "value": 0.3}, "goal and value"),
        ({"goal": "luck"}, "no rule 'luck'"),
        ({"value": 0.3, "level": 0.5}, "without a goal"),
        ({"value": 2.0}, "threshold is 2"),
        ({"undo": True, "value": 0.3}, "value and undo"),
    ],
)
def test_a_call_that_is_not_clear_is_refused(given, named):
    with pytest.raises(SpecError, match=named):
        automl.run_threshold(automl.ThresholdCall(result=Path("nowhere"), **given))


def test_costs_that_cannot_be_read_are_one_line(capsys):
    assert main(["threshold", "nowhere", "--goal", "cost", "--costs", "1,2"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'1,2' are no costs" in line


def test_a_folder_without_a_search_is_named(tmp_path):
    with pytest.raises(SpecError, match="no finished search"):
        threshold_files.load_result_files(tmp_path, tmp_path / "spec.json")


def test_without_rows_of_the_calibrate_part_a_rule_finds_nothing_and_a_number_is_taken(tmp_path):
    spec = type("Spec", (), {"task": TASKS["binary"], "seed": 0})
    files = threshold_files.ResultFiles(
        folder=tmp_path, spec=spec, result={}, test=None, calibrate=None
    )
    with pytest.raises(DataError, match="were not kept"):
        threshold_files.plan_change(files, ThresholdRequest(goal=Goal.F1))
    change = threshold_files.plan_change(files, ThresholdRequest(threshold=0.2, costs=Costs(fn=3)))
    assert (change.threshold, change.previous, change.goal) == (0.2, 0.5, None)


def test_only_two_classes_have_a_threshold(tmp_path, monkeypatch):
    task = Task(target="price", type=TaskType.REGRESSION, metric="rmse")
    spec = type("Spec", (), {"task": task})
    for name in ("result.json", "spec.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(threshold_files, "parse_spec", lambda _text: spec)
    monkeypatch.setattr(threshold_files.pd, "read_parquet", lambda _path: None)
    with pytest.raises(SpecError, match="only a decision between two classes"):
        threshold_files.load_result_files(tmp_path, tmp_path / "spec.json")
