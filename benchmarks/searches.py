"""Our search on the shared tables: final score, ensemble against single model, budget, first model.

``python -m benchmarks.searches [--tables adult california …] [--budget 180] [--seeds 3] [--out FILE.json]`` runs the shell's
own command and prints one line per run, then one JSON object. Of each run: the test value of what was delivered, of the
best single model, of the best network and of LightGBM with its defaults on the same rows of the same run; errors (1 − AUC,
log loss or RMSE) as ratios; whether the budget was kept (5 % and 10 s); seconds to the first usable model. The delivered
model may be the single one: then the ensemble was not preferred by the rows that judge it, and that counts as no gain.
Nothing here is a test.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, find_data

TABLES: dict[str, tuple[str, ...]] = {
    "adult": ("adult_train.csv", "--target", "income", "--test", "adult_test.csv"),
    "california": ("california_housing.csv", "--target", "median_house_value"),
    "telco": ("telco_churn.csv", "--target", "Churn"),
    "german": ("german_credit.csv", "--target", "class-label"),
    "titanic": ("titanic.csv", "--target", "Survived"),
    "wine": ("sample:wine", "--target", "cultivar"),
    "breast_cancer": ("sample:breast_cancer", "--target", "diagnosis"),
    "diabetes": ("sample:diabetes", "--target", "progression"),
    "loans": ("sample:loans", "--target", "approved"),
}
PACKAGES = ("torch", "optuna", "scikit-learn", "lightgbm", "numpy")


def locate(folder: Path, argument: str) -> str:
    """Files of the data folder by their place, all else as it is."""
    return str(folder / argument) if argument.endswith(".csv") else argument


def search(folder: Path, table: str, budget: int, seed: int) -> dict[str, Any]:
    """One search by the shell; what of its result matters here."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        command = [
            sys.executable, "-m", "automl", "search", *(locate(folder, each) for each in TABLES[table]),
            "--budget", f"{budget}s", "--seed", str(seed), "--out", str(out),
        ]  # fmt: skip
        environment = {**os.environ, "FAIRLOOM_HOME": str(Path(name) / "home")}
        done = subprocess.run(
            command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            return {"table": table, "seed": seed, "failure": done.stderr.strip()[-300:]}
        return {"table": table, "seed": seed} | describe(
            json.loads((out / "result.json").read_text()), budget
        )


def describe(result: dict[str, Any], budget: int) -> dict[str, Any]:
    """Test values by role, error ratios, budget and first model."""
    metric = result["metric"]
    opened = [row for row in result["leaderboard"] if row["test"]]
    values = {
        role: next((row["test"][metric]["value"] for row in opened if role in row["roles"]), None)
        for role in ("winner", "single", "network")
    }
    values["lightgbm_default"] = next(
        row["test"][metric]["value"]
        for row in opened
        if row["family"] == "lightgbm" and "baseline" in row["roles"]
    )
    errors = {
        role: None if value is None else compute_error(metric, value)
        for role, value in values.items()
    }
    single = errors["single"] or errors["winner"]
    return {
        "metric": metric,
        "test": result["test"][metric],
        "accuracy": result["test"].get("accuracy", {}).get("value"),
        "values": values,
        "error_over_lightgbm_default": errors["winner"] / errors["lightgbm_default"],
        "error_over_single": errors["winner"] / single,
        "members": result["winner"]["members"],
        "trials": result["cost"]["n_trials"],
        "first_model_seconds": result["first_model_seconds"],
        "wall_seconds": result["wall_seconds"],
        "budget_kept": result["wall_seconds"] <= 1.05 * budget + 10,
    }


def compute_error(metric: str, value: float) -> float:
    """1 − AUC, or a loss as it is."""
    return 1 - value if metric == "roc_auc" else value


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the seeds of each table, and how often the ensemble was better than the best single model."""
    done = [run for run in runs if "failure" not in run]
    tables: dict[str, Any] = {}
    for table in dict.fromkeys(run["table"] for run in done):
        rows = [run for run in done if run["table"] == table]
        tables[table] = {
            key: statistics.median(run[key] for run in rows)
            for key in ("error_over_lightgbm_default", "error_over_single", "first_model_seconds", "wall_seconds")
        } | {
            "value": statistics.median(run["test"]["value"] for run in rows),
            "network": statistics.median(run["values"]["network"] for run in rows if run["values"]["network"] is not None),
            "accuracy": statistics.median(run["accuracy"] for run in rows) if rows[0]["accuracy"] else None,
            "seeds": len(rows),
        }  # fmt: skip
    better = [run["error_over_single"] < 1 for run in done]
    return {
        "tables": tables,
        "ensemble_better_share": sum(better) / len(better) if better else None,
        "budgets_kept": sum(run["budget_kept"] for run in done),
        "runs": len(done),
        "failures": len(runs) - len(done),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--budget", type=int, default=180, help="seconds per search")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    folder = find_data()
    if folder is None:
        sys.exit("The real data are absent: set FAIRLOOM_TEST_DATA.")
    runs = []
    for table in options.tables:
        for seed in range(options.seeds):
            runs.append(search(folder, table, options.budget, seed))
            print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    machine = {name: version(name) for name in PACKAGES}
    machine |= {"python": platform.python_version(), "cores": os.cpu_count()}
    record = {"budget_seconds": options.budget, "machine": machine, "summary": summarise(runs), "runs": runs}  # fmt: skip
    print(json.dumps(record["summary"], indent=2))
    if options.out:
        options.out.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
