"""One small search through the shell, and everything it leaves: the contract of the issue."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.__main__ import main
from automl.deploy.bundle import load_bundle, read_manifest
from automl.evaluation.conformal import find_rank
from automl.evaluation.threshold_change import ThresholdRequest, read_changes, render_request
from automl.jobs.records import JobKind, JobState, NewJob
from automl.own_worker import open_own_worker
from automl.settings import Settings
from automl.worker.threshold_handler import run_change

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("cli_search")  # one process, so that the search runs once


def _run(
    home: Path, *arguments: str, devices: str = "fake:0,fake:1"
) -> subprocess.CompletedProcess:
    environment = {**os.environ, "FAIRLOOM_HOME": str(home), "FAIRLOOM_DEVICES": devices}
    return subprocess.run(
        [sys.executable, "-m", "automl", *arguments],
        capture_output=True, text=True, env=environment, cwd=ROOT, timeout=240, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    rng = np.random.default_rng(0)
    n = 400
    age, hours = rng.normal(40, 10, n), rng.normal(38, 8, n)
    sex = rng.choice(["Female", "Male"], n)
    wins = age + hours + 8 * (sex == "Male") + rng.normal(0, 8, n) > 84
    frame = pd.DataFrame({
        "age": age.round(1), "hours": hours.round(1), "sex": sex,
        "city": rng.choice(["Ulm", "Bonn", "Kiel"], n), "income": np.where(wins, "high", "low"),
    })  # fmt: skip
    frame["tell"] = np.where(wins, 1.0, 0.0) + rng.normal(0, 0.05, n)
    path = tmp_path_factory.mktemp("data") / "people.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def done(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    out = folder / "out"
    process = _run(
        folder / "home", "search", str(table), "--target", "income", "--sensitive", "sex",
        "--ignore", "city", "--positive", "high", "--trials", "3", "--out", str(out),
        devices="fake:0,fake-broken:1",
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return process, out, json.loads((out / "result.json").read_text()), folder / "home"


def test_every_file_of_the_contract_is_there(done):
    _, out, result, _ = done
    for name in ("result.json", "audit.json", "report.html", "predictions.parquet",
                 "calibrate_predictions.parquet", "uncalibrated.parquet", "spec.json"):  # fmt: skip
        assert (out / name).is_file(), name
    assert (out / "bundle" / "bundle.json").is_file()
    for key in ("task", "metric", "wall_seconds", "trials", "winner", "leaderboard", "test", "looks",
                "warnings"):  # fmt: skip
        assert key in result
    for row in result["leaderboard"]:
        assert set(row) >= {"name", "family", "select_score", "test", "parameters", "fit_seconds",
                            "predict_seconds"}  # fmt: skip


def test_encoded_rows_do_not_stay_behind(done):
    (job,) = (done[3] / "jobs").glob("*/result")
    assert not (job.parent / "prepared").exists()
    assert (job.parent / "trials").is_dir()


def test_baselines_and_trials_are_listed_with_their_devices(done):
    result = done[2]
    stages = [trial["stage"] for trial in result["trials"]]
    assert stages.count("baseline") == 4
    assert stages.count("search") == 3
    assert {trial["device"] for trial in result["trials"]} == {"fake:0", "cpu"}
    assert sum(result["devices"].values()) == len(result["trials"])


def test_a_device_that_fails_is_replaced_by_the_cpu_and_the_warning_stays(done):
    process, _, result, _ = done
    said = [text for text in result["warnings"] if "fake-broken:1" in text]
    assert len(said) == 1
    assert "CPU" in said[0]
    assert f"warning: {said[0]}" in process.stderr


def test_the_test_part_is_opened_for_winner_network_and_baselines_and_counted_once(done):
    result = done[2]
    opened = [row for row in result["leaderboard"] if row["test"] is not None]
    assert {row["family"] for row in opened} >= {"constant", "linear", "boosting"}
    assert any(row["is_network"] for row in opened)
    assert result["looks"] == 1
    n = result["n_rows"]["test"]
    assert result["test"]["roc_auc"]["n"] == n
    winner = next(row for row in opened if row["trial"] == result["winner"]["trial"])
    assert winner["test"] == result["test"]


def test_predictions_agree_with_result_and_audit(done):
    _, out, result, _ = done
    frame = pd.read_parquet(out / "predictions.parquet")
    assert list(frame.columns) == [
        "row_id", "truth", "prediction", "probability_high", "probability_low", "sensitive_sex",
    ]  # fmt: skip
    accuracy = float((frame["truth"] == frame["prediction"]).mean())
    assert result["test"]["accuracy"]["value"] == pytest.approx(accuracy)
    counts = json.loads((out / "audit.json").read_text())["counts"]
    assert {row["group"]: sum(row[k] for k in ("tn", "fp", "fn", "tp")) for row in counts} == (
        frame["sensitive_sex"].value_counts().to_dict()
    )


def test_a_leak_is_named_on_a_line_of_its_own_and_not_dropped(done):
    process, _, result, _ = done
    lines = [line for line in process.stderr.splitlines() if line.startswith("warning:")]
    assert any("'tell'" in line for line in lines)
    assert any("'tell'" in text for text in result["warnings"])
    assert result["test"]["roc_auc"]["value"] > 0.95


def test_networks_are_averaged_over_three_seeds_with_their_spread(done):
    result = done[2]
    assert result["best_network"]["members"] == 3
    spread = result["seeds"][result["best_network"]["name"]]
    assert spread["part"] == "calibrate"
    assert len(spread["values"]) == 3
    assert result["best_network"]["layers"]


def test_the_gain_over_the_best_fixed_baseline_and_its_cost_are_said_in_words(done):
    result = done[2]
    baselines = [row for row in result["leaderboard"] if row["is_baseline"]]
    best = max(baselines, key=lambda row: row["select_score"])
    gain, worth = result["gain"], result["worth"]
    assert gain["baseline"] == worth["baseline"] == best["name"]
    assert result["best_network"]["name"] in gain["sentence"]
    assert gain["sentence"] in worth["sentence"]
    assert f"and {worth['n_trials']} trials." in worth["sentence"]
    assert worth["sentence"] in done[0].stdout


def test_the_bundle_predicts_the_same_numbers_from_the_file(done, table):
    _, out, _, home = done
    file = out / "rows.csv"
    process = _run(
        home, "predict", str(out / "bundle"), str(table), "--out", str(file), "--coverage", "0.9"
    )
    assert process.returncode == 0, process.stderr
    predicted = pd.read_csv(file).set_index("row_id")
    tested = pd.read_parquet(out / "predictions.parquet").set_index("row_id")
    both = predicted.loc[tested.index]
    assert np.allclose(both["probability_high"], tested["probability_high"], atol=1e-6)
    assert (both["prediction"] == tested["prediction"]).all()
    # the bound is that of the calibrate part: 90 % of its rows, and one more, are within it
    calibrated = pd.read_parquet(out / "calibrate_predictions.parquet").set_index("row_id")
    sets = predicted["prediction_set"].loc[calibrated.index]
    held = sum(truth in json.loads(each) for truth, each in zip(calibrated["truth"], sets, strict=True))  # fmt: skip
    assert held >= find_rank(len(calibrated), 0.9)
    assert f"the {len(calibrated)} calibrate rows" in process.stderr


def test_the_audit_of_the_predictions_gives_the_same_counts(done):
    _, out, _, home = done
    process = _run(
        home, "audit", str(out / "predictions.parquet"), "--truth", "truth", "--prediction",
        "prediction", "--positive", "high", "--sensitive", "sensitive_sex", "--out",
        str(out / "again"),
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    key = ("group", "tn", "fp", "fn", "tp")
    first = json.loads((out / "audit.json").read_text())["counts"]
    second = json.loads((out / "again" / "audit.json").read_text())["counts"]
    assert [[row[k] for k in key] for row in first] == [[row[k] for k in key] for row in second]


def test_a_threshold_is_tried_from_the_shell_and_nothing_is_written(done, capsys):
    _, out, _, _ = done
    before = (out / "result.json").read_bytes()
    arguments = ["--goal", "cost", "--costs=0,1,10,0"]
    assert main(["threshold", str(out), *arguments]) == 0
    said = capsys.readouterr().out
    assert "the lowest mean cost (TP 0, FP 1, FN 10, TN 0) on the calibrate part" in said
    assert "On the test part, n = 60: Selection rate" in said
    assert "Not stored" in said
    assert (out / "result.json").read_bytes() == before


def test_a_stored_threshold_decides_everywhere_and_can_be_undone(done, table, monkeypatch):
    home = done[3]
    monkeypatch.setenv("FAIRLOOM_HOME", str(home))
    monkeypatch.setenv("FAIRLOOM_DEVICES", "fake:0")
    (folder,) = (home / "jobs").glob("*/result")
    first = pd.read_parquet(folder / "predictions.parquet")
    old = read_manifest(folder / "bundle")
    threshold = float(first["probability_high"].quantile(0.9).round(4))
    request = ThresholdRequest(threshold=threshold, by="Ana", reason="Misses | cost *less*")
    spec = {"search": folder.parent.name, "request": render_request(request)}
    with open_own_worker(Settings()) as worker:
        job = worker.run(NewJob(kind=JobKind.THRESHOLD, title="t", spec=spec), lambda _: None)
    assert job.state is JobState.SUCCEEDED, job.outcome
    assert job.result["threshold"] == threshold

    (change,) = read_changes(json.loads((folder / "result.json").read_text()))
    assert (change.threshold, change.previous, change.by) == (threshold, 0.5, "Ana")
    assert change.reason == "Misses | cost *less*"
    for name in ("predictions.parquet", "calibrate_predictions.parquet"):
        rows = pd.read_parquet(folder / name)
        is_flagged = rows["probability_high"] >= threshold
        assert (rows["prediction"] == np.where(is_flagged, "high", "low")).all()
    rows = pd.read_parquet(folder / "predictions.parquet")
    assert (rows["prediction"] != first["prediction"]).any()
    audit = json.loads((folder / "audit.json").read_text())
    n_flagged = sum(row["tp"] + row["fp"] for row in audit["counts"])
    assert (audit["threshold"], n_flagged) == (threshold, (rows["prediction"] == "high").sum())
    assert "Ana: Misses" in audit["protocol"]["Decision threshold"]
    assert any("compares decisions at 0.5" in text for text in audit["warnings"])
    with load_bundle(folder / "bundle") as bundle:  # its files fit their hashes
        assert bundle.manifest.threshold == threshold
        found = bundle.predict(pd.read_csv(table)).set_index("row_id").loc[rows["row_id"]]
        assert (found["prediction"].to_numpy() == rows["prediction"].to_numpy()).all()
        precision = bundle.manifest.metrics["precision"]["value"]
        flagged = rows["prediction"] == "high"
        assert precision == pytest.approx((rows["truth"][flagged] == "high").mean())
    card = (folder / "bundle" / "README.md").read_text()
    assert f"from a probability of {threshold:g} on" in card
    assert "by Ana: Misses \\| cost *less*" in card

    undone = run_change(
        {
            "folder": str(folder),
            "spec": str(folder.parent / "spec.json"),
            "request": render_request(ThresholdRequest()),
            "is_stored": True,
        },
        lambda _share, _words: None,
    )
    assert (undone["threshold"], undone["previous"]) == (0.5, threshold)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "predictions.parquet"), first)
    again = read_manifest(folder / "bundle")
    assert (again.threshold, again.metrics, again.training) == (0.5, old.metrics, old.training)
    assert json.loads((folder / "audit.json").read_text())["threshold"] == 0.5
    assert len(read_changes(json.loads((folder / "result.json").read_text()))) == 2


def test_bad_input_is_one_line_with_the_value(done, table, tmp_path):
    process = _run(
        done[3], "search", str(table), "--target", "wealth", "--out", str(tmp_path / "o")
    )
    assert process.returncode == 2
    (line,) = process.stderr.splitlines()
    assert "'wealth'" in line


def test_ctrl_c_stops_and_keeps_the_best(table, tmp_path):
    environment = {
        **os.environ,
        "FAIRLOOM_HOME": str(tmp_path / "home"),
        "FAIRLOOM_DEVICES": "fake:0",
    }
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "automl", "search", str(table), "--target", "income", "--budget",
         "10m", "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    for line in process.stdout:
        if "Searching" in line:
            process.send_signal(signal.SIGINT)
            break
    _, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    result = json.loads((out / "result.json").read_text())
    assert result["winner"]["name"]
    assert result["wall_seconds"] < 120
    assert any("stopped early" in text for text in result["warnings"])
    assert (out / "report.html").is_file()


def test_a_spec_belongs_to_its_data_and_decides_everything_else(done, table, tmp_path):
    _, out, _, home = done
    other = tmp_path / "other.csv"
    other.write_text(table.read_text().replace("Ulm", "Köln"))
    spec = str(out / "spec.json")
    for arguments, named in (
        ([str(other), "--spec", spec], "spec was made for"),
        ([str(table), "--spec", spec, "--metric", "accuracy"], "--metric"),
        ([str(table), "--spec", spec, "--target", "age"], "'age'"),
    ):
        process = _run(home, "search", *arguments, "--out", str(tmp_path / "o"))
        assert process.returncode == 2
        assert named in process.stderr


def test_a_search_for_a_front_within_limits_by_another_sampler(table, tmp_path):
    process = _run(
        tmp_path / "home", "search", str(table), "--target", "income", "--trials", "4", "--ignore", "tell",
        "--families", "mlp,boosting", "--sampler", "nsga2", "--objective", "latency", "--max-parameters", "8k",
        "--range", "mlp.depth=1..2", "--out", str(tmp_path / "out"), devices="fake:0",
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert "Front (nobody is better in everything)" in process.stdout
    assert all(row["values"]["latency"]["value"] > 0 for row in result["pareto"])
    assert result["limits"]["seen"] >= 4
    winner = next(row for row in result["trials"] if row["number"] == result["winner"]["trial"])
    assert winner["parameters"] <= 8_000
    spec = json.loads((tmp_path / "out" / "spec.json").read_text())
    assert (spec["sampler"], spec["spaces"]["mlp"]["depth"]["high"]) == ("nsga2", 2)
    assert "NSGA-II" in (tmp_path / "out" / "report.html").read_text()
