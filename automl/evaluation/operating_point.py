"""What one threshold gives: rates with their intervals from the four counts, whatever the number of rows."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from automl.evaluation.costs import Costs
from fairness.definitions import compute_rate
from fairness.estimates import Estimate, build_not_estimable
from fairness.intervals import compute_newcombe
from fairness.rates import BINARY_COMPOSITES, RATES
from fairness.resampling import bootstrap_table

COST, YOUDEN = "cost", "youden"
SHOWN = (
    "selection_rate", "precision", "true_positive_rate", "false_positive_rate", "f1", "accuracy",
    "balanced_accuracy", YOUDEN, COST,
)  # fmt: skip

Ints = NDArray[np.int64]


def compute_youden(table: Ints, _costs: Costs, _seed: int) -> Estimate:
    """True minus false positive rate (Youden 1950), with Newcombe's interval of a difference."""
    tn, fp, fn, tp = (int(cell) for cell in table)
    if tp + fn == 0 or fp + tn == 0:
        missing = "positive" if tp + fn == 0 else "negative"
        return build_not_estimable(f"no {missing} labels", n=int(table.sum()), method="newcombe")
    return compute_newcombe(tp, tp + fn, fp, fp + tn)


def compute_cost(table: Ints, costs: Costs, seed: int) -> Estimate:
    """Mean cost per case with its bootstrap interval."""
    return bootstrap_table(table, costs.compute_mean, seed)


_OTHERS: Mapping[str, Callable[[Ints, Costs, int], Estimate]] = MappingProxyType(
    {YOUDEN: compute_youden, COST: compute_cost}
)


def compute_at(name: str, table: Ints, costs: Costs, seed: int = 0) -> Estimate:
    """A measure of the counts tn, fp, fn, tp with its 95 % interval.

    ``name``: a rate of the registry, ``f1``, ``balanced_accuracy`` …, ``youden`` or ``cost``. Rates: Wilson; Youden:
    Newcombe; the rest: multinomial bootstrap of the table.
    """
    if name in _OTHERS:
        return _OTHERS[name](table, costs, seed)
    if name in RATES:
        return compute_rate(name, table)
    return bootstrap_table(table, BINARY_COMPOSITES[name], seed)
