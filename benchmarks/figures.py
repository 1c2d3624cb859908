"""The table of ``benchmarks/README.md``: a command per claim, its goal, and the last figure from ``results/``.

``python -m benchmarks.figures`` writes the table anew after a benchmark has written its record; a test checks that it is current.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import BUSY_LOAD

FOLDER = Path(__file__).resolve().parent
BEGIN, END = (
    "<!-- figures: made by `python -m benchmarks.figures` -->\n",
    "<!-- end of figures -->\n",
)
NONE = "not measured"

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A line of the table; without a ``record`` nothing of it is kept in ``results/``."""

    command: str
    what: str
    goal: str
    record: str = ""
    render: Callable[[Record], str] = str


def show(value: float | None, digits: int = 2) -> str:
    return "none" if value is None else f"{value:.{digits}f}"


def render_packing(record: Record) -> str:
    if isinstance(record["results"], str):
        return str(record["results"])
    parts = []
    for row in record["results"]:
        ratios = row["pack_over_loop"]
        parts.append(
            f"width {row['width']}, {row['threads']} threads: {ratios['cpu']:g} by CPU seconds, "
            f"{ratios['wall']:g} by wall seconds"
        )
    device = record.get("device", "cpu")
    return "; ".join(parts) + ("" if device == "cpu" else f" ({device})")


def render_reaching(record: Record) -> str:
    return "; ".join(
        f"width {row['width']}: {show(row['over_loop'], 3)} ({show(row['over_loop_by_network'], 3)} by our networks "
        f"alone; the loop took {row['loop_seconds']:.0f} s; {row['seeds']} seeds)"
        for row in record["summary"]
    ) + f"; {record['table']}"  # fmt: skip


def render_adult(record: Record) -> str:
    row = record["summary"]["tables"]["adult"]
    return (
        f"AUC {show(row['value'], 4)}, accuracy {show(row['accuracy'], 4)}, network {show(row['network'], 4)}, first "
        f"model {show(row['first_model_seconds'], 1)} s ({row['seeds']} seeds)"
    )


def render_california(record: Record) -> str:
    row = record["summary"]["tables"]["california"]
    return f"{show(row['error_over_lightgbm_default'], 3)} ({row['seeds']} seeds)"


def render_suite(record: Record) -> str:
    found = record["summary"]
    worst = found["worst_ensemble_share_of_time"]
    return (
        f"{found['ensemble_better']} of {found['tasks']} tasks; at most {100 * worst:.2f} % of the time; budgets kept in "
        f"{found['budgets_kept']} of {found['runs']} runs, {found['failures']} failed"
    )


def render_large(record: Record) -> str:
    run = record["runs"][0]
    if "failure" in run:
        return f"failed: {run['failure']}"
    return f"{run['wall_seconds']:.0f} s, {run['peak_memory_gb']:.2f} GB ({run['peak_anonymous_gb']:.2f} without mapped files)"


def render_nasty(record: Record) -> str:
    outcomes = ", ".join(f"{count} {name}" for name, count in record["outcomes"].items())
    worst = record["worst"]
    return f"{outcomes}; {record['within_goal']} of {record['judged']} within 1.15, worst {worst['table']} {worst['ratio']}"


def render_growth(record: Record) -> str:
    parts = []
    for axis, found in record["summary"].items():
        if "failure" in found:
            parts.append(f"{axis}: {found['failure']}")
            continue
        sizes = sorted(run[axis] for run in record[f"by_{axis}"] if "failure" not in run)
        seconds, memory = found["seconds"], found["peak_memory_gb"]
        parts.append(
            f"{axis} {sizes[0]:,} to {sizes[-1]:,}: seconds {seconds['all']:g} ({seconds['largest']:g} at the end), memory "
            f"{memory['all']:g} ({memory['largest']:g})"
        )
    return "; ".join(parts)


def render_rivals(record: Record) -> str:
    parts = []
    for tool, found in record["summary"].items():
        if isinstance(found, str):
            parts.append(f"{tool}: {found}")
        else:
            parts.append(
                f"{tool} {found['version']}: {found['median_error_ratio']:g}, smaller in {found['ours_smaller']} of {found['runs']}"
            )
    return "; ".join(parts)


def render_minutes(record: Record) -> str:
    figures = record["figures"]
    return "; ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in figures.items())


def render_pages(record: Record) -> str:
    parts = []
    for run in record["runs"]:
        page = run["pages"][run["slowest"]]
        parts.append(
            f"{run['kind']}, {run['rows']:,} rows: slowest is {run['slowest']} with {run['slowest_seconds']:g} s "
            f"({page['first_over_bare']:g} × a bare page), {len(run['over_limit'])} of {len(run['pages'])} over the goal"
        )
    return "; ".join(parts)


CLAIMS = (
    Claim(
        command="benchmarks.packing", record="packing", render=render_packing,
        what="trials per minute of packs over the plain Optuna and DataLoader loop, equal networks",
        goal="≥ 4 at width 32, ≥ 2.5 at 64, ≥ 1.3 at 128, ≥ 1 at 256",
    ),
    Claim(
        command="benchmarks.packing --device cuda --trials 64 --size 64 --rows 50000", record="packing_gpu", render=render_packing,
        what="the same on a GPU", goal="≥ 20 at ≤ 60,000 rows",
    ),
    Claim(
        command="benchmarks.reaching", record="reaching", render=render_reaching,
        what="our seconds to the final select score of that loop (TPE, median pruner, 100 trials) over its own; same rows, split and metric",
        goal="≤ 0.25 at width 128, ≤ 0.5 at 256, median of 3 seeds",
    ),
    Claim(
        command="benchmarks.searches --tables adult", record="adult", render=render_adult,
        what="180 s on Adult's official files, medians of 3 seeds", goal="AUC ≥ 0.9290, accuracy ≥ 0.873, network ≥ 0.922",
    ),
    Claim(
        command="benchmarks.searches --tables california", record="california", render=render_california,
        what="RMSE over that of LightGBM with its defaults in the same run, 180 s", goal="≤ 0.95",
    ),
    Claim(
        command="benchmarks.searches --budget 60 --seeds 1", record="suite", render=render_suite,
        what="tasks (`--list`) where the ensemble beats the best single model on rows that neither saw; its share of the time; budgets",
        goal="≥ 85 %; ≤ 2 %; all within 5 % + 10 s",
    ),
    Claim(
        command="benchmarks.searches --tables large --budget 300 --seeds 1", record="large", render=render_large,
        what="300,000 rows × 11 columns: wall seconds, and peak memory of all processes together", goal="≤ 325 s, < 6 GB",
    ),
    Claim(
        command="benchmarks.nasty", record="nasty", render=render_nasty,
        what="sixty nasty tables: failures, NaN, error over that of LightGBM with its defaults", goal="0, 0, ≤ 1.15",
    ),
    Claim(
        command="benchmarks.growth", record="growth", render=render_growth,
        what="exponents of time and memory over rows and columns, the trials being the same", goal="a figure, no goal",
    ),
    Claim(
        command="benchmarks.rivals --python PATH", record="rivals", render=render_rivals,
        what="our error over that of tuned LightGBM, TabM, RealMLP and AutoGluon at equal seconds", goal="a ratio, no goal",
    ),
    Claim(
        command="benchmarks.first_minutes", record="first_minutes", render=render_minutes,
        what="start, first page, upload to profile, first model, in seconds", goal="claim to first model ≤ 3 s",
    ),
    Claim(command="benchmarks.thresholds", what="one move of the threshold at 1,000,000 rows and two sensitive columns, in CPU seconds and over counting the rows with scikit-learn", goal="< 1 s"),
    Claim(
        command="benchmarks.pages", record="pages", render=render_pages,
        what="seconds of every page and tab when first opened, for a generated test part", goal="< 1.5 s at 100,000 rows, < 4 s at 1,000,000",
    ),
    Claim(command="benchmarks.image_input", what="pictures per second over torchvision and a DataLoader of two workers", goal="≥ 2.5 at 32 px, ≥ 5 from 160 px"),
    Claim(command="benchmarks.weight_sharing", what="test error with weight sharing over plain search, at equal time", goal="a ratio, no goal"),
    Claim(command="benchmarks.image_gpu", what="our time to the accuracy of a plain ResNet-18 loop, on a GPU", goal="≤ 1/5"),
)  # fmt: skip


def render_table() -> str:
    """The table in Markdown."""
    lines = ["| command | what it measures | goal | last figure |", "|---|---|---|---|"]
    for claim in CLAIMS:
        out = f" --out benchmarks/results/{claim.record}.json" if claim.record else ""
        command = f"`python -m {claim.command}{out}`"
        lines.append(f"| {command} | {claim.what} | {claim.goal} | {find_figure(claim)} |")
    return "\n".join(lines) + "\n"


def find_figure(claim: Claim) -> str:
    """The figure of the last record, and what to know of the machine; ``not measured`` without one."""
    if not claim.record:
        return "printed, not kept"
    path = FOLDER / "results" / f"{claim.record}.json"
    if not path.is_file():
        return NONE
    record = json.loads(path.read_text())
    load = record["machine"]["load_per_core"]
    busy = f" (on a busy machine: load {load:g} per core)" if load > BUSY_LOAD else ""
    return f"{claim.render(record)}{busy}"


def main() -> None:
    page = FOLDER / "README.md"
    head, _, rest = page.read_text().partition(BEGIN)
    tail = rest.partition(END)[2]
    page.write_text(head + BEGIN + render_table() + END + tail)


if __name__ == "__main__":
    main()
