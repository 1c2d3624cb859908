"""The audit's rates and named metrics computed again with Fairlearn: an independent second opinion."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from fairness.audit import Audit, AuditInput
from fairness.groups import Grouping, build_groupings
from fairness.records import TOLERANCE, CrossCheck, GroupResult
from fairness.wording import get_title

MAX_WARNINGS = 5
NAMED = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "equal_opportunity_difference",
    "equal_opportunity_ratio",
)
HALF_KNOWN = "Fairlearn counts the rate of a group without positive or negative labels as 0"
NOT_RECOMPUTED = "Intervals, scores (AUC, Brier score), signed gaps and noise floors are not in Fairlearn's group metrics."  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """One number: what it is in words, ours, Fairlearn's (NaN where it has none), or why it is not compared."""

    where: str
    ours: float | None
    theirs: float
    reason: str = ""

    @property
    def is_compared(self) -> bool:
        return self.ours is not None and not math.isnan(self.theirs)

    @property
    def difference(self) -> float:
        return abs((self.ours or 0.0) - self.theirs)


def compute_cross_check(audit: Audit, rows: AuditInput) -> CrossCheck:
    """Compare group rates and named metrics with Fairlearn's wherever both are defined.

    What is not estimable here is left out: Fairlearn writes 0 where a denominator is zero. ``rows`` are those
    of the audit.
    """
    numbers: list[Number] = []
    for grouping in build_groupings(rows.attributes):
        cases = _count_cases(rows, grouping)
        numbers += _compare_groups(audit, grouping, cases, with_overall=not numbers)
        numbers += _compare_named(audit, grouping, cases)
    return summarise(numbers)


def _count_cases(rows: AuditInput, grouping: Grouping) -> pd.DataFrame:
    """One line per group, label and decision with its number of rows, which Fairlearn takes as a weight.

    The rates are those of the rows; its time no longer grows with them (4 s for 20,000 rows of 3 columns).
    """
    table = {"group": grouping.codes, "truth": rows.truth, "prediction": rows.prediction}
    cases: pd.DataFrame = pd.DataFrame(table).astype(np.int64).value_counts().reset_index(name="n")
    return cases


def summarise(numbers: Sequence[Number]) -> CrossCheck:
    """How many numbers were compared, the largest difference, and a warning for each that differs."""
    compared = sorted((n for n in numbers if n.is_compared), key=lambda n: -n.difference)
    largest = compared[0].difference if compared else 0.0
    library = version("fairlearn")
    return CrossCheck(
        library="Fairlearn",
        version=library,
        n_compared=len(compared),
        largest_difference=largest,
        where=compared[0].where if largest > 0 else "",
        not_compared=(
            *(f"{n.where}: {n.reason or 'Fairlearn has no number'}" for n in numbers if not n.is_compared),
            NOT_RECOMPUTED,
        ),
        warnings=_warn([n for n in compared if n.difference > TOLERANCE], library),
    )  # fmt: skip


def _warn(different: Sequence[Number], library: str) -> tuple[str, ...]:
    named = [
        f"Fairlearn {library} gives {n.theirs:.6g} for {n.where}, this audit {n.ours:.6g}:"
        " do not rely on this number before the cause is known."
        for n in different[:MAX_WARNINGS]
    ]
    more = len(different) - len(named)
    return (*named, *([f"{more} more numbers differ from Fairlearn's."] if more else []))


def _collect_metrics() -> dict[str, Any]:
    from fairlearn import metrics
    from sklearn.metrics import accuracy_score, precision_score

    own = ("selection_rate", "true_positive_rate", "false_positive_rate", "true_negative_rate", "false_negative_rate")  # fmt: skip
    return {
        **{name: getattr(metrics, name) for name in own},
        "accuracy": accuracy_score,
        "precision": partial(precision_score, zero_division=0),
    }


def _compare_groups(
    audit: Audit, grouping: Grouping, cases: pd.DataFrame, *, with_overall: bool
) -> Iterator[Number]:
    from fairlearn.metrics import MetricFrame

    metrics = _collect_metrics()
    frame = MetricFrame(
        metrics=metrics,
        y_true=cases["truth"],
        y_pred=cases["prediction"],
        sensitive_features=cases["group"],
        sample_params={name: {"sample_weight": cases["n"]} for name in metrics},
    )
    for metric in metrics:
        if with_overall:
            yield _pair(audit.overall, metric, "all rows", float(frame.overall[metric]))
        for code, name in enumerate(grouping.names):
            group = audit.find_group(grouping.attribute, name)
            place = f"{name} ({grouping.attribute})"
            yield _pair(group, metric, place, float(frame.by_group[metric][code]))


def _pair(group: GroupResult, metric: str, place: str, theirs: float) -> Number:
    estimate = group.metrics[metric]
    return Number(f"{get_title(metric).lower()} of {place}", estimate.value, theirs, estimate.reason)  # fmt: skip


def _compare_named(audit: Audit, grouping: Grouping, cases: pd.DataFrame) -> Iterator[Number]:
    """The scalar metrics over the groups that ours are over; equalized odds only where no group is left out."""
    from fairlearn import metrics

    for name in NAMED:
        spread = audit.find_extreme(grouping.attribute, name).all_groups
        where = f"{get_title(name).lower()} of {grouping.attribute}"
        if spread.value is None or (spread.excluded and name.startswith("equalized_odds")):
            yield Number(where, None, math.nan, spread.reason or HALF_KNOWN)
            continue
        left_out = [grouping.names.index(group) for group in spread.excluded]
        kept = cases[~cases["group"].isin(left_out)]
        theirs = getattr(metrics, name)(
            kept["truth"],
            kept["prediction"],
            sensitive_features=kept["group"],
            sample_weight=kept["n"],
        )
        yield Number(where, spread.value, float(theirs))
