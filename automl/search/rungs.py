"""Where successive halving looks: the rung epochs of a training run."""

import math
from dataclasses import dataclass

FACTOR = 3
FIRST_RUNG_STEPS = 50
MOST_EPOCHS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class RungPlan:
    """``first`` rung in epochs, all ``rungs`` (each three times the one before), and the most epochs of a run."""

    first: int
    rungs: tuple[int, ...]
    max_epochs: int = MOST_EPOCHS

    def before(self, horizon: int) -> tuple[int, ...]:
        """The rungs below the horizon of one run.

        Nobody asks at the horizon itself: a trial that used all its epochs would come back pruned.
        """
        return tuple(rung for rung in self.rungs if rung < horizon)


def build_fold_plan(n_folds: int, *, is_each: bool) -> RungPlan:
    """With folds these are the rungs, from the second on: one alone says little. ``is_each``: the first one too."""
    first = 1 if is_each else 2
    return RungPlan(first=first, rungs=tuple(range(first, n_folds)))


def build_rung_plan(n_train: int, batch_size: int) -> RungPlan:
    """First rung: one epoch or 50 steps, the larger; then times 3."""
    steps = max(1, math.ceil(n_train / batch_size))
    first = max(1, math.ceil(FIRST_RUNG_STEPS / steps))
    rungs = []
    epoch = first
    while epoch < MOST_EPOCHS:
        rungs.append(epoch)
        epoch *= FACTOR
    return RungPlan(first=first, rungs=tuple(rungs))
