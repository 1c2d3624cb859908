"""One move of the threshold at a million rows, over counting the rows again.

``python -m benchmarks.thresholds [--rows 1000000]`` draws calibrated scores, labels and two sensitive columns, and prints CPU
seconds of what is done once (sorting all rows and those of every group, the best threshold by F1) and of one move: every measure with
its interval, the groups with their gaps, the decision curve and the costs. The other side is scikit-learn's confusion matrix of the same rows
and of every group, without intervals and curves.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from automl.evaluation.costs import Costs
from automl.evaluation.cuts import Cuts, build_cuts
from automl.evaluation.decision_curve import compute_cost_curve, compute_decision_curve
from automl.evaluation.goal import Goal
from automl.evaluation.operating_point import SHOWN, compute_at
from automl.evaluation.thresholds import Rule, find_best_threshold
from benchmarks.machine import describe_machine
from fairness.count_audit import GroupTables, compute_count_audit
from fairness.groups import build_groupings

THRESHOLDS = (0.05, 0.2, 0.5, 0.731)


def measure(run: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds, and what came out."""
    started = time.process_time()
    result = run()
    return time.process_time() - started, result


def move(cuts: Cuts, groups: dict[str, tuple[tuple[str, ...], list[Cuts]]], at: float) -> None:
    """What the page computes when the slider stands at another threshold."""
    table, costs = cuts.count_at(at), Costs(fn=5)
    for name in SHOWN:
        compute_at(name, table, costs)
    tables = [
        GroupTables(attribute=attribute, names=names, tables=[each.count_at(at) for each in parts], reference=names[0])
        for attribute, (names, parts) in groups.items()
    ]  # fmt: skip
    compute_count_audit(table, tables)
    compute_decision_curve(cuts)
    compute_cost_curve(cuts, costs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    n = parser.parse_args().rows
    rng = np.random.default_rng(0)
    score = rng.beta(1, 3, n)
    truth = rng.random(n) < score
    frame = pd.DataFrame({"sex": rng.choice(["F", "M"], n), "race": rng.choice(list("ABCDE"), n)})
    grouped, groupings = measure(lambda: build_groupings(frame))
    sorting, cuts = measure(lambda: build_cuts(truth, score))
    of_groups, groups = measure(
        lambda: {
            each.attribute: (
                each.names,
                [
                    build_cuts(truth[each.codes == k], score[each.codes == k])
                    for k in range(len(each.names))
                ],
            )
            for each in groupings
        }
    )
    best, _ = measure(lambda: find_best_threshold(cuts, Rule(goal=Goal.F1)))
    moves = [measure(lambda at=at: move(cuts, groups, at))[0] for at in THRESHOLDS]
    counted = [
        measure(
            lambda at=at: [
                confusion_matrix(truth, score >= at),
                *(
                    confusion_matrix(truth[each.codes == k], score[each.codes == k] >= at)
                    for each in groupings
                    for k in range(len(each.names))
                ),
            ]
        )[0]
        for at in THRESHOLDS
    ]
    record = {
        "machine": describe_machine(),
        "rows": n,
        "once": {
            "groups": grouped,
            "sort_rows": sorting,
            "sort_groups": of_groups,
            "best_by_f1": best,
        },
        "move": float(np.median(moves)),
        "scikit_learn_counts": float(np.median(counted)),
        "counts_over_move": float(np.median(counted) / np.median(moves)),
    }
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
