"""The literal commands of the issue about pictures, with the numbers they must reach."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.acceptance


def _search(home: Path, out: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "automl", "search", *arguments, "--out", str(out)]
    environment = {
        **os.environ, "FAIRLOOM_HOME": str(home), "FAIRLOOM_DEVICES": "cpu:0,cpu:1"
    }  # fmt: skip
    done = subprocess.run(
        command,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads((out / "result.json").read_text())
    return result


@pytest.mark.timeout(1800)
def test_cifar10_in_900_seconds(data_folder: Path, tmp_path: Path) -> None:
    result = _search(
        tmp_path / "home",
        tmp_path / "out",
        str(data_folder / "cifar10_12k.zip"),
        "--budget",
        "900s",
    )
    accuracy = result["test"]["accuracy"]
    assert accuracy["n"] == 2_000
    assert accuracy["value"] >= 0.68
    assert result["wall_seconds"] <= 900 * 1.05 + 10
    assert result["looks"] == 1
    tried = [trial for trial in result["trials"] if trial["family"] == "cnn"]
    assert len({trial["architecture"] for trial in tried}) >= 2
    assert "pretrained" not in {trial["family"] for trial in result["trials"]}


def test_digits_in_120_seconds(tmp_path: Path) -> None:
    result = _search(
        tmp_path / "home", tmp_path / "out", "sample:digits", "--budget", "120s", "--seed", "0"
    )
    assert result["test"]["accuracy"]["value"] >= 0.97
    assert result["wall_seconds"] <= 120 * 1.05 + 10


def test_twelve_picture_trials_repeat(tmp_path: Path) -> None:
    """The same spec gives the same trials, scores and leaderboard for pictures too."""
    runs = [
        _search(
            tmp_path / "home", tmp_path / name, "sample:digits", "--trials", "6", "--seed", "0",
            "--preset", "quick",
        )
        for name in ("a", "b")
    ]  # fmt: skip
    tables = [
        [
            (trial["number"], trial["config"], trial["state"], trial["score"], trial["n_epochs"])
            for trial in run["trials"]
        ]
        for run in runs
    ]
    assert tables[0] == tables[1]
    assert runs[0]["test"] == runs[1]["test"]
