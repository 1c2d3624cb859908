"""The clock of a search: what is used, what is left, what is kept for the end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

RESERVED_SHARE = 0.25
LONG_RESERVED_SHARE = (
    0.4  # pictures: one final training is as long as a trial, and there are few (ADR 0010)
)
LEAST_RESERVE = 25.0  # evaluation, audit and report take seconds whatever the budget
REFIT_SLACK = 1.4
IMAGE_REFIT_SLACK = 1.2  # a long run is told better than a short one
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


def compute_most_reserve(total: float, *, is_long: bool = False) -> float:
    """The most seconds that are kept for the end; ``is_long`` for trials on pictures.

    A short budget keeps more than its share, because the evaluation does not shrink with it.
    """
    share = LONG_RESERVED_SHARE if is_long else RESERVED_SHARE
    return max(share * total, min(LEAST_RESERVE, 0.5 * total))


def compute_reserve(
    total: float, refit_seconds: float, finish_seconds: float, *, is_long: bool = False
) -> float:
    """Seconds to keep for refits and evaluation: what they are measured to need, at most their share."""
    slack = IMAGE_REFIT_SLACK if is_long else REFIT_SLACK
    needed = slack * refit_seconds + finish_seconds
    return min(compute_most_reserve(total, is_long=is_long), needed)


def compute_makespan(seconds: Sequence[float], n_slots: int) -> float:
    """Duration of jobs of these lengths on ``n_slots`` slots, longest first."""
    loads = [0.0] * n_slots
    for length in sorted(seconds, reverse=True):
        loads[loads.index(min(loads))] += length
    return max(loads)
