"""Rivals: the same rows for all, our metric for their predictions, and what is said where one is absent."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

from benchmarks.rivals import (
    ABSENT,
    compute_rival_error,
    find_tools,
    run_rival,
    split_table,
    summarise,
)


def _write_table(folder):
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    word = rng.choice(["p", "q"], 300).astype(object)
    y = np.where(x + (word == "p") + 0.3 * rng.normal(size=300) > 0.5, "yes", "no")
    x[:20], word[20:40] = np.nan, None
    path = folder / "t.csv"
    pd.DataFrame({"x {1}": x, "word": word, "y": y}).to_csv(path, index=False)
    return path


def test_every_row_is_in_one_of_the_two_files(tmp_path):
    path = _write_table(tmp_path)
    arguments = split_table([str(path), "--target", "y", "--metric", "roc_auc"], tmp_path, seed=1)
    assert arguments == [
        str(tmp_path / "train.csv"), "--target", "y", "--test", str(tmp_path / "test.csv"),
        "--metric", "roc_auc",
    ]  # fmt: skip
    lines = [(tmp_path / name).read_text().splitlines()[1:] for name in ("train.csv", "test.csv")]
    assert len(lines[1]) == 60
    assert sorted(lines[0] + lines[1]) == sorted(path.read_text().splitlines()[1:])


def test_a_tool_of_this_environment_is_run_and_scored(tmp_path):
    path = _write_table(tmp_path)
    split_table([str(path), "--target", "y"], tmp_path, seed=1)
    tools = find_tools([])
    assert set(tools) == {"lightgbm_default", "lightgbm_tuned"}
    ours = {
        "task": {"type": "binary", "classes": ["no", "yes"], "positive": "yes"},
        "metric": "roc_auc", "error": 0.1,
    }  # fmt: skip
    task = {"type": "binary", "target": "y", "metric": "roc_auc", "budget_seconds": 1, "seed": 0}
    found = run_rival("lightgbm_tuned", tools["lightgbm_tuned"], tmp_path, ours, task)
    truth = pd.read_csv(tmp_path / "test.csv")["y"]
    predicted = pd.read_csv(tmp_path / "predictions.csv")
    assert found["error"] == pytest.approx(1 - roc_auc_score(truth == "yes", predicted["yes"]))
    assert found["error"] < 0.2
    assert found["ours_over_it"] == pytest.approx(0.1 / found["error"])
    (tmp_path / "task.json").unlink()
    broken = run_rival("lightgbm_default", sys.executable, tmp_path, ours, task | {"target": "z"})
    assert "z" in broken["failure"]


def test_errors_are_those_of_scikit_learn():
    truth = pd.Series(["b", "a", "c", "a"])
    seen = pd.DataFrame({"a": [0.2, 0.7, 0.5, 0.6], "b": [0.8, 0.3, 0.5, 0.4]})
    seen = seen / seen.sum(axis=1).to_numpy()[:, None]
    whole = seen.assign(c=0.0)
    task = {"type": "multiclass", "classes": ["a", "b", "c"], "positive": None}
    expected = log_loss(truth, np.clip(whole, 1e-15, 1), labels=["a", "b", "c"])
    assert compute_rival_error(task, "log_loss", truth, seen) == pytest.approx(expected)
    task = {"type": "regression"}
    truth, values = pd.Series(["1", "2.5"]), pd.DataFrame({"prediction": [1.5, 2.0]})
    expected = root_mean_squared_error([1, 2.5], [1.5, 2.0])
    assert compute_rival_error(task, "rmse", truth, values) == pytest.approx(expected)


def test_what_was_not_measured_is_said():
    row = {"ours_over_it": 0.9, "version": "4"}
    runs = [{"lightgbm_default": row, "lightgbm_tuned": {"failure": "it ended"}}]
    tools = dict.fromkeys(("lightgbm_default", "lightgbm_tuned"), "python")
    found = summarise(runs, tools)
    assert found["tabm"] == found["autogluon"] == ABSENT
    assert found["lightgbm_default"]["ours_smaller"] == 1
    assert found["lightgbm_tuned"] == "not measured: no run of it ended well"
    assert json.dumps(found)
