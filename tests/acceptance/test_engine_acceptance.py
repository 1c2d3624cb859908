"""The literal commands of the issue about the engine, with the numbers they must reach."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.acceptance

COMPAS = {  # group: (TN, FP, FN, TP, FPR, FNR, PPV, NPV)
    ("race", "African-American"): (990, 805, 532, 1369, 0.4485, 0.2799, 0.6297, 0.6505),
    ("race", "Caucasian"): (1139, 349, 461, 505, 0.2345, 0.4772, 0.5913, 0.7119),
    ("race", "Hispanic"): (318, 87, 129, 103, 0.2148, 0.5560, 0.5421, 0.7114),
    ("race", "Other"): (208, 36, 90, 43, 0.1475, 0.6767, 0.5443, 0.6980),
    ("race", "Asian"): (21, 2, 3, 6, 0.0870, 0.3333, 0.7500, 0.8750),
    ("race", "Native American"): (5, 3, 1, 9, 0.3750, 0.1000, 0.7500, 0.8333),
    ("sex", "Female"): (609, 288, 195, 303, 0.3211, 0.3916, 0.5127, 0.7575),
    ("sex", "Male"): (2072, 994, 1021, 1732, 0.3242, 0.3709, 0.6354, 0.6699),
    ("age_cat", "25 - 45"): (1479, 741, 706, 1183, 0.3338, 0.3737, 0.6149, 0.6769),
    ("age_cat", "Greater than 45"): (897, 181, 285, 213, 0.1679, 0.5723, 0.5406, 0.7589),
    ("age_cat", "Less than 25"): (305, 360, 225, 639, 0.5414, 0.2604, 0.6396, 0.5755),
}
RATES = (
    "false_positive_rate",
    "false_negative_rate",
    "precision",
    "negative_predictive_value",
)


def _command(home: Path, *arguments: str, devices: str = "") -> tuple[list[str], dict[str, str]]:
    environment = {**os.environ, "FAIRLOOM_HOME": str(home), "FAIRLOOM_DEVICES": devices}
    return [sys.executable, "-m", "automl", *arguments], environment


def _run(home: Path, *arguments: str, devices: str = "cpu:0,cpu:1") -> None:
    command, environment = _command(home, *arguments, devices=devices)
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr


def _read(out: Path, name: str = "result.json") -> dict:
    return json.loads((out / name).read_text())


def test_adult_in_180_seconds(data_folder, tmp_path):
    out = tmp_path / "out"
    _run(
        tmp_path / "home", "search", str(data_folder / "adult_train.csv"), "--target", "income",
        "--test", str(data_folder / "adult_test.csv"), "--sensitive", "sex", "--budget", "180s",
        "--out", str(out),
    )  # fmt: skip
    result = _read(out)
    networks = [row for row in result["leaderboard"] if row["is_network"] and row["test"]]
    tried = [t for t in result["trials"] if t["is_network"] and t["stage"] == "search"]
    assert result["test"]["roc_auc"]["value"] >= 0.926
    assert max(row["test"]["roc_auc"]["value"] for row in networks) >= 0.915
    assert len(tried) >= 20
    assert len({trial["architecture"] for trial in tried}) >= 10
    assert result["wall_seconds"] <= 199
    assert result["first_model_seconds"] < 20
    assert result["looks"] == 1


def test_california_in_180_seconds(data_folder, tmp_path):
    out = tmp_path / "out"
    _run(
        tmp_path / "home", "search", str(data_folder / "california_housing.csv"), "--target",
        "median_house_value", "--budget", "180s", "--out", str(out),
    )  # fmt: skip
    result = _read(out)
    opened = {row["name"]: row for row in result["leaderboard"] if row["test"]}
    boosting = next(r for r in opened.values() if r["is_baseline"] and r["family"] == "boosting")
    limit = boosting["test"]["rmse"]["value"]
    best = min(row["test"]["rmse"]["value"] for row in opened.values() if row["is_network"])
    assert result["test"]["rmse"]["value"] <= 0.97 * limit
    assert best <= 1.05 * limit
    assert result["wall_seconds"] <= 199


def test_compas_audit(data_folder, tmp_path):
    out = tmp_path / "out"
    _run(
        tmp_path / "home", "audit", str(data_folder / "compas_two_years.csv"), "--truth",
        "two_year_recid", "--score", "decile_score", "--threshold", "5", "--positive", "1",
        "--sensitive", "race", "--sensitive", "sex", "--sensitive", "age_cat", "--out", str(out),
    )  # fmt: skip
    audit = _read(out, "audit.json")
    counts = {(row["attribute"], row["group"]): row for row in audit["counts"]}
    metrics = {(row["attribute"], row["group"]): row["metrics"] for row in audit["by_group"]}
    assert set(counts) == set(COMPAS)
    for key, (tn, fp, fn, tp, *rates) in COMPAS.items():
        found = counts[key]
        assert (found["tn"], found["fp"], found["fn"], found["tp"]) == (tn, fp, fn, tp), key
        for name, value in zip(RATES, rates, strict=True):
            assert round(metrics[key][name]["value"], 4) == pytest.approx(value, abs=1e-9), key
    overall = audit["overall"]
    assert [overall[k] for k in ("tn", "fp", "fn", "tp")] == [2681, 1282, 1216, 2035]
    assert audit["calibration"]["status"] == "not_estimable"
    assert (out / "report.html").stat().st_size > 100_000


def test_two_runs_of_twelve_trials_are_the_same(data_folder, tmp_path):
    tables = []
    for name in ("a", "b"):
        _run(
            tmp_path / f"home-{name}", "search", str(data_folder / "adult_train.csv"), "--target",
            "income", "--trials", "12", "--seed", "0", "--out", str(tmp_path / name),
        )  # fmt: skip
        result = _read(tmp_path / name)
        keys = ("number", "family", "config", "stage", "state", "score", "n_epochs", "best_epoch")
        tables.append(
            (
                [{key: trial[key] for key in keys} for trial in result["trials"]],
                [(row["name"], row["select_score"], row["test"]) for row in result["leaderboard"]],
            )
        )
    assert tables[0] == tables[1]
    assert sum(trial["stage"] == "search" for trial in tables[0][0]) == 12


def test_four_devices_share_the_trials_and_a_dead_trainer_is_replaced(data_folder, tmp_path):
    out = tmp_path / "out"
    command, environment = _command(
        tmp_path / "home", "search", str(data_folder / "german_credit.csv"), "--target", "class-label",
        "--budget", "60s", "--out", str(out), devices="fake:0,fake:1,fake:2,fake:3",
    )  # fmt: skip
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    killed = _kill_a_trainer(tmp_path / "home", process)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    result = _read(out)
    devices = {trial["device"] for trial in result["trials"] if trial["stage"] == "search"}
    assert devices == {"fake:0", "fake:1", "fake:2", "fake:3"}
    log = next((tmp_path / "home" / "jobs").glob("*/trainers")).parent / "log.jsonl"
    assert killed
    assert "was replaced" in log.read_text()
    failed = [trial for trial in result["trials"] if trial["state"] == "failed"]
    assert all(trial["failure_kind"] for trial in failed)


def _kill_a_trainer(home: Path, process: subprocess.Popen) -> bool:
    """SIGKILL one trainer process of the search, once several trials have run."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        epochs = list((home / "jobs").glob("*/epochs.jsonl"))
        if epochs and epochs[0].read_text().count("\n") > 30:
            for child in psutil.Process(process.pid).children(recursive=True):
                if _is_trainer(child):
                    child.send_signal(signal.SIGKILL)
                    return True
        time.sleep(0.5)
    return False


def _is_trainer(child: psutil.Process) -> bool:
    """Trainers lead their own session and are forked from the fork server."""
    try:
        leads = os.getsid(child.pid) == child.pid
        return leads and "forkserver" in " ".join(child.cmdline())
    except (psutil.Error, ProcessLookupError):
        return False
