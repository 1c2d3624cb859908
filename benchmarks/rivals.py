"""Our search against tuned boosting, pytabkit and AutoGluon: the same files, test rows and seconds.

``python -m benchmarks.rivals [--python PATH …] [--tables california telco …] [--budget 60] [--seeds 1] [--out FILE.json]`` splits each
table into training and test rows (a fifth; the official test rows where there are some) and gives both files to our search and
to every tool. LightGBM, as it comes and tuned by Optuna for the budget, runs in this environment; ``--python`` points at the
interpreter of another one, whose tools (TabM and RealMLP of pytabkit, AutoGluon) are run by it. Only files are exchanged. Without
one the record says so. Printed is the median of our error over theirs (1 − AUC, log loss or RMSE; below 1 is ours) and how
often ours was smaller; seconds and peak memory stand beside each error, because not every tool keeps its budget.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl.data.task import TaskType
from benchmarks import rival_runner
from benchmarks.machine import describe_machine, write_record
from benchmarks.memory import MemoryWatch
from benchmarks.searches import compute_error, divide
from benchmarks.tables import list_tables, place_table, read_cells
from benchmarks.watched_search import watch_search
from fairness.definitions import METRICS, Outcomes, compute_score

RUNNER = Path(rival_runner.__file__)
OWN_TOOLS = ("lightgbm_default", "lightgbm_tuned")
ABSENT = "not measured: no environment was pointed at"
TEST_SHARE = 0.2


def find_tools(pythons: list[Path]) -> dict[str, str]:
    """Tool → interpreter; those of LightGBM run in this one."""
    tools = dict.fromkeys(OWN_TOOLS, sys.executable)
    for python in pythons:
        done = subprocess.run(
            [str(python), str(RUNNER), "--list"], check=True, stdout=subprocess.PIPE, text=True
        )
        tools |= {name: str(python) for name in json.loads(done.stdout) if name not in OWN_TOOLS}
    return tools


def split_table(arguments: list[str], folder: Path, seed: int) -> list[str]:
    """``train.csv`` and ``test.csv`` in ``folder``, cells as they were written; the shell's arguments for them."""
    source, target = Path(arguments[0]), arguments[2]
    train, test = folder / "train.csv", folder / "test.csv"
    rest = arguments[3:]
    if "--test" in rest:
        place = rest.index("--test")
        read_cells(Path(rest[place + 1])).to_csv(test, index=False)
        read_cells(source).to_csv(train, index=False)
        rest = rest[:place] + rest[place + 2 :]
    else:
        frame = read_cells(source)
        order = np.random.default_rng(seed).permutation(len(frame))
        n_test = round(TEST_SHARE * len(frame))
        frame.iloc[np.sort(order[:n_test])].to_csv(test, index=False)
        frame.iloc[np.sort(order[n_test:])].to_csv(train, index=False)
    return [str(train), "--target", target, "--test", str(test), *rest]


def run_ours(arguments: list[str], folder: Path, budget: float, seed: int) -> dict[str, Any]:
    """Our search on the two files; what the rivals must know stands in it too."""
    watched = watch_search(
        [*arguments, "--budget", f"{budget:g}s", "--seed", str(seed)], folder / "home", folder / "out"
    )  # fmt: skip
    if watched.failure:
        return {"failure": watched.failure}
    result = watched.result
    return {
        "task": result["task"],
        "metric": result["metric"],
        "error": compute_error(result["metric"], result["test"][result["metric"]]["value"]),
        "seconds": result["wall_seconds"],
        "peak_memory_gb": round(watched.peak_bytes / 1e9, 2),
    }


def run_rival(
    tool: str, python: str, folder: Path, ours: dict[str, Any], task: dict[str, Any]
) -> dict[str, Any]:
    """One tool on the same files; its error on the same test rows."""
    (folder / "task.json").write_text(json.dumps(task))
    process = subprocess.Popen(
        [python, str(RUNNER), str(folder), "--tool", tool],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    memory = MemoryWatch(process.pid).start()
    _, said = process.communicate()
    memory.stop()
    if process.returncode:
        return {"failure": said.strip().splitlines()[-1][:200] if said.strip() else "it ended"}
    predictions = pd.read_csv(folder / "predictions.csv")
    truth = read_cells(folder / "test.csv")[task["target"]]
    error = compute_rival_error(ours["task"], ours["metric"], truth, predictions)
    return {
        "error": error,
        "ours_over_it": divide(ours["error"], error),
        "peak_memory_gb": round(memory.total_bytes / 1e9, 2),
        **json.loads((folder / "record.json").read_text()),
    }


def compute_rival_error(
    task: dict[str, Any], metric: str, truth: "pd.Series[str]", predictions: pd.DataFrame
) -> float:
    """The error by our own metric; a class that a tool never saw has no probability."""
    kind = TaskType(task["type"])
    if kind is TaskType.REGRESSION:
        values = predictions["prediction"].to_numpy(dtype=float)
        outcomes = Outcomes("regression", truth.to_numpy(dtype=float), prediction=values)
    else:
        classes = list(task["classes"])
        share = predictions.rename(columns=str).reindex(columns=classes, fill_value=0.0)
        codes = np.array([classes.index(label.strip()) for label in truth])
        outcomes = _build_outcomes(kind, task, codes, share.to_numpy(dtype=float))
    score = compute_score(metric, outcomes)
    value = -score if METRICS[metric].direction == "lower" else score
    return compute_error(metric, value)


def _build_outcomes(
    kind: TaskType, task: dict[str, Any], codes: np.ndarray, share: np.ndarray
) -> Outcomes:
    if kind is TaskType.MULTICLASS:
        return Outcomes("multiclass", codes, probability=share)
    positive = task["classes"].index(task["positive"])
    is_positive = (codes == positive).astype(np.int64)
    return Outcomes("binary", is_positive, probability=share[:, positive])


def run_table(name: str, seed: int, tools: dict[str, str], budget: float) -> dict[str, Any]:
    """Ours and every tool on one table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        arguments = split_table(place_table(list_tables()[name], folder), folder, seed)
        ours = run_ours(arguments, folder, budget, seed)
        found: dict[str, Any] = {"table": name, "seed": seed, "ours": ours}
        if "failure" in ours:
            return found
        task = {
            "type": ours["task"]["type"],
            "target": ours["task"]["target"],
            "metric": ours["metric"],
            "budget_seconds": budget,
            "seed": seed,
        }
        for tool, python in tools.items():
            found[tool] = run_rival(tool, python, folder, ours, task)
    return found


def summarise(runs: list[dict[str, Any]], tools: dict[str, str]) -> dict[str, Any]:
    """Per tool: the median ratio of errors, how often ours was smaller, and of how many; or why there is none."""
    summary: dict[str, Any] = {}
    for tool in rival_runner.TOOLS:
        rows = [run[tool] for run in runs if "ours_over_it" in run.get(tool, {})]
        ratios = [row["ours_over_it"] for row in rows if row["ours_over_it"] is not None]
        if tool not in tools:
            summary[tool] = ABSENT
        elif not ratios:
            summary[tool] = "not measured: no run of it ended well"
        else:
            summary[tool] = {
                "median_error_ratio": round(statistics.median(ratios), 4),
                "ours_smaller": sum(ratio < 1 for ratio in ratios),
                "runs": len(ratios),
                "failures": sum("failure" in run.get(tool, {}) for run in runs),
                "version": rows[0]["version"],
            }
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, nargs="+", default=[], help="other interpreters")
    parser.add_argument(
        "--tables", nargs="+", choices=list_tables(), metavar="NAME",
        default=["california", "telco", "german", "corners", "waves", "shops"],
    )  # fmt: skip
    parser.add_argument("--budget", type=float, default=60, help="seconds for each side")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tools, machine, runs = find_tools(options.python), describe_machine(), []
    for name in options.tables:
        for seed in range(options.seeds):
            runs.append(run_table(name, seed, tools, options.budget))
            print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    summary = summarise(runs, tools)
    record = {"machine": machine, "budget_seconds": options.budget, "summary": summary, "runs": runs}  # fmt: skip
    print(json.dumps({"machine": machine, "summary": summary}, indent=2))
    write_record(record, options.out)


if __name__ == "__main__":
    main()
