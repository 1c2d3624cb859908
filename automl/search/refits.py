"""Final training from scratch: winner, best network and baselines on train + select rows."""

import time
from collections.abc import Generator
from dataclasses import dataclass

from automl.jobs.records import StopMode, Trial, TrialState
from automl.models.catalog import FAMILIES
from automl.search.context import CoordinatorContext
from automl.search.crew import Crew, Limits, find_trial_folder
from automl.search.ledger import ACTIVE, REFIT, Ledger
from automl.search.progress import Reporter
from automl.search.refit_plan import (
    SEEDS,
    Refit,
    choose_n_seeds,
    estimate_finish,
    plan_refits,
)
from automl.search.seeding import derive_seed

STOP_REFIT_SECONDS = 25.0  # how long a person who pressed Stop waits for refits
STOP_GRACE_SECONDS = 8.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedModel:
    """A model that may look at the test part.

    ``folders`` are its members (their predictions are averaged), relative to the job's folder;
    ``is_refit`` is False where the trial's own model stands in for a refit that could not be made.
    """

    trial: int
    roles: tuple[str, ...]
    folders: tuple[str, ...]
    is_refit: bool
    epochs: int
    fit_seconds: float


class Refitter:
    """Runs the refits of a finished search on the same trainers, now holding the refit rows."""

    def __init__(self, context: CoordinatorContext, ledger: Ledger, crew: Crew) -> None:
        self._context = context
        self._ledger = ledger
        self._crew = crew
        self._reporter = Reporter(context, ledger, crew)
        self._until: float | None = None  # monotonic

    def run(self) -> Generator[None, None, tuple[OpenedModel, ...]]:
        """Yield while waiting; returns what may be opened. Repeating it after a crash adopts what is there."""
        available = self._compute_available()
        self._until = None if available is None else time.monotonic() + available
        n_seeds = choose_n_seeds(self._ledger, self._context, available)
        refits = plan_refits(self._ledger, n_seeds)
        self._say_seeds(refits, n_seeds)
        if n_seeds:
            yield from self._train(refits)
        return tuple(self._open(refit, is_asked=n_seeds > 0) for refit in refits)

    def _compute_available(self) -> float | None:
        is_stopping = self._context.stop_mode() is StopMode.KEEP_BEST
        left = self._context.clock.compute_left(estimate_finish(self._context.sizes))
        if not is_stopping:
            return left
        return STOP_REFIT_SECONDS if left is None else min(left, STOP_REFIT_SECONDS)

    def _say_seeds(self, refits: tuple[Refit, ...], n_seeds: int) -> None:
        has_network = any(FAMILIES[refit.source.family].is_network for refit in refits)
        if n_seeds == 0:
            self._context.warnings.add(
                "There was no time to train the final models again on train and select rows; "
                "the models of the search itself are used."
            )
        elif n_seeds < SEEDS and has_network:
            self._context.warnings.add(
                f"Time was short: the final networks are trained with {n_seeds} "
                f"seed{'s' if n_seeds > 1 else ''} instead of {SEEDS}."
            )

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
                if queue:
                    trial, epochs = queue.pop(0)
                    self._crew.start(slot, trial, self._build_limits(epochs))
            self._crew.poll()
            self._reporter.report("refit")
            yield

    def _build_limits(self, epochs: int) -> Limits:
        left = None if self._until is None else max(1.0, self._until - time.monotonic())
        return Limits(max_epochs=epochs, deadline_seconds=left, is_refit=True)

    def _is_late(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def _build_queue(self, refits: tuple[Refit, ...]) -> list[tuple[Trial, int]]:
        """What must be trained: first seeds before further ones, the winner before the others."""
        wanted = [
            (refit, seed) for seed in range(SEEDS) for refit in refits if seed < refit.n_seeds
        ]
        rows = [(self._find_or_add(refit, seed), refit.epochs) for refit, seed in wanted]
        return [(row, epochs) for row, epochs in rows if row.state in ACTIVE]

    def _find_or_add(self, refit: Refit, seed: int) -> Trial:
        marks = {"source": refit.source.number, "seed_index": seed, "epochs": refit.epochs}
        for row in self._ledger.list_trials(REFIT):
            if row.optuna == marks and row.state is not TrialState.FAILED:
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

    def _open(self, refit: Refit, *, is_asked: bool) -> OpenedModel:
        members = [
            row
            for row in self._ledger.list_trials(REFIT)
            if row.state is TrialState.COMPLETE
            and row.optuna.get("source") == refit.source.number
            and row.optuna.get("epochs") == refit.epochs
            and row.n_epochs >= refit.epochs
        ][: refit.n_seeds]
        chosen = members or [refit.source]
        if not members and is_asked:
            self._context.warnings.add(
                f"Trial {refit.source.number} ({FAMILIES[refit.source.family].title}) could not be "
                "trained again on train and select rows; its model of the search is used."
            )
        elif members and len(members) < refit.n_seeds:
            self._context.warnings.add(
                f"Trial {refit.source.number} is averaged over {len(members)} of "
                f"{refit.n_seeds} seeds: there was no time, or a refit failed."
            )
        return OpenedModel(
            trial=refit.source.number,
            roles=refit.roles,
            folders=tuple(
                str(find_trial_folder(self._context.folder, row).relative_to(self._context.folder))
                for row in chosen
            ),
            is_refit=bool(members),
            epochs=refit.epochs,
            fit_seconds=sum(row.fit_seconds or 0.0 for row in chosen),
        )
