"""Our search on many tables: final score, ensemble against single model, budget, memory, score over time.

``python -m benchmarks.searches [--tables adult california …] [--manifest FILE.json …] [--budget 180] [--seeds 3]
[--out FILE.json] [--list]`` runs the shell's own command and prints one line per run, then a summary. Of each run: the test
value of what was delivered, of the best single model, of the best network and of LightGBM with its defaults on the same rows of the
same run; errors (1 − AUC, log loss or RMSE) as ratios; the share of the time that building ensembles took; whether the
budget was kept (5 % and 10 s); seconds to the first usable model; trials per minute; peak memory of all its processes together;
the best select score over time. The test part is seen by neither the single model nor the ensemble. The delivered model may be the
single one: then the ensemble was not preferred by the rows that judge it, and that counts as no gain. Nothing here is a test.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, write_record
from benchmarks.tables import BenchTable, list_tables, place_table, read_manifest
from benchmarks.watched_search import Watched, is_budget_kept, watch_search
from fairness.definitions import METRICS

BETTER_SHARE, ENSEMBLE_SHARE = 0.85, 0.02


def search(table: BenchTable, budget: float, seed: int) -> dict[str, Any]:
    """One search by the shell; what of its result matters here."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = [*place_table(table, folder), "--budget", f"{budget:g}s", "--seed", str(seed)]
        watched = watch_search(arguments, folder / "home", folder / "out")
    run = {"table": table.name, "origin": table.origin, "seed": seed}
    if watched.failure:
        return run | {"failure": watched.failure}
    return run | describe(watched.result, budget) | describe_cost(watched)


def describe(result: dict[str, Any], budget: float) -> dict[str, Any]:
    """Test values by role, error ratios, budget and first model."""
    metric = result["metric"]
    opened = [row for row in result["leaderboard"] if row["test"]]
    values = {
        role: next((row["test"][metric]["value"] for row in opened if role in row["roles"]), None)
        for role in ("winner", "single", "network")
    }
    values["lightgbm_default"] = find_baseline(opened, metric)
    errors = {
        role: None if value is None else compute_error(metric, value)
        for role, value in values.items()
    }
    single = errors["winner"] if errors["single"] is None else errors["single"]
    return {
        "metric": metric,
        "test": result["test"][metric],
        "accuracy": result["test"].get("accuracy", {}).get("value"),
        "values": values,
        "error_over_lightgbm_default": divide(errors["winner"], errors["lightgbm_default"]),
        "error_over_single": divide(errors["winner"], single),
        "is_ensemble": result["winner"]["family"] == "ensemble",
        "ensemble_share": result["cost"]["ensemble_seconds"] / result["wall_seconds"],
        "members": result["winner"]["members"],
        "trials": result["cost"]["n_trials"],
        "trials_per_minute": 60 * result["cost"]["n_trials"] / result["cost"]["search_seconds"],
        "first_model_seconds": result["first_model_seconds"],
        "wall_seconds": result["wall_seconds"],
        "budget_kept": is_budget_kept(result["wall_seconds"], budget),
    }


def find_baseline(opened: list[dict[str, Any]], metric: str) -> float | None:
    """The test value of LightGBM with its defaults; None where the budget ended before it."""
    found = (
        row["test"][metric]["value"]
        for row in opened
        if row["family"] == "lightgbm" and "baseline" in row["roles"]
    )
    return next(found, None)


def divide(first: float, second: float | None) -> float | None:
    """A ratio of errors; 1 where both are none, None where there is no finite one."""
    if second is None or (second == 0 and first > 0):
        return None
    return first / second if second else 1.0


def compute_error(metric: str, value: float) -> float:
    """What is missing to 1, or a loss as it is."""
    return 1 - value if METRICS[metric].direction == "higher" else value


def describe_cost(watched: Watched) -> dict[str, Any]:
    """Seconds of the whole command, peak memory in GB, and the best select score over time."""
    return {
        "command_seconds": round(watched.seconds, 1),
        "cpu_seconds": round(watched.cpu_seconds, 1),
        "peak_memory_gb": round(watched.peak_bytes / 1e9, 2),
        "peak_anonymous_gb": round(watched.peak_anonymous_bytes / 1e9, 2),
        "score_over_time": [[point["seconds"], point["score"]] for point in watched.curve],
    }


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the seeds of each table, and how often the ensemble was better than the best single model."""
    done = [run for run in runs if "failure" not in run]
    names = dict.fromkeys(run["table"] for run in done)
    tables = {
        name: summarise_table([run for run in done if run["table"] == name]) for name in names
    }
    ratios = [row["error_over_single"] for row in tables.values()]
    better = [ratio is not None and ratio < 1 for ratio in ratios]
    shares = [run["ensemble_share"] for run in done]
    return {
        "tables": tables,
        "tasks": len(tables),
        "ensemble_better": sum(better),
        "ensemble_better_share": sum(better) / len(better) if better else None,
        "goal_ensemble_better_share": BETTER_SHARE,
        "single_delivered": sum(not run["is_ensemble"] for run in done),
        "worst_ensemble_share_of_time": max(shares, default=None),
        "goal_ensemble_share_of_time": ENSEMBLE_SHARE,
        "budgets_kept": sum(run["budget_kept"] for run in done),
        "peak_memory_gb": max((run["peak_memory_gb"] for run in done), default=None),
        "runs": len(done),
        "failures": len(runs) - len(done),
    }


def summarise_table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the seeds of one table; the budget must be kept by all of them."""
    keys = (
        "error_over_lightgbm_default", "error_over_single", "ensemble_share", "first_model_seconds",
        "trials_per_minute", "wall_seconds", "peak_memory_gb",
    )  # fmt: skip
    return {key: find_median(row[key] for row in rows) for key in keys} | {
        "metric": rows[0]["metric"],
        "value": find_median(row["test"]["value"] for row in rows),
        "network": find_median(row["values"]["network"] for row in rows),
        "accuracy": find_median(row["accuracy"] for row in rows),
        "budget_kept": all(row["budget_kept"] for row in rows),
        "seeds": len(rows),
    }


def find_median(values: Iterable[float | None]) -> float | None:
    """The median of those that are there."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def choose_tables(options: argparse.Namespace) -> list[BenchTable]:
    """Those that are named; else those of the manifests, and without one the whole suite."""
    own = [table for path in options.manifest for table in read_manifest(path)]
    known = list_tables()
    absent = [name for name in options.tables if name not in known]
    if absent:
        sys.exit(f"There are no tables {', '.join(absent)} here; --list shows those there are.")
    if options.tables or own:
        return [*(known[name] for name in options.tables), *own]
    return [table for table in known.values() if table.is_in_suite]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", default=[], metavar="NAME")
    parser.add_argument(
        "--manifest", nargs="+", type=Path, default=[], help="see benchmarks.tables"
    )
    parser.add_argument("--budget", type=float, default=180, help="seconds per search")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--list", action="store_true", help="only name the tables")
    options = parser.parse_args()
    tables = choose_tables(options)
    if options.list:
        for table in {**list_tables(), **{each.name: each for each in tables}}.values():
            rest = "" if table.is_in_suite else " (only when named)"
            print(f"{table.name:14} {table.origin:13} {table.about}{rest}")
        return
    machine = describe_machine()
    runs = []
    for table in tables:
        for seed in range(options.seeds):
            runs.append(search(table, options.budget, seed))
            print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    record = {"machine": machine, "budget_seconds": options.budget, "summary": summarise(runs), "runs": runs}  # fmt: skip
    print(json.dumps({"machine": machine, "summary": record["summary"]}, indent=2))
    write_record(record, options.out)


if __name__ == "__main__":
    main()
