"""The clock of a search: what is used, what is left, what is kept for the end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

RESERVED_SHARE = 0.25
LEAST_RESERVE = 25.0  # evaluation, audit and report take seconds whatever the budget
REFIT_SLACK = 1.4
REFIT_OVERHEAD = 0.7  # seconds per refit: hand-over, building, saving


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetClock:
    """Seconds of a search. ``base`` were used by earlier attempts, ``started`` is monotonic.

    ``total`` is None for a budget of trials only: then no clock decides anything.
    """

    total: float | None
    base: float
    started: float
    now: Callable[[], float] = time.monotonic

    def compute_elapsed(self) -> float:
        """Seconds used so far, earlier attempts included."""
        return self.base + self.now() - self.started

    def compute_left(self, reserve: float = 0.0) -> float | None:
        """Seconds left before the reserve begins (never negative), None without a time budget."""
        if self.total is None:
            return None
        return max(0.0, self.total - reserve - self.compute_elapsed())


def compute_reserve(total: float, refit_seconds: float, finish_seconds: float) -> float:
    """Seconds to keep for refits and evaluation: what they are measured to need, at most 25 % of the budget.

    A short budget keeps more than its quarter, because the evaluation does not shrink with it.
    """
    most = max(RESERVED_SHARE * total, min(LEAST_RESERVE, 0.5 * total))
    return min(most, REFIT_SLACK * refit_seconds + finish_seconds)


def compute_makespan(seconds: Sequence[float], n_slots: int) -> float:
    """Duration of jobs of these lengths on ``n_slots`` slots, longest first."""
    loads = [0.0] * n_slots
    for length in sorted(seconds, reverse=True):
        loads[loads.index(min(loads))] += length
    return max(loads)
