"""The one who asks and tells: baselines, the start list, then what the sampler proposes.

A time budget runs asynchronously: a free slot gets the next trial at once. A budget of trials only runs in
batches; rungs are told in trial order when all slots have reached them, so that two runs of the same spec give
the same trials.

Small networks for tables of one bucket train as a pack, one program on one slot. In a time budget a trial brings
companions of its shapes with it, and further ones take the places of those that end.

Networks on pictures are screened before their first epoch: over a limit, too weak by every cheap sign, or too
slow for the time that is left, they end there; else they are told how many epochs they may have.
"""

import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from automl.data.dataset import DataKind
from automl.execution.messages import EpochDone, Screened
from automl.jobs.records import StopMode, Trial, TrialState
from automl.models.catalog import FAMILIES, list_baselines
from automl.search.budget import compute_reserve
from automl.search.context import CoordinatorContext
from automl.search.crew import Crew
from automl.search.ensemble_watch import EnsembleWatch
from automl.search.ensembling import Ensembler
from automl.search.ledger import ACTIVE, BASELINE, FLOOR, SEARCH, SUPERNET, Ledger
from automl.search.lineup import Lineup
from automl.search.offers import PRUNERS, SAMPLERS, Pruner
from automl.search.pace import Horizon, Pace
from automl.search.progress import Reporter
from automl.search.proposals import Proposer
from automl.search.refit_plan import estimate_end, estimate_refits
from automl.search.rungs import RungPlan
from automl.search.runs import Limits, Pack, Question
from automl.search.screens import NO_TIME, Screening, Verdict
from automl.search.seeding import derive_seed
from automl.search.sharing import Sharing
from automl.search.shed import Shed
from automl.search.study import Study
from automl.search.turns import is_searched
from automl.training.epoch import Verb

STOP_GRACE_SECONDS = 8.0
LONG_GRACE_SECONDS = 30.0  # an epoch of pictures may be long; its own deadline has come as well
LEAST_TRIAL_SECONDS = 1.0
LEAST_BASELINE_SECONDS = 5.0  # there is always something to end with
MAX_ATTEMPTS = 3
SUPERNET_EPOCHS = 30

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
        self._shed = Shed(self._spec, context.folder, ledger)
        self._watch = EnsembleWatch(
            ensembler=Ensembler(self._spec, context.folder, ledger),
            publish=context.milestones.show_ensemble,
            count=context.milestones.add_ensemble_seconds,
            now=context.clock.now,
        )
        self._screening = Screening(context, ledger, plan.first)
        self._pace = Pace(context, ledger, plan)
        self._sharing = Sharing(context, ledger)
        self._proposer = Proposer(context, ledger, self._study, self._sharing)
        self._lineup = Lineup(context, ledger, crew, self._proposer)
        self._has_images = self._spec.data_kind is DataKind.IMAGES
        self._reserve = (0.0, 0.0)  # measured at, seconds

    def run(self) -> Steps:
        """Yield whenever it waits; at the end every trial has ended. ``SearchDiscarded`` when told so."""
        for offer in (SAMPLERS[self._spec.sampler], PRUNERS[self._spec.pruner]):
            self._context.warnings.add(offer.find_caution(self._spec.situation))
        self._add_baselines()
        self._sharing.add_supernet()
        if self._spec.budget.is_repeatable:
            yield from self._run_batches()
        else:
            yield from self._run_freely()
        yield from self._drain()
        if self._context.stop_mode() is not StopMode.KEEP_BEST:
            self._crew.close_waiting()  # what a person stopped may be resumed

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
                if self._lineup.is_to_measure(slot):
                    self._crew.measure(slot)
                    continue
                trials = self._lineup.find_next() if self._has_time() else []
                if not trials:
                    break
                self._begin(slot, trials)
            self._refill()
            if not self._crew.running and not self._is_more_to_come():
                return
            yield from self._wait("search")
            for question in self._crew.questions():
                self._answer(question)

    def _refill(self) -> None:
        """Free places of packs that run are taken as soon as they are there."""
        for slot in self._spec.resources.devices:
            joining = self._lineup.find_joining(slot) if self._has_time() else []
            if joining:
                number = self._ledger[self._crew.list_pack(slot)[0]].facts["pack"]
                self._start_pack(slot, joining, int(number))

    def _run_batches(self) -> Steps:
        """Baselines, then search trials, one or one pack per slot; the place in the batch decides the slot."""
        while not self._is_over():
            batch = self._lineup.list_batch()
            if not batch:
                return
            for slot, trials in zip(self._spec.resources.devices, batch, strict=False):
                while slot not in self._crew.idle_slots():
                    yield from self._wait("search")
                self._begin(slot, trials)
            while self._crew.running and not self._is_over():
                yield from self._wait("search")
                if self._crew.is_lockstep():
                    for question in self._crew.questions():
                        self._answer(question)

    def _drain(self) -> Steps:
        is_asked = self._context.stop_mode() is StopMode.KEEP_BEST
        grace = LONG_GRACE_SECONDS if self._has_images and not is_asked else STOP_GRACE_SECONDS
        give_up_at = time.monotonic() + grace
        supernet = self._sharing.find_supernet()
        if is_asked and supernet is not None and supernet.number in self._crew.running:
            self._crew.put_back(supernet.number)  # it would look for paths that nobody trains now
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
                self._study.constrain(trial.number, self._spec.limits.compute_excess(trial.facts))
                self._study.tell(trial.number, trial.state, trial.score, trial.facts)
                self._ledger.update(trial.number, optuna=self._study.describe(trial.number))
            self._shed.look(trial)
            self._watch.note(trial)
        self._watch.look()
        if phase == "search" and self._find_unfinished_baseline():
            phase = "baselines"
        self._reporter.report(phase)
        yield

    def _begin(self, slot: str, trials: list[Trial]) -> None:
        """Train on an idle slot: alone, or several as a pack; who ended three trainers or workers is not tried again."""
        trials = [trial for trial in trials if not self._is_given_up(trial)]
        if len(trials) > 1:
            self._start_pack(slot, trials, self._lineup.take_number())
        elif trials:
            self._crew.start(slot, trials[0], self._build_limits(trials[0]))

    def _start_pack(self, slot: str, trials: list[Trial], number: int) -> None:
        limits = tuple(map(self._build_limits, trials))
        self._crew.start_pack(slot, Pack(number=number, members=tuple(trials), limits=limits))

    def _is_given_up(self, trial: Trial) -> bool:
        if trial.attempt <= MAX_ATTEMPTS:
            return False
        self._ledger.update(
            trial.number,
            state=TrialState.FAILED,
            failure_kind="crashed",
            failure_message=f"Its process ended {MAX_ATTEMPTS} times.",
        )
        return True

    def _build_limits(self, trial: Trial) -> Limits:
        left = self._compute_left()
        if left is not None and trial.stage == BASELINE:
            left = max(left, LEAST_BASELINE_SECONDS)
        if left is not None and trial.stage == SUPERNET:
            left = min(left, self._pace.compute_supernet_seconds() or left)
        return Limits(
            max_epochs=SUPERNET_EPOCHS if trial.stage == SUPERNET else self._plan.max_epochs,
            rungs=self._list_rungs(trial),
            deadline_seconds=left,
            screen=_is_to_screen(trial),
            measure=self._is_to_measure(trial),
        )

    def _is_to_measure(self, trial: Trial) -> bool:
        """Models for tables, where what they cost counts: they are built and fitted first."""
        is_asked = self._spec.has_front or self._spec.limits.is_set
        return is_asked and not self._has_images and trial.family != FLOOR

    def _list_rungs(self, trial: Trial) -> tuple[int, ...]:
        """Only networks are ended early: rounds of boosting are no epochs, and they stop by themselves."""
        if trial.stage != SEARCH or self._spec.pruner is Pruner.NONE:
            return ()
        if not is_searched(trial.family):
            return ()
        if self._spec.folds:
            return self._plan.rungs
        horizon = trial.config.get("epochs", self._plan.max_epochs)
        return self._plan.before(min(int(horizon), self._plan.max_epochs))

    def _answer(self, question: Question) -> None:
        if isinstance(question, Screened):
            self._answer_screen(question)
            return
        number, epoch = question.trial, question.epoch
        score = self._read_score(question)
        ends = self._study.report(number, epoch.rung, score, self._ledger[number].facts)
        self._ledger.update(number, optuna=self._study.describe(number))
        self._crew.answer(number, Verb.PRUNE if ends else Verb.CONTINUE)

    def _read_score(self, question: EpochDone) -> float:
        """What a trial is judged by at a rung: its epoch's score; with folds their mean so far.

        The signed-rank test compares fold with fold.
        """
        epoch = question.epoch
        score = epoch.score if epoch.fold is None else epoch.fold_score
        if epoch.fold is not None and self._spec.pruner is not Pruner.WILCOXON:
            score = self._crew.running[question.trial].compute_fold_mean()
        return float("nan") if score is None else score

    def _answer_screen(self, question: Screened) -> None:
        """Keep what was measured; end the trial, or tell it how many epochs it may have.

        What was judged once is not judged again after a crash: others have gone on meanwhile.
        """
        known = self._ledger[question.trial]
        trial = replace(known, facts={**known.facts, **_build_facts(question)})
        if known.failure_kind:
            verdict = Verdict(kind=known.failure_kind, reason=known.failure_message)
        elif "parameters" in known.facts:
            verdict, trial = None, known
        else:
            verdict = self._screening.judge(trial)
        horizon = self._pace.plan(trial, self._compute_left())
        if verdict is None and horizon.epochs < 1:
            verdict = Verdict(
                kind=NO_TIME,
                reason=f"One epoch would take about {horizon.epoch_seconds or 0.0:.3g} s; that is too long "
                "for the time there is.",
            )
        changes = self._constrain(trial, horizon)
        if verdict is not None:
            changes |= {"failure_kind": verdict.kind, "failure_message": verdict.reason}
            self._ledger.update(trial.number, facts=trial.facts, **changes)
            self._crew.answer(trial.number, Verb.PRUNE)
            return
        self._say_short(trial, horizon)
        if horizon.is_short:
            changes["config"] = {**trial.config, "epochs": horizon.epochs}
        facts = {**trial.facts, "horizon": horizon.epochs}
        self._ledger.update(trial.number, facts=facts, **changes)
        shorter = horizon.epochs if horizon.is_short else None
        self._crew.answer(trial.number, Verb.CONTINUE, shorter)

    def _constrain(self, trial: Trial, horizon: Horizon) -> dict[str, Any]:
        """Tell the sampler how far the network is from the limits and the time, so that it learns where they lie."""
        if trial.stage != SEARCH:
            return {}
        excess = self._spec.limits.compute_excess(trial.facts)
        if horizon.excess is not None:
            excess["seconds"] = horizon.excess
        self._study.constrain(trial.number, excess)
        return {
            "optuna": self._study.describe(trial.number),
            "n_parameters": int(trial.facts["parameters"]),
        }

    def _say_short(self, trial: Trial, horizon: Horizon) -> None:
        if not horizon.is_short or trial.stage != SEARCH:
            return
        self._context.log(
            "info",
            f"trial {trial.number} gets {horizon.epochs} of {horizon.wanted} epochs: one takes about "
            f"{horizon.epoch_seconds or 0.0:.1f} s",
        )
        self._context.warnings.add(
            "The time does not allow every network all the epochs of its training plan: plans were "
            "shortened before they began, so that each schedule ends as it should."
        )

    def _find_unfinished_baseline(self) -> bool:
        return any(row.state in ACTIVE for row in self._ledger.list_trials(BASELINE))

    def _compute_left(self) -> float | None:
        """Seconds of searching left; the reserve is measured again every second."""
        clock = self._context.clock
        if clock.total is None:
            return None
        if clock.now() - self._reserve[0] > 1.0:
            refits = estimate_refits(self._ledger, self._context, self._watch.latest)
            finish = estimate_end(self._ledger, self._context, self._watch.latest)
            reserve = compute_reserve(clock.total, refits, finish, is_long=self._has_images)
            self._reserve = (clock.now(), reserve)
        return clock.compute_left(self._reserve[1])

    def _has_time(self) -> bool:
        """Whether another trial may begin; always, as long as there is nothing to end with."""
        left = self._compute_left()
        if left is None or self._ledger.find_best() is None:
            return True
        least = self._pace.compute_least_seconds() if self._has_images else 0.0
        return left > max(LEAST_TRIAL_SECONDS, least)

    def _is_more_to_come(self) -> bool:
        return self._has_time() and (
            self._lineup.find_waiting() is not None or self._proposer.is_open()
        )

    def _is_over(self) -> bool:
        """True when it is time to end; never before there is one model to end with."""
        if self._ledger.find_best() is None:
            scoreless = not self._find_unfinished_baseline() and not self._proposer.is_open()
            return scoreless and not self._crew.running and not self._sharing.is_pending
        if self._context.stop_mode() is StopMode.KEEP_BEST:
            return True
        left = self._compute_left()
        return left is not None and left <= 0


def _is_to_screen(trial: Trial) -> bool:
    """Networks on pictures, before they are searched with or stand as a yardstick; not before a refit."""
    if trial.stage not in (BASELINE, SEARCH):
        return False
    family = FAMILIES[trial.family]
    return family.is_network and DataKind.TABLE not in family.data


def _build_facts(question: Screened) -> dict[str, float]:
    screen = question.screen
    return {
        "parameters": screen.parameters,
        "macs": screen.macs,
        "latency_ms": screen.latency_ms,
        "proxy": screen.proxy,
        "picture_seconds": screen.picture_seconds,
    }
