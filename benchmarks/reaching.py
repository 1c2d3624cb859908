"""Seconds until our search first reaches the final select score of the loop of Optuna's documentation.

``python -m benchmarks.reaching [--table california] [--widths 128 256] [--seeds 3] [--budget 180] [--out FILE.json]`` runs,
for every seed, our search as it is by default (all families; on all cores) and then the loop of ``benchmarks.plain_loop`` at each
width on the very rows of that search: same split, same select part, same metric. Our clock starts when the search is claimed, so
that splitting and encoding count, and a model counts when it is finished; the loop's starts with its first trial. Printed are medians
over the seeds of our seconds over the loop's (goal: 1/4 at width 128, 1/2 at 256), also over its seconds to its best trial, and
with our networks alone. The table is one with a select part of its own, not so small that its rows are shared in folds. Both sides' best select scores over time are in the record. Where the score was not reached in the budget
the ratio is null: then it is above ``budget_over_loop``.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from automl.search.preparation import SEARCH_ROWS, run_preparation
from automl.settings import Settings
from automl.worker.child_folder import render_settings
from benchmarks.machine import describe_machine, write_record
from benchmarks.tables import list_tables, place_table
from benchmarks.watched_search import Watched, find_reached, watch_search
from tests.conftest import ROOT

GOALS = {128: 0.25, 256: 0.5}


def run_seed(options: argparse.Namespace, seed: int) -> list[dict[str, Any]]:
    """One search, then the loop at every width on its rows."""
    table = list_tables()[options.table]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        budget = ["--budget", f"{options.budget:g}s", "--seed", str(seed)]
        budget += ["--folds", "none"]  # both are scored on the select part
        watched = watch_search(
            [*place_table(table, folder), *budget], folder / "home", folder / "out"
        )
        if watched.failure:
            sys.exit(f"The search failed: {watched.failure}")
        prepare_rows(folder, watched.result["hashes"]["split"])
        widths = options.widths if seed % 2 == 0 else options.widths[::-1]
        loops = [call_loop(folder, width, seed, options) for width in widths]
    return [compare(loop, watched, options.budget) for loop in loops]


def prepare_rows(folder: Path, split: str) -> None:
    """The rows of the search once more, by its spec; they must be split as they were then."""
    spec = (folder / "out" / "spec.json").read_text()
    arguments = {
        "spec": spec,
        "folder": str(folder / "prepared"),
        "settings": render_settings(Settings(home=folder / "home")),
    }
    record = run_preparation(arguments, lambda _fraction, _words: None)
    if record["split_hash"] != split:
        sys.exit("The rows were split in another way than by the search.")
    (folder / "task.json").write_text(json.dumps(json.loads(spec)["task"]))


def call_loop(folder: Path, width: int, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """The plain loop in a process of its own."""
    out = folder / f"loop{width}.json"
    command = [
        sys.executable, "-m", "benchmarks.plain_loop", str(folder / "prepared" / SEARCH_ROWS),
        "--task", str(folder / "task.json"), "--width", str(width), "--trials", str(options.trials),
        "--epochs", str(options.epochs), "--seed", str(seed), "--out", str(out),
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def compare(loop: dict[str, Any], watched: Watched, budget: float) -> dict[str, Any]:
    """Our seconds to the loop's final score, and what they are of its own."""
    reached = find_reached(watched.curve, loop["score"])
    by_network = find_reached(watched.networks, loop["score"])
    cost = watched.result["cost"]
    found = {
        "width": loop["width"],
        "seed": loop["seed"],
        "metric": watched.result["metric"],
        "loop_score": loop["score"],
        "loop_seconds": loop["seconds"],
        "our_seconds": reached,
        "our_seconds_by_network": by_network,
        "our_final_score": watched.curve[-1]["score"],
        "our_trials_per_minute": 60 * cost["n_trials"] / cost["search_seconds"],
        "our_peak_memory_gb": round(watched.peak_bytes / 1e9, 2),
        "over_loop": divide(reached, loop["seconds"]),
        "over_loop_by_network": divide(by_network, loop["seconds"]),
        "over_loop_to_its_best": divide(reached, loop["seconds_to_best"]),
        "budget_over_loop": budget / loop["seconds"],
        "loop": loop,
        "our_score_over_time": list(watched.curve),
        "our_networks_over_time": list(watched.networks),
    }
    shown = ("width", "seed", "loop_score", "loop_seconds", "our_seconds", "over_loop")
    print(json.dumps({key: found[key] for key in shown}), file=sys.stderr, flush=True)
    return found


def divide(first: float | None, second: float) -> float | None:
    return None if first is None else first / second


def summarise(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The median over the seeds at each width; what was never reached is the slowest of all."""
    keys = ("over_loop", "over_loop_by_network", "over_loop_to_its_best", "loop_seconds")
    rows = []
    for width in sorted({run["width"] for run in runs}):
        own = [run for run in runs if run["width"] == width]
        medians = {key: find_median(run[key] for run in own) for key in keys}
        rows.append({"width": width, "seeds": len(own), **medians, "goal": GOALS.get(width)})
    return rows


def find_median(values: Iterable[float | None]) -> float | None:
    median = statistics.median(float("inf") if value is None else value for value in values)
    return None if median == float("inf") else round(median, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", choices=list_tables(), default="california")
    parser.add_argument("--widths", type=int, nargs="+", default=list(GOALS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=180, help="seconds of our search")
    parser.add_argument("--trials", type=int, default=100, help="of the loop")
    parser.add_argument("--epochs", type=int, default=10, help="of each trial of the loop")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    machine = describe_machine()
    runs = [run for seed in range(options.seeds) for run in run_seed(options, seed)]
    record = {
        "machine": machine,
        "table": options.table,
        "budget_seconds": options.budget,
        "loop": {"trials": options.trials, "epochs": options.epochs, "sampler": "tpe", "pruner": "median"},
        "summary": summarise(runs),
        "runs": runs,
    }  # fmt: skip
    print(json.dumps({key: record[key] for key in ("machine", "table", "summary")}, indent=2))
    write_record(record, options.out)


if __name__ == "__main__":
    main()
