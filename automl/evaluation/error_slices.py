"""Slices of the test rows with the greatest errors: found on one half of the rows, measured on the other."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.cells import Floats, cells_to_labels
from automl.data.dataset import Kind
from automl.evaluation.slice_tree import (
    describe_path,
    grow_tree,
    is_number,
    mark_rows,
    read_numbers,
)
from fairness.estimates import Estimate, build_not_estimable
from fairness.intervals import (
    compute_holm,
    compute_katz,
    compute_two_proportion_p,
    compute_wilson,
    compute_z,
)

LEAST_ROWS = 30  # of a slice, in either half
LEAST_SHARE = 0.02
MOST_GROWN = 50_000  # rows: more change no split that matters
CLIPPED = (
    0.99  # quantile of absolute errors that the tree sees at most; measured are all as they are
)
N_BINS = 6
MAX_BARS = 12
ALPHA = 0.05
MISSING = "(missing)"
OTHERS = "(all others)"
COLUMNS = ("slice", "n", "share", "error", "low", "high", "rest", "lift", "lift_low", "lift_high", "p", "is_worse")  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorSlices:
    """What the tree found.

    ``frame``: the leaves, the worst first, with ``COLUMNS``: rows of the measuring half and their share of it, mean
    error with 95 % interval, that of all other rows, the ratio of the two with its interval, Holm's p, and whether
    the error is greater than that of the rest beyond chance. ``paths`` tell which rows, in the same order.
    ``overall`` is the mean error of the measuring half. An error is 1 or 0 for a decision, else an absolute one.
    """

    frame: pd.DataFrame
    paths: tuple[tuple[Any, ...], ...]
    overall: Estimate
    n_grown: int
    n_measured: int
    least: int

    @property
    def worse(self) -> pd.DataFrame:
        """The slices with more error than the rest, beyond chance."""
        return self.frame[self.frame["is_worse"].to_numpy(dtype=bool)]


def find_slices(
    frame: pd.DataFrame,
    kinds: Mapping[str, Kind],
    errors: Floats,
    *,
    are_shares: bool,
    seed: int = 0,
) -> ErrorSlices:
    """Cohorts of rows by the columns in ``kinds``, with their error measured on rows that chose nothing.

    ``frame``: one row per test row; ``errors`` ``(n,)``: 0/1 where ``are_shares``, else absolute errors. The halves
    are drawn with ``seed``. Source: error trees as in the Responsible AI toolbox, here with a measuring half.
    """
    order = np.random.default_rng(seed).permutation(len(errors))
    grown, measured = (
        np.sort(order[: len(order) // 2][:MOST_GROWN]),
        np.sort(order[len(order) // 2 :]),
    )
    least = max(LEAST_ROWS, math.ceil(LEAST_SHARE * len(grown)))
    seen = errors[grown]
    if not are_shares and len(seen):
        seen = np.minimum(seen, np.quantile(seen, CLIPPED))
    paths = grow_tree(frame.iloc[grown], kinds, seen, least)
    rows, own = frame.iloc[measured], errors[measured]
    marks = [mark_rows(rows, path) for path in paths]
    kept = [place for place, mark in enumerate(marks) if 0 < mark.sum() < len(own)]
    table = _measure([describe_path(paths[place]) for place in kept], [marks[place] for place in kept], own, are_shares=are_shares)  # fmt: skip
    ranked = table.sort_values(["is_worse", "error"], ascending=False, kind="stable")
    return ErrorSlices(
        frame=ranked.reset_index(drop=True),
        paths=tuple(paths[kept[place]] for place in ranked.index),
        overall=measure_errors(own, are_shares=are_shares),
        n_grown=len(grown),
        n_measured=len(own),
        least=least,
    )


def _measure(
    names: list[str], marks: list[NDArray[np.bool_]], errors: Floats, *, are_shares: bool
) -> pd.DataFrame:
    rows, p_values = [], []
    for name, mark in zip(names, marks, strict=True):
        inside, outside = errors[mark], errors[~mark]
        own, rest = (measure_errors(part, are_shares=are_shares) for part in (inside, outside))
        lift = _compute_lift(inside, outside, are_shares=are_shares)
        p_values.append(_compute_p(inside, outside, are_shares=are_shares))
        cells = (name, own.n, own.n / len(errors), own.value, own.low, own.high, rest.value, lift.value, lift.low, lift.high)  # fmt: skip
        rows.append(cells)
    table = pd.DataFrame(rows, columns=COLUMNS[:-2])
    numbers = {name: table[name].astype(float) for name in COLUMNS[2:-2]}
    table = table.assign(**numbers, p=np.array(compute_holm(p_values), dtype=float))
    is_known = (table["n"] >= LEAST_ROWS) & (table["p"] < ALPHA)
    return table.assign(is_worse=is_known & (table["error"] > table["rest"]))


def measure_errors(errors: Floats, *, are_shares: bool) -> Estimate:
    """Mean error with its 95 % interval: Wilson's for shares, else the normal one (30 rows or more)."""
    if are_shares:
        return compute_wilson(int(errors.sum()), len(errors))
    if not len(errors):
        return build_not_estimable("no cases", method="normal")
    mean = float(errors.mean())
    if len(errors) < LEAST_ROWS:
        reason = f"interval not estimable: fewer than {LEAST_ROWS} rows"
        return Estimate(mean, None, None, len(errors), "normal", reason=reason)
    half = compute_z() * float(errors.std(ddof=1)) / math.sqrt(len(errors))
    return Estimate(mean, max(0.0, mean - half), mean + half, len(errors), "normal")


def _compute_lift(inside: Floats, outside: Floats, *, are_shares: bool) -> Estimate:
    """How many times the error of the other rows; the log of a ratio of means is taken as normal (Katz)."""
    if are_shares:
        return compute_katz(int(inside.sum()), len(inside), int(outside.sum()), len(outside))
    n = len(inside) + len(outside)
    first, second = float(inside.mean()), float(outside.mean())
    if second == 0:
        return build_not_estimable("the other rows have no error", method="log ratio", n=n)
    if first == 0:
        return Estimate(0.0, None, None, n, "log ratio", reason="interval not estimable: no error")
    half = compute_z() * math.sqrt(_relative_variance(inside) + _relative_variance(outside))
    ratio = first / second
    return Estimate(ratio, ratio * math.exp(-half), ratio * math.exp(half), n, "log ratio")


def _relative_variance(errors: Floats) -> float:
    return float(errors.var(ddof=1)) / len(errors) / float(errors.mean()) ** 2


def _compute_p(inside: Floats, outside: Floats, *, are_shares: bool) -> float:
    """Two-sided p of equal mean errors: the two-proportion test, or Welch's statistic taken as normal."""
    if are_shares:
        return compute_two_proportion_p(int(inside.sum()), len(inside), int(outside.sum()), len(outside))  # fmt: skip
    if min(len(inside), len(outside)) < 2:
        return 1.0
    variance = sum(float(part.var(ddof=1)) / len(part) for part in (inside, outside))
    apart = float(inside.mean() - outside.mean())
    return math.erfc(abs(apart) / math.sqrt(2 * variance)) if variance > 0 else float(apart == 0)


def compute_error_by(
    series: "pd.Series[Any]", kind: Kind, errors: Floats, *, are_shares: bool
) -> pd.DataFrame:
    """Mean error by one column, over all rows: ``value, n, error, low, high``, numbers in six parts of equal size.

    Categories: the twelve most frequent, all others together; missing cells last.
    """
    codes, names = _part_numbers(series, kind) if is_number(kind) else _part_levels(series)
    rows = []
    for place, name in enumerate(names):
        estimate = measure_errors(errors[codes == place], are_shares=are_shares)
        if estimate.value is not None:
            rows.append((name, estimate.n, estimate.value, estimate.low, estimate.high))
    table = pd.DataFrame(rows, columns=["value", "n", "error", "low", "high"])
    return table.astype({"error": float, "low": float, "high": float})


def _part_numbers(series: "pd.Series[Any]", kind: Kind) -> tuple[NDArray[np.int64], list[str]]:
    values = read_numbers(series, kind)
    present = values[~np.isnan(values)]
    if not len(present):
        return np.zeros(len(values), dtype=np.int64), [MISSING]
    inner = np.quantile(present, np.linspace(0, 1, N_BINS + 1)[1:-1], method="lower")
    cuts = np.unique(inner[inner < present.max()])
    codes = np.searchsorted(cuts, values, side="left")
    codes[np.isnan(values)] = len(cuts) + 1
    ends = [present.min(), *cuts, present.max()]
    shown = [_write_end(end, kind) for end in ends]
    names = [f"over {low} to {high}" for low, high in pairwise(shown)]
    names[0] = f"{shown[0]} to {shown[1]}"
    return codes.astype(np.int64), [*names, MISSING]


def _write_end(value: float, kind: Kind) -> str:
    if kind is Kind.DATETIME:
        return str(np.datetime64(math.floor(value), "D"))
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _part_levels(series: "pd.Series[Any]") -> tuple[NDArray[np.int64], list[str]]:
    codes, labels = cells_to_labels(series)
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    common = np.argsort(-counts, kind="stable")[:MAX_BARS]
    table = np.full(len(labels) + 1, len(common), dtype=np.int64)
    table[common] = np.arange(len(common))
    table[-1] = len(common) + 1  # reached by −1
    return table[codes], [*(labels[place] for place in common), OTHERS, MISSING]
