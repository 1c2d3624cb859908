"""The one who asks and tells: baselines, the start list, then what the sampler proposes.

A time budget runs asynchronously: a free slot gets the next trial at once. A budget of trials only runs in
batches of one trial per slot; rungs are told in trial order when the whole batch has reached them, so that
two runs of the same spec give the same trials.
"""

import time
from collections.abc import Generator
from itertools import islice

from automl.jobs.records import StopMode, Trial, TrialState
from automl.models.catalog import FAMILIES, list_baselines
from automl.search.budget import compute_reserve
from automl.search.context import CoordinatorContext
from automl.search.crew import Crew, Limits
from automl.search.ledger import ACTIVE, BASELINE, SEARCH, Ledger
from automl.search.progress import Reporter
from automl.search.refit_plan import estimate_finish, estimate_refits
from automl.search.rungs import RungPlan
from automl.search.seeding import derive_seed
from automl.search.shed import Shed
from automl.search.spec import Pruner, Sampler
from automl.search.study import Study
from automl.search.turns import Start, build_starts, build_turns, is_searched, iterate_grids
from automl.training.epoch import Verb

STOP_GRACE_SECONDS = 8.0
LEAST_TRIAL_SECONDS = 1.0
LEAST_BASELINE_SECONDS = 5.0  # there is always something to end with
MAX_ATTEMPTS = 3
MAX_FAILURES_IN_A_ROW = 20

Steps = Generator[None, None, None]


class Coordinator:
    """One search from its first baseline to its last trial."""

    def __init__(
        self, context: CoordinatorContext, ledger: Ledger, crew: Crew, plan: RungPlan
    ) -> None:
        self._context = context
        self._ledger = ledger
        self._crew = crew
        self._plan = plan
        self._spec = context.spec
        self._reporter = Reporter(context, ledger, crew)
        self._study = Study(context.job_id, self._spec, plan.first)
        self._study.rebuild(ledger.list_trials(SEARCH))
        self._starts = build_starts(self._spec.spaces)
        self._turns = build_turns(self._spec.families)
        self._grid: list[Start] | None = None
        self._shed = Shed(context.folder, ledger)
        self._reserve = (0.0, 0.0)  # measured at, seconds

    def run(self) -> Steps:
        """Yield whenever it waits; at the end every trial has ended. ``SearchDiscarded`` when told so."""
        self._add_baselines()
        if self._spec.budget.is_repeatable:
            yield from self._run_batches()
        else:
            yield from self._run_freely()
        yield from self._drain()

    def _add_baselines(self) -> None:
        known = {row.family for row in self._ledger.list_trials(BASELINE)}
        for family in list_baselines(self._spec.data_kind):
            if family not in known and self._spec.task.type in FAMILIES[family].tasks:
                self._ledger.put(
                    Trial(
                        number=self._ledger.next_number(),
                        family=family,
                        config=dict(FAMILIES[family].default),
                        state=TrialState.WAITING,
                        stage=BASELINE,
                        seed=derive_seed(self._spec.seed, BASELINE, family),
                    )
                )

    def _run_freely(self) -> Steps:
        while True:
            if self._is_over():
                return
            for slot in self._crew.idle_slots():
                left = self._compute_left()
                trial = None
                if left is None or left > LEAST_TRIAL_SECONDS or not self._ledger.find_best():
                    trial = self._find_waiting() or self._propose()
                if trial is None:
                    break
                self._start(slot, trial)
            if not self._crew.running and not self._find_waiting() and not self._may_propose():
                return
            yield from self._wait("search")
            for question in self._crew.questions():
                self._answer(question.trial, question.epoch.number, question.epoch.score)

    def _run_batches(self) -> Steps:
        """Baselines, then search trials, one per slot; the place in the batch decides the slot."""
        while not self._is_over():
            batch = self._collect_batch()
            if not batch:
                return
            for slot, trial in zip(self._spec.resources.devices, batch, strict=False):
                while slot not in self._crew.idle_slots():
                    yield from self._wait("search")
                self._start(slot, trial)
            while self._crew.running and not self._is_over():
                yield from self._wait("search")
                if self._crew.is_lockstep():
                    for question in self._crew.questions():
                        self._answer(question.trial, question.epoch.number, question.epoch.score)

    def _collect_batch(self) -> list[Trial]:
        """What waits (baselines first, or what a crash interrupted), else as many proposals as slots."""
        n_slots = len(self._spec.resources.devices)
        for stage in (BASELINE, SEARCH):
            waiting = [row for row in self._ledger.list_trials(stage) if row.state in ACTIVE]
            if waiting:
                return waiting[:n_slots]
        proposals = (self._propose() for _ in range(n_slots))
        return [trial for trial in proposals if trial is not None]

    def _drain(self) -> Steps:
        give_up_at = time.monotonic() + STOP_GRACE_SECONDS
        while self._crew.running:
            self._crew.stop_all()
            yield from self._wait("search")
            if time.monotonic() > give_up_at:
                self._crew.give_up("The search was over and the trial did not end in time.")

    def _wait(self, phase: str) -> Steps:
        """One turn of the loop: hear the trainers, tell the study, report, yield."""
        self._context.require_kept()
        for trial in self._crew.poll():
            if trial.stage == SEARCH:
                self._study.tell(trial.number, trial.state, trial.score)
                self._ledger.update(trial.number, optuna=self._study.describe(trial.number))
            self._shed.look(trial)
        if phase == "search" and self._find_unfinished_baseline():
            phase = "baselines"
        self._reporter.report(phase)
        yield

    def _start(self, slot: str, trial: Trial) -> None:
        if trial.attempt > MAX_ATTEMPTS:
            self._ledger.update(
                trial.number,
                state=TrialState.FAILED,
                failure_kind="crashed",
                failure_message=f"Its process ended {MAX_ATTEMPTS} times.",
            )
            return
        left = self._compute_left()
        if left is not None and trial.stage == BASELINE:
            left = max(left, LEAST_BASELINE_SECONDS)
        limits = Limits(
            max_epochs=self._plan.max_epochs,
            rungs=self._list_rungs(trial),
            deadline_seconds=left,
        )
        self._crew.start(slot, trial, limits)

    def _list_rungs(self, trial: Trial) -> tuple[int, ...]:
        """Only networks are ended early: rounds of boosting are no epochs, and they stop by themselves."""
        if (
            not is_searched(trial.family)
            or trial.stage != SEARCH
            or self._spec.pruner is Pruner.NONE
        ):
            return ()
        horizon = trial.config.get("epochs", self._plan.max_epochs)
        return self._plan.before(min(int(horizon), self._plan.max_epochs))

    def _answer(self, number: int, epoch: int, score: float | None) -> None:
        ends = self._study.report(number, epoch, float("nan") if score is None else score)
        self._ledger.update(number, optuna=self._study.describe(number))
        self._crew.answer(number, Verb.PRUNE if ends else Verb.CONTINUE)

    def _may_propose(self) -> bool:
        rows = self._ledger.list_trials(SEARCH)
        limit = self._spec.budget.trials
        if limit is not None and len(rows) >= limit:
            return False
        if self._spec.sampler is Sampler.GRID and len(rows) >= len(self._list_grid()):
            return False
        recent = [row for row in rows if row.state not in ACTIVE][-MAX_FAILURES_IN_A_ROW:]
        if len(recent) == MAX_FAILURES_IN_A_ROW and all(
            row.state is TrialState.FAILED for row in recent
        ):
            self._context.warnings.add(
                f"The last {MAX_FAILURES_IN_A_ROW} trials failed, so no further ones were tried; the "
                f"last reason: {recent[-1].failure_message}"
            )
            return False
        return bool(self._turns)

    def _propose(self) -> Trial | None:
        """The next search trial as a waiting row, None when there is nothing left to try."""
        if not self._may_propose():
            return None
        index = len(self._ledger.list_trials(SEARCH))
        number = self._ledger.next_number()
        fixed = self._list_grid() if self._spec.sampler is Sampler.GRID else self._starts
        start = fixed[index] if index < len(fixed) else None
        family = start.family if start else self._turns[(index - len(fixed)) % len(self._turns)]
        config = self._study.ask(
            number, family, self._spec.spaces[family], start.config if start else None
        )
        trial = Trial(
            number=number,
            family=family,
            config=config,
            state=TrialState.WAITING,
            stage=SEARCH,
            seed=derive_seed(self._spec.seed, "trial", number),
            optuna=self._study.describe(number),
        )
        self._ledger.put(trial)
        return trial

    def _list_grid(self) -> list[Start]:
        if self._grid is None:
            limit = self._spec.budget.trials or 10_000
            self._grid = list(islice(iterate_grids(self._spec.spaces), limit))
        return self._grid

    def _find_waiting(self, *stages: str) -> Trial | None:
        rows = self._ledger.list_trials(*(stages or (BASELINE, SEARCH)))
        return next((row for row in rows if row.state is TrialState.WAITING), None)

    def _find_unfinished_baseline(self) -> bool:
        return any(row.state in ACTIVE for row in self._ledger.list_trials(BASELINE))

    def _compute_left(self) -> float | None:
        """Seconds of searching left; the reserve is measured again every second."""
        clock = self._context.clock
        if clock.total is None:
            return None
        if clock.now() - self._reserve[0] > 1.0:
            refits = estimate_refits(self._ledger, self._context)
            finish = estimate_finish(self._context.sizes)
            self._reserve = (clock.now(), compute_reserve(clock.total, refits, finish))
        return clock.compute_left(self._reserve[1])

    def _is_over(self) -> bool:
        """True when it is time to end; never before there is one model to end with."""
        if self._ledger.find_best() is None:
            scoreless = not self._find_unfinished_baseline() and not self._may_propose()
            return scoreless and not self._crew.running
        if self._context.stop_mode() is StopMode.KEEP_BEST:
            return True
        left = self._compute_left()
        return left is not None and left <= 0
