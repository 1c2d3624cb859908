"""Plain search against weight-sharing search at equal time on the same pictures, as a ratio of test errors.

``python -m benchmarks.weight_sharing [--budget 240] [--pairs 2]`` runs the shell's own command in the order
A-B-B-A, seeds alike within a pair, and prints one JSON object: the test error of each run, the ratio per pair
(weight sharing / plain; below 1 means fewer errors with weight sharing) and their median. Nothing is trained
here that a click would not train. Absolute accuracies depend on the machine; the ratio is the figure.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, find_data

METHODS = ("plain", "weight_sharing")


def search(file: Path, method: str, budget: int, seed: int) -> dict[str, Any]:
    """One search by the shell; what of its result matters here."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        command = [
            sys.executable, "-m", "automl", "search", str(file), "--budget", f"{budget}s",
            "--method", method, "--families", "cnn", "--seed", str(seed), "--out", str(out),
        ]  # fmt: skip
        environment = {**os.environ, "FAIRLOOM_HOME": str(Path(name) / "home")}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        result = json.loads((out / "result.json").read_text())
    accuracy = result["test"]["accuracy"]
    searched = [trial for trial in result["trials"] if trial["stage"] == "search"]
    return {
        "method": method,
        "seed": seed,
        "error": 1 - accuracy["value"],
        "interval": [1 - accuracy["high"], 1 - accuracy["low"]],
        "n": accuracy["n"],
        "winner": result["winner"]["architecture"],
        "trials": len(searched),
        "architectures": len({trial["architecture"] for trial in searched}),
        "wall_seconds": result["wall_seconds"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=int, default=240, help="seconds per search")
    parser.add_argument("--pairs", type=int, default=2)
    options = parser.parse_args()
    folder = find_data()
    if folder is None:
        sys.exit("The real data are absent: set FAIRLOOM_TEST_DATA.")
    runs = []
    for pair in range(options.pairs):
        order = METHODS if pair % 2 == 0 else METHODS[::-1]
        for method in order:
            runs.append(search(folder / "cifar10_12k.zip", method, options.budget, seed=pair))
            print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    ratios = []
    for pair in range(options.pairs):
        errors = {run["method"]: run["error"] for run in runs if run["seed"] == pair}
        ratios.append(errors["weight_sharing"] / errors["plain"])
    print(
        json.dumps(
            {
                "budget_seconds": options.budget,
                "runs": runs,
                "error_ratio_weight_sharing_to_plain": ratios,
                "median_ratio": statistics.median(ratios),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
