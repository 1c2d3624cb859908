"""What the four outcomes of a decision cost, and the threshold that follows from it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.errors import SpecError

MOST = 1e9  # of one cost; far beyond it sums lose their digits
NAMES = ("tp", "fp", "fn", "tn")  # in the order in which a person writes them
WRITE = "Write four numbers TP,FP,FN,TN, for example 0,1,10,0; a benefit is negative."

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """Cost of one case by outcome, in any one unit; a benefit is a negative cost.

    The default says that both mistakes cost the same, as a threshold of 0.5 supposes.
    """

    tp: float = 0.0
    fp: float = 1.0
    fn: float = 1.0
    tn: float = 0.0

    def __post_init__(self) -> None:
        for name in NAMES:
            value = getattr(self, name)
            if not math.isfinite(value) or abs(value) > MOST:
                raise SpecError(f"The cost of {name.upper()} is {value:g}.", hint=WRITE)

    def compute_mean(self, tables: Floats) -> Floats:
        """Mean cost per case of count tables tn, fp, fn, tp; NaN without cases. Shape: (..., 4) → (...)."""
        total = tables.sum(axis=-1)
        cost = tables @ np.array([self.tn, self.fp, self.fn, self.tp])
        with np.errstate(divide="ignore", invalid="ignore"):
            mean: Floats = np.where(total > 0, cost / total, np.nan)
        return mean

    @property
    def implied_threshold(self) -> float | None:
        """The threshold with the lowest expected cost for calibrated probabilities.

        A flag pays from p = (FP − TN) / ((FP − TN) + (FN − TP)) on (Elkan 2001, eq. 2). None where one of the two
        mistakes costs no more than being right: then everybody, or nobody, is best flagged.
        """
        alarm, miss = self.fp - self.tn, self.fn - self.tp
        return alarm / (alarm + miss) if alarm > 0 and miss > 0 else None

    def render(self) -> str:
        """``0,1,10,0`` in the order TP, FP, FN, TN."""
        return ",".join(f"{getattr(self, name):.12g}" for name in NAMES)


def parse_costs(text: str) -> Costs:
    """Four numbers TP,FP,FN,TN; anything else is a ``SpecError``."""
    parts = text.split(",")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) != len(NAMES):
        raise SpecError(f"{text!r:.80} are no costs.", hint=WRITE)
    return Costs(**dict(zip(NAMES, values, strict=True)))
