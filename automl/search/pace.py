"""How many epochs a network on pictures may have: planned before it begins, so that no schedule is cut.

A schedule that is cut in the middle leaves a network with its learning rate still high. So the time of an
epoch is predicted from one measured step, and the number of epochs is chosen so that the run fits its share of
the search and the final training of a winner fits what is kept for the end (ADR 0010).
"""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from automl.jobs.records import Trial
from automl.models.image.recipe_space import fill_recipe
from automl.search.budget import IMAGE_REFIT_SLACK, compute_most_reserve
from automl.search.context import CoordinatorContext
from automl.search.goals import Method
from automl.search.ledger import BASELINE, SEARCH, SUPERNET, Ledger
from automl.search.refit_plan import compute_refit_seconds, estimate_finish
from automl.search.rungs import RungPlan
from automl.search.sharing import WEIGHT_SHARING

TRIAL_SHARE = 1 / 3  # of the search time on its slot
BASELINE_SHARE = 0.1
SUPERNET_SHARE = 0.4
LEAST_REFIT_SHARE = 0.4  # of a fair share; where a refit would have less there will be none
LEFT_SHARE = 0.92  # of the time left: a forecast is no promise
LEAST_EPOCHS = 3  # the second rung: with fewer nothing can be told
FIRST_RATIO = (
    1.35  # of an epoch to its bare steps, until it was measured: augmentation, scoring, optimiser
)
MOST_RATIOS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Horizon:
    """The epochs a trial may have of those it ``wanted``; 0 where it is not worth starting.

    ``epoch_seconds`` is what one is thought to take, ``excess`` how far three of them are over the time there is,
    as a share of it (0 or less: they fit); both None where no clock decides.
    """

    epochs: int
    wanted: int
    epoch_seconds: float | None = None
    excess: float | None = None

    @property
    def is_short(self) -> bool:
        return self.epochs < self.wanted


class Pace:
    """Predicts epochs from steps and finished trials; decides nothing without a time budget."""

    def __init__(self, context: CoordinatorContext, ledger: Ledger, plan: RungPlan) -> None:
        self._context = context
        self._ledger = ledger
        self._plan = plan

    def plan(self, trial: Trial, left: float | None) -> Horizon:
        """The horizon of a trial with ``left`` seconds of searching to go.

        A baseline, and the first network of plain search and of weight sharing, always get at least one epoch.
        """
        wanted = self._count_wanted(trial)
        seconds = self.predict(trial)
        total = self._context.clock.total
        if total is None or left is None or seconds is None:
            return Horizon(epochs=wanted, wanted=wanted, epoch_seconds=seconds)
        allowed = max(1e-3, min(LEFT_SHARE * left, self._compute_share(trial, total)))
        epochs = min(wanted, math.floor(allowed / seconds))
        least = min(wanted, LEAST_EPOCHS)
        if epochs < least:
            epochs = max(1, epochs) if self._must_run(trial) else 0
        return Horizon(
            epochs=epochs,
            wanted=wanted,
            epoch_seconds=seconds,
            excess=least * seconds / allowed - 1,
        )

    def _must_run(self, trial: Trial) -> bool:
        """A baseline, and the first network of a method: there is to be something to compare."""
        is_shared = trial.origin == WEIGHT_SHARING
        begun = (
            row.n_epochs > 0 or "horizon" in row.facts
            for row in self._list_searched()
            if (row.origin == WEIGHT_SHARING) is is_shared
        )
        return trial.stage == BASELINE or not any(begun)

    def _list_searched(self) -> list[Trial]:
        return self._ledger.list_trials(SEARCH)

    def compute_least_seconds(self) -> float:
        """Seconds below which no further network is worth proposing: three epochs of the quickest one seen."""
        known = [self._compute_bare(row.facts) for row in self._list_searched()]
        quickest = min((each for each in known if each is not None), default=0.0)
        return LEAST_EPOCHS * quickest * self._compute_ratio() / LEFT_SHARE if quickest else 0.0

    def compute_supernet_seconds(self) -> float | None:
        """Seconds for the supernet, None without a time budget."""
        total = self._context.clock.total
        return None if total is None else SUPERNET_SHARE * self._compute_search_seconds(total)

    def predict(self, trial: Trial) -> float | None:
        """Seconds of one epoch: its measured step times what epochs took so far; None when unknown."""
        bare = self._compute_bare(trial.facts)
        if bare is not None:
            return bare * self._compute_ratio()
        took = [
            (row.fit_seconds or 0.0) / row.n_epochs
            for row in self._ledger.list_trials(BASELINE, SEARCH)
            if row.family == trial.family and row.n_epochs > 0 and row.fit_seconds
        ]
        return statistics.median(took) if took and trial.stage == SEARCH else None

    def _compute_bare(self, facts: Mapping[str, float]) -> float | None:
        """The steps of an epoch alone."""
        seconds = facts.get("picture_seconds", 0.0)
        return seconds * self._context.sizes.train if seconds > 0 else None

    def _compute_ratio(self) -> float:
        ratios = []
        for row in self._ledger.list_trials(BASELINE, SEARCH):
            bare = self._compute_bare(row.facts)
            if bare is not None and row.n_epochs > 0 and row.fit_seconds:
                ratios.append(row.fit_seconds / row.n_epochs / bare)
        return statistics.median(ratios[-MOST_RATIOS:]) if ratios else FIRST_RATIO

    def _count_wanted(self, trial: Trial) -> int:
        return min(int(fill_recipe(trial.config)["epochs"]), self._plan.max_epochs)

    def _compute_search_seconds(self, total: float) -> float:
        return total - compute_most_reserve(total, is_long=True)

    def _compute_share(self, trial: Trial, total: float) -> float:
        """Seconds one trial may take: its share of the search, and no more than its refit will have.

        Where hardly anything is kept for a refit the share stands: the model of the search is then the last word.
        """
        searching = self._compute_search_seconds(total)
        if trial.stage == BASELINE:
            return BASELINE_SHARE * searching
        if self._context.spec.method is not Method.PLAIN and self._ledger.list_trials(SUPERNET):
            searching *= 1 - SUPERNET_SHARE
        fair, for_refit = TRIAL_SHARE * searching, self._compute_refit_share(total)
        return fair if for_refit < LEAST_REFIT_SHARE * fair else min(fair, for_refit)

    def _compute_refit_share(self, total: float) -> float:
        """Seconds of a trial whose refit fits what is kept; the baselines have the other slots to themselves."""
        sizes = self._context.sizes
        kept = compute_most_reserve(total, is_long=True) - estimate_finish(sizes)
        baselines = sum(
            compute_refit_seconds(row, row.best_epoch, sizes)
            for row in self._ledger.list_trials(BASELINE)
            if row.fit_seconds
        )
        n_others = len(self._context.spec.resources.devices) - 1
        kept -= max(0.0, baselines - n_others * kept)
        return max(0.0, kept) / (IMAGE_REFIT_SLACK * sizes.refit / max(1, sizes.train))
