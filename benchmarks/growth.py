"""How time and memory grow with rows and columns, the trials being the same.

``python -m benchmarks.growth [--rows 1000 10000 100000 1000000] [--columns 10 100 1000] [--trials 2] [--out FILE.json]`` writes
made-up tables of two classes, runs the shell's own search on each with a budget of trials (MLPs beside the baselines) and
prints wall and CPU seconds of the whole command, of its search alone, and the peak memory of all its processes together. Rows
grow at 10 columns, columns at 5,000 rows, the target included. Fitted is the exponent p of ``seconds ~ size ** p`` by least squares on
logarithms over all sizes, and between the two largest, where the start of Python and the report weigh least: 1 is proportional.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.generated import build_growing
from benchmarks.machine import describe_machine, write_record
from benchmarks.watched_search import watch_search

FEW_COLUMNS, FEW_ROWS = 10, 5_000
UNITS = ("seconds", "cpu_seconds", "search_seconds", "peak_memory_gb")


def run_size(n_rows: int, n_columns: int, trials: int) -> dict[str, Any]:
    """One search over one made-up table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = folder / "table.csv"
        build_growing(n_rows, n_columns).to_csv(table, index=False)
        found = {"rows": n_rows, "columns": n_columns, "file_mb": table.stat().st_size / 1e6}
        watched = watch_search(
            [
                *(str(table), "--target", "y", "--families", "mlp", "--trials", str(trials)),
                *("--folds", "none"),  # a small table would be trained five times
            ],
            folder / "home",
            folder / "out",
        )
    if watched.failure:
        found["failure"] = watched.failure
    else:
        found |= {
            "seconds": watched.seconds,
            "cpu_seconds": watched.cpu_seconds,
            "search_seconds": watched.result["cost"]["search_seconds"],
            "peak_memory_gb": watched.peak_bytes / 1e9,
        }
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def fit_exponents(runs: Sequence[dict[str, Any]], axis: str) -> dict[str, Any]:
    """Per unit: the exponent over all sizes, and that between the two largest."""
    done = sorted((run for run in runs if "failure" not in run), key=lambda run: run[axis])
    if len(done) < 2:
        return {"failure": "fewer than two sizes ended well"}
    return {
        unit: {
            "all": fit_exponent([run[axis] for run in done], [run[unit] for run in done]),
            "largest": fit_exponent([run[axis] for run in done[-2:]], [run[unit] for run in done[-2:]]),
        }
        for unit in UNITS
    }  # fmt: skip


def fit_exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The p of ``value ~ size ** p``."""
    slope = np.polyfit([math.log(size) for size in sizes], [math.log(v) for v in values], 1)[0]
    return round(float(slope), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--columns", type=int, nargs="+", default=[10, 100, 1_000])
    parser.add_argument("--trials", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    machine = describe_machine()
    by_rows = [run_size(n_rows, FEW_COLUMNS, options.trials) for n_rows in options.rows]
    by_columns = [run_size(FEW_ROWS, n, options.trials) for n in options.columns]
    summary = {
        "rows": fit_exponents(by_rows, "rows"),
        "columns": fit_exponents(by_columns, "columns"),
    }
    record = {
        "machine": machine, "trials": options.trials, "summary": summary,
        "by_rows": by_rows, "by_columns": by_columns,
    }  # fmt: skip
    print(json.dumps(record, indent=2))
    write_record(record, options.out)


if __name__ == "__main__":
    main()
