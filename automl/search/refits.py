"""Final training from scratch: winner, best network, baselines and the ensemble on train + select rows."""

import time
from collections.abc import Generator

from automl.data.dataset import DataKind
from automl.jobs.records import StopMode, Trial, TrialState
from automl.models.catalog import FAMILIES
from automl.search.context import CoordinatorContext
from automl.search.crew import Crew, find_trial_folder
from automl.search.ensemble import Ensemble
from automl.search.ensembling import Ensembler
from automl.search.ledger import ACTIVE, REFIT, Ledger
from automl.search.opened_model import Member, OpenedModel
from automl.search.progress import Reporter
from automl.search.refit_plan import (
    MEMBER,
    WINNER,
    Refit,
    compute_refit_seconds,
    count_seeds,
    estimate_end,
    plan_refits,
)
from automl.search.runs import Limits
from automl.search.seeding import derive_seed

STOP_REFIT_SECONDS = 25.0  # how long a person who pressed Stop waits for refits
STOP_GRACE_SECONDS = 8.0
QUICK_SECONDS = 4.0
SEED_SLACK = 1.2
HOPELESS_SHARE = 0.3  # of a long refit that may be missing when it is begun: forecasts err
LEAST_ALLOWED_SECONDS = 4.0  # of the 10 s a budget may be overrun, rather than no refit at all


class Refitter:
    """Runs the refits of a finished search on the same trainers, now holding the refit rows.

    ``ensemble`` is there once it ran, where there is one; whether it is delivered it says itself.
    """

    def __init__(self, context: CoordinatorContext, ledger: Ledger, crew: Crew) -> None:
        self.ensemble: Ensemble | None = None
        self._context = context
        self._ledger = ledger
        self._crew = crew
        self._reporter = Reporter(context, ledger, crew)
        self._n_seeds = count_seeds(context.spec)
        self._until: float | None = None  # monotonic
        self._n_started = 0

    def run(self) -> Generator[None, None, tuple[OpenedModel, ...]]:
        """Yield while waiting; returns what may be opened, the final model first.

        Repeating it after a crash adopts what is there.
        """
        started = time.monotonic()
        self.ensemble = Ensembler(self._context.spec, self._context.folder, self._ledger).build()
        self._context.milestones.add_ensemble_seconds(time.monotonic() - started)
        available = self._compute_available()
        self._until = None if available is None else time.monotonic() + available
        is_stopping = self._context.stop_mode() is StopMode.KEEP_BEST
        refits = plan_refits(self._ledger, 1 if is_stopping else self._n_seeds, self.ensemble)
        if is_stopping and self._n_seeds > 1:
            self._context.warnings.add(
                "The search was stopped early: its final models have one seed instead of "
                f"{self._n_seeds}.",
                is_lasting=False,
            )
        yield from self._train(refits)
        opened = tuple(self._open(refit) for refit in refits if not refit.is_member_only)
        if self.ensemble is None or not self.ensemble.is_delivered:
            return opened
        return (self._open_ensemble(self.ensemble, refits), *opened)

    def _compute_available(self) -> float | None:
        is_stopping = self._context.stop_mode() is StopMode.KEEP_BEST
        end = estimate_end(self._ledger, self._context, self.ensemble)
        left = self._context.clock.compute_left(end)
        if left is not None:
            left = max(left, LEAST_ALLOWED_SECONDS)
        if not is_stopping:
            return left
        return STOP_REFIT_SECONDS if left is None else min(left, STOP_REFIT_SECONDS)

    def _train(self, refits: tuple[Refit, ...]) -> Generator[None, None, None]:
        queue = self._build_queue(refits)
        while queue or self._crew.running:
            self._context.require_kept()
            if self._is_late():
                queue.clear()
                self._crew.stop_all()
                if self._until and time.monotonic() > self._until + STOP_GRACE_SECONDS:
                    self._crew.give_up("There was no time left to end the refit.")
            for slot in self._crew.idle_slots():
                while queue and not self._fits(*queue[0]):
                    queue.pop(0)
                if queue and self._is_turn_of(slot):
                    refit, seed = queue.pop(0)
                    trial = self._find_or_add(refit, seed)
                    if trial.state in ACTIVE:
                        self._n_started += 1
                        self._crew.start(slot, trial, self._build_limits(refit.epochs))
            self._crew.poll()
            self._reporter.report("refit")
            yield

    def _is_turn_of(self, slot: str) -> bool:
        """Any slot, unless the search must repeat exactly: then they are served in turn."""
        devices = self._context.spec.resources.devices
        is_free = not self._context.spec.budget.is_repeatable
        return is_free or slot == devices[self._n_started % len(devices)]

    def _fits(self, refit: Refit, seed: int) -> bool:
        """First seeds are always tried; a further one only when what it took before fits into the rest.

        So does the only seed of a model that is in the ensemble only: there is its model of the search. Of pictures the first one too is left where it would take far longer than there is: half a schedule is
        worth less than the model of the search.
        """
        if self._until is None:
            return True
        planned = compute_refit_seconds(refit.source, refit.epochs, self._context.sizes)
        if refit.is_member_only:
            return time.monotonic() + SEED_SLACK * planned < self._until
        if seed == 0:
            is_long = self._context.spec.data_kind is DataKind.IMAGES
            return (
                not is_long or time.monotonic() + planned < self._until + HOPELESS_SHARE * planned
            )
        if self._context.stop_mode() is StopMode.KEEP_BEST:
            return False
        took = [row.fit_seconds for row in self._list_members(refit) if row.fit_seconds is not None]
        seconds = max(took) if took else planned
        return time.monotonic() + SEED_SLACK * seconds < self._until

    def _build_limits(self, epochs: int) -> Limits:
        left = None if self._until is None else max(1.0, self._until - time.monotonic())
        return Limits(max_epochs=epochs, deadline_seconds=left, is_refit=True)

    def _is_late(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def _build_queue(self, refits: tuple[Refit, ...]) -> list[tuple[Refit, int]]:
        """Model and seed: first seeds before further ones, the winner before the others, the ensemble's own last.

        Of pictures what takes no time goes first: a winner that fills the rest would leave none for a constant.
        """
        is_timed = self._until is not None  # else the order must not depend on a clock
        if is_timed and self._context.spec.data_kind is DataKind.IMAGES:
            refits = tuple(sorted(refits, key=self._is_slow))
        most = max((refit.n_seeds for refit in refits), default=0)
        return [(refit, seed) for seed in range(most) for refit in refits if seed < refit.n_seeds]

    def _is_slow(self, refit: Refit) -> bool:
        return (
            compute_refit_seconds(refit.source, refit.epochs, self._context.sizes) > QUICK_SECONDS
        )

    def _find_or_add(self, refit: Refit, seed: int) -> Trial:
        """The row of this seed, adopted after a crash or a resume; one that failed or was cut is trained anew."""
        marks = {"source": refit.source.number, "seed_index": seed, "epochs": refit.epochs}
        for row in self._ledger.list_trials(REFIT):
            if row.optuna == marks and (row.state in ACTIVE or _is_whole(row, refit)):
                return row
        trial = Trial(
            number=self._ledger.next_number(),
            family=refit.source.family,
            config=dict(refit.source.config),
            state=TrialState.WAITING,
            stage=REFIT,
            seed=derive_seed(self._context.spec.seed, REFIT, refit.source.number, seed),
            optuna=marks,
        )
        self._ledger.put(trial)
        return trial

    def _list_members(self, refit: Refit) -> list[Trial]:
        """The finished refits of a model, by seed; one that was cut by the deadline is none."""
        found = [
            row
            for row in self._ledger.list_trials(REFIT)
            if _is_whole(row, refit)
            and row.optuna.get("source") == refit.source.number
            and row.optuna.get("epochs") == refit.epochs
        ]
        return sorted(found, key=lambda row: int(row.optuna["seed_index"]))[: refit.n_seeds]

    def _open(self, refit: Refit) -> OpenedModel:
        members = self._list_members(refit)
        chosen = members or [refit.source]
        where = "first fold" if self._context.spec.folds else "search"
        if not members:
            self._context.warnings.add(
                f"Trial {refit.source.number} ({FAMILIES[refit.source.family].title}) could not be "
                f"trained again on train and select rows: {self._explain_absence(refit)}; its model of the "
                f"{where} is used.",
                is_lasting=False,
            )
        elif len(members) < refit.n_seeds:
            self._context.warnings.add(
                f"Time was short: the final {FAMILIES[refit.source.family].title} (trial "
                f"{refit.source.number}) has {len(members)} of {refit.n_seeds} seeds.",
                is_lasting=False,
            )
        return OpenedModel(
            trial=refit.source.number,
            roles=tuple(role for role in refit.roles if role != MEMBER),
            members=self._build_members(refit, 1.0),
            epochs=refit.epochs,
            fit_seconds=sum(row.fit_seconds or 0.0 for row in chosen),
        )

    def _explain_absence(self, refit: Refit) -> str:
        """Why no seed of a model was trained to its end."""
        rows = [
            row
            for row in self._ledger.list_trials(REFIT)
            if row.optuna.get("source") == refit.source.number
        ]
        failed = [row.failure_message for row in rows if row.failure_message]
        if failed:
            return failed[-1].rstrip(".")
        return "time was over before it was done" if rows else "no time was left to begin"

    def _open_ensemble(self, ensemble: Ensemble, refits: tuple[Refit, ...]) -> OpenedModel:
        """Every member with all the seeds it has; one that was not trained again with its model of the search."""
        by_trial = {refit.source.number: refit for refit in refits}
        members = tuple(
            member
            for number, weight in ensemble.weights.items()
            for member in self._build_members(by_trial[number], weight)
        )
        old = sorted(member.trial for member in members if not member.is_refit)
        if old:
            named = ", ".join(map(str, old))
            self._context.warnings.add(
                f"Time was short: {len(old)} of {len(ensemble.weights)} models of the ensemble were not "
                f"trained again on train and select rows (trials {named}); they enter with their models of the search.",
                is_lasting=False,
            )
        rows = [row for number in ensemble.weights for row in self._choose_rows(by_trial[number])]
        return OpenedModel(
            trial=None,
            roles=(WINNER,),
            members=members,
            epochs=0,
            fit_seconds=sum(row.fit_seconds or 0.0 for row in rows),
        )

    def _choose_rows(self, refit: Refit) -> list[Trial]:
        return self._list_members(refit) or [refit.source]

    def _build_members(self, refit: Refit, weight: float) -> tuple[Member, ...]:
        rows, folder = self._choose_rows(refit), self._context.folder
        return tuple(
            Member(
                trial=refit.source.number,
                folder=str(find_trial_folder(folder, row).relative_to(folder)),
                weight=weight / len(rows),
                is_refit=row.stage == REFIT,
            )
            for row in rows
        )


def _is_whole(row: Trial, refit: Refit) -> bool:
    """Whether a row was trained for all the epochs of a refit: neither the deadline nor a stop cut it."""
    return row.state is TrialState.COMPLETE and row.n_epochs >= refit.epochs
