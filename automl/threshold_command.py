"""The shell's threshold command: its flags, and what it says."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.evaluation.goal import Goal


def add_threshold(parser: argparse.ArgumentParser) -> None:
    """The flags of ``python -m automl threshold``."""
    add = parser.add_argument
    add("result", metavar="DIR", help="what a search of two classes wrote with --out")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--goal",
        choices=tuple(map(str, Goal)),
        help="the best threshold by this, found on the calibrate part",
    )  # fmt: skip
    which.add_argument("--value", metavar="T", type=float, help="this threshold, 0 to 1")
    which.add_argument("--undo", action="store_true", help="store the default, 0.5, again")
    add(
        "--level",
        metavar="X",
        type=float,
        help="the precision, or the false positive rate, that the goal keeps",
    )
    add(
        "--costs",
        metavar="TP,FP,FN,TN",
        help="of one case by outcome, a benefit is negative; write --costs=-1,1,10,0; default 0,1,1,0",
    )
    add("--reason", metavar="TEXT", default="", help="why; with it the threshold is stored")
    add("--by", metavar="NAME", default="", help="who stores it")
    parser.set_defaults(run=run_command)


def run_command(given: argparse.Namespace) -> int:
    """Run what the flags ask for, and say what came of it; the exit status."""
    from automl.evaluation.costs import Costs, parse_costs
    from automl.thresholds import ThresholdCall, run_threshold

    found = run_threshold(
        ThresholdCall(
            result=Path(given.result),
            goal=given.goal,
            level=given.level,
            costs=Costs() if given.costs is None else parse_costs(given.costs),
            value=given.value,
            undo=given.undo,
            reason=given.reason,
            by=given.by,
        )
    )
    for note in found["notes"]:
        sys.stderr.write(f"warning: {note}\n")
    sys.stdout.write(f"{render_threshold(found, given.result)}\n")
    return 0


def render_threshold(found: Mapping[str, Any], folder: str) -> str:
    """The threshold, what it gives on both parts, and whether it was stored."""
    from automl.evaluation.threshold_change import describe_measure

    lines = [f"Threshold {found['said']}"]
    for part, measures in found["parts"].items():
        shown = (
            f"{describe_measure(name)} {_render_estimate(each)}" for name, each in measures.items()
        )
        n = next(iter(measures.values()))["n"]
        lines.append(f"On the {part} part, n = {n:,}: {'; '.join(shown)}")
    undo = "" if found["change"]["is_reset"] else "; --undo brings 0.5 back"
    lines.append(
        f"Stored in {folder}: decisions, audit, report and bundle agree{undo}"
        if found["is_stored"]
        else "Not stored: give --reason to store it"
    )
    return "\n".join(lines)


def _render_estimate(estimate: Mapping[str, Any]) -> str:
    if estimate["value"] is None:
        return "not estimable"
    interval = ""
    if estimate["low"] is not None and estimate["high"] is not None:
        interval = f" [{estimate['low']:.3f}, {estimate['high']:.3f}]"
    return f"{estimate['value']:.3f}{interval}"
