"""Sets and intervals of one coverage, found on the calibrate part and measured on the test part."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.errors import DataError, SpecError
from automl.evaluation.conformal import (
    DEFAULT_LEVEL,
    ConformalScore,
    Floats,
    build_intervals,
    build_sets,
    compute_band,
    compute_class_scores,
    compute_true_scores,
    compute_wobble,
    find_group_quantiles,
    find_rank,
)
from automl.evaluation.conformal_quantiles import build_set_columns
from fairness.group_shares import ALL, compute_group_shares
from fairness.groups import Grouping, build_groupings
from fairness.intervals import compute_wilson

CLASS, TENTH = "true class", "tenth of the prediction"
N_TENTHS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictedPart:
    """Rows of one part with their truth, the final predictions and the groups of the sensitive columns.

    ``truth``: class indices, or values ``(n,)``; ``prediction``: probabilities ``(n, K)``, or values ``(n,)``;
    ``groupings``: see ``group_parts``.
    """

    truth: NDArray[np.generic]
    prediction: Floats
    groupings: tuple[Grouping, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CoveragePlan:
    """What is asked: the coverage, the score, and ``by``: a sensitive column whose groups get a quantile each, or
    ``CLASS``: then every class does.

    ``classes`` are the labels in the order of the probabilities; none for values.
    """

    classes: tuple[str, ...] = ()
    level: float = DEFAULT_LEVEL
    score: ConformalScore = ConformalScore.LAC
    by: str = ""

    def __post_init__(self) -> None:
        if (self.score is ConformalScore.RESIDUAL) == bool(self.classes):
            raise SpecError(f"The score {self.score.value!r} does not fit {self.classes!r:.60}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Uncertainty:
    """What a coverage gave on the test part.

    ``quantiles``: ``group, n, rank, quantile`` (one row, or one per group; rank missing and quantile infinite where rows are
    too few). ``coverage``: ``attribute, group, n, k, share, low, high`` with ``size``, the mean number of classes in a set or the
    mean width of an interval. ``sizes``: see ``compute_sizes``; empty for values. ``limits``: the quantile
    of every test row ``(n,)``, or of every class ``(1, K)``. ``wobble`` and ``band``: where the true and the measured coverage end up in 95 of 100 draws, None where no rank exists
    or every group has its own.
    """

    plan: CoveragePlan
    n_calibrate: int
    n_test: int
    quantiles: pd.DataFrame
    coverage: pd.DataFrame
    sizes: pd.DataFrame
    limits: Floats = field(repr=False)
    wobble: tuple[float, float] | None
    band: tuple[float, float] | None

    @property
    def is_unbounded(self) -> bool:
        """Whether the calibrate rows, or those of a group, are too few for the coverage."""
        return bool(np.isinf(self.quantiles["quantile"]).any())

    def build_rows(self, prediction: Floats) -> pd.DataFrame:
        """The set or interval of every test row as columns."""
        plan = self.plan
        return build_set_columns(plan.classes, plan.score, prediction, self.limits)


def compute_uncertainty(
    calibrate: PredictedPart, test: PredictedPart, plan: CoveragePlan
) -> Uncertainty:
    """The quantile of the calibrate part, and what its sets or intervals hold on the test part.

    Nothing is chosen on the test part.
    """
    quantiles, limits, own = _find_quantiles(calibrate, test, plan)
    sets, spread = _measure_spread(test, plan, limits)
    scores = compute_true_scores(plan.score, test.truth, test.prediction)
    is_covered = scores <= own
    shown = [_group_rows(test, plan), *test.groupings]
    coverage = compute_group_shares(is_covered, shown)
    coverage["size"] = _average(spread, shown)
    n = len(calibrate.truth)
    return Uncertainty(
        plan=plan,
        n_calibrate=n,
        n_test=len(test.truth),
        quantiles=quantiles,
        coverage=coverage,
        sizes=compute_sizes(sets, is_covered) if plan.classes else pd.DataFrame(),
        limits=limits,
        wobble=None if plan.by else compute_wobble(n, plan.level),
        band=None if plan.by else compute_band(n, plan.level, len(test.truth)),
    )


def compute_sizes(sets: NDArray[np.bool_], is_covered: NDArray[np.bool_]) -> pd.DataFrame:
    """``size, n, share, low, high, k, coverage, coverage_low, coverage_high``: one row per number of classes.

    ``share`` of all rows have a set of that size; ``coverage`` of those sets hold the truth (0 for empty ones).
    """
    size = sets.sum(axis=1)
    n = np.bincount(size, minlength=sets.shape[1] + 1)
    k = np.bincount(size[is_covered], minlength=sets.shape[1] + 1)
    rows = []
    for number in np.flatnonzero(n):
        share = compute_wilson(int(n[number]), len(size))
        covered = compute_wilson(int(k[number]), int(n[number]))
        rows.append(
            (
                int(number), int(n[number]), share.value, share.low, share.high,
                int(k[number]), covered.value, covered.low, covered.high,
            )
        )  # fmt: skip
    names = ["size", "n", "share", "low", "high", "k", "coverage", "coverage_low", "coverage_high"]
    return pd.DataFrame(rows, columns=names)


def group_parts(
    calibrate: pd.DataFrame, test: pd.DataFrame
) -> tuple[tuple[Grouping, ...], tuple[Grouping, ...]]:
    """Groups of the same columns of both parts, so that a code means the same group in either.

    Numeric columns are cut at the quartiles of both parts together, which treats all their rows alike.
    """
    missing = [name for name in test if name not in calibrate]
    if missing:
        raise DataError(
            f"The calibrate part has no column {missing[0]!r}.", hint="Search again with it."
        )
    both = pd.concat([calibrate[list(test)], test], ignore_index=True)
    found = build_groupings(both)
    n = len(calibrate)
    return tuple(_cut(each, slice(n)) for each in found), tuple(
        _cut(each, slice(n, None)) for each in found
    )


def _cut(grouping: Grouping, rows: slice) -> Grouping:
    return Grouping(grouping.attribute, grouping.names, grouping.codes[rows])


def _find_quantiles(
    calibrate: PredictedPart, test: PredictedPart, plan: CoveragePlan
) -> tuple[pd.DataFrame, Floats, Floats]:
    """The table of the quantiles, the limits of the test part, and the one that holds for the truth of each row."""
    scores = compute_true_scores(plan.score, calibrate.truth, calibrate.prediction)
    names: tuple[str, ...] = (ALL,)
    codes, tested = (np.zeros(len(each.truth), dtype=np.int64) for each in (calibrate, test))
    if plan.by == CLASS and plan.classes:
        names = plan.classes
        codes, tested = (np.asarray(each.truth, dtype=np.int64) for each in (calibrate, test))
    elif plan.by:
        own, other = (_find_grouping(each, plan.by) for each in (calibrate, test))
        names, codes, tested = own.names, own.codes, other.codes
    values = find_group_quantiles(scores, codes, len(names), plan.level)
    sizes = np.bincount(codes, minlength=len(names))
    ranks = [find_rank(int(size), plan.level) for size in sizes]
    table = pd.DataFrame(
        {"group": names, "n": sizes, "rank": pd.array(ranks, dtype="Int64"), "quantile": values}
    )
    limits = values[None, :] if names == plan.classes else values[tested]
    return table, limits, values[tested]


def _find_grouping(part: PredictedPart, attribute: str) -> Grouping:
    found = next((each for each in part.groupings if each.attribute == attribute), None)
    if found is None:
        raise SpecError(f"There is no sensitive column {attribute!r}.", hint="Choose another.")
    return found


def _measure_spread(
    test: PredictedPart, plan: CoveragePlan, limits: Floats
) -> tuple[NDArray[np.bool_], Floats]:
    """The sets (none for values), and the size or width of every row."""
    if plan.score is ConformalScore.RESIDUAL:
        low, high = build_intervals(test.prediction, limits)
        return np.empty((len(low), 0), dtype=bool), high - low
    sets = build_sets(compute_class_scores(plan.score, test.prediction), limits)
    return sets, sets.sum(axis=1).astype(np.float64)


def _group_rows(test: PredictedPart, plan: CoveragePlan) -> Grouping:
    """Rows by their true class; of values by tenths of the prediction, ties kept together."""
    if plan.classes:
        return Grouping(CLASS, plan.classes, np.asarray(test.truth, dtype=np.int64))
    prediction = test.prediction
    edges = np.unique(np.quantile(prediction, np.linspace(0, 1, N_TENTHS + 1)))
    codes = np.clip(np.searchsorted(edges, prediction, side="right"), 1, max(len(edges) - 1, 1)) - 1
    used, codes = np.unique(codes, return_inverse=True)
    names = tuple(_name_range(prediction[codes == place]) for place in range(len(used)))
    return Grouping(TENTH, names, codes.astype(np.int64))


def _name_range(values: Floats) -> str:
    return f"{values.min():,.4g} to {values.max():,.4g}"


def _average(spread: Floats, groupings: Sequence[Grouping]) -> list[float]:
    """The mean of all rows, then of every group; missing without rows, infinite where one of them is."""
    means = [float(spread.mean())]
    for each in groupings:
        n = np.bincount(each.codes, minlength=len(each.names))
        total = np.zeros(len(each.names))
        np.add.at(total, each.codes, spread)
        means += [value / count if count else math.nan for value, count in zip(total, n, strict=True)]  # fmt: skip
    return means
