"""The Optuna study of a search: in memory, derived from trial rows, never stored itself.

Before every ask the sampler is seeded from the search's seed and the number of trials so far, so that a
search that was cut and rebuilt proposes what the undisturbed one would have proposed.

With several objectives Optuna neither reports nor prunes: rung values are kept here, fronts decide who goes
on. Every family then has a study of its own, because a genetic sampler mixes only what all trials share.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from automl.jobs.records import Trial, TrialState
from automl.search.fronts import build_values, is_promoted
from automl.search.rungs import FACTOR
from automl.search.seeding import derive_seed
from automl.search.spec import Pruner, Sampler, SearchSpec
from automl.space.dimensions import Config, Space
from automl.space.sampling import sample

if TYPE_CHECKING:
    import optuna

N_STARTUP_TRIALS = 10
FIRST_GENETIC_TRIAL = 250  # TPE before, NSGA-II from here on, with several objectives
CONSTRAINT = "constraints:"  # how Optuna names them among a trial's system attributes

NO_FACTS: Mapping[str, float] = {}


class Study:
    """Ask, report and tell by our own trial numbers.

    ``first_rung`` (epochs) is the smallest resource of successive halving.
    """

    def __init__(self, name: str, spec: SearchSpec, first_rung: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._name = name
        self._spec = spec
        self._first_rung = first_rung
        self._studies: dict[str, optuna.Study] = {}
        self._places: dict[int, tuple[str, int]] = {}  # our number → study, Optuna's number
        self._open: dict[int, optuna.trial.Trial] = {}
        self._verdicts: dict[int, dict[int, bool]] = {}  # by our number: rung → ended there
        self._rungs: dict[int, dict[int, tuple[float, ...]]] = {}  # rung → values by our number
        self._scores: dict[int, dict[int, float]] = {}  # by our number: rung → score

    def __len__(self) -> int:
        return len(self._places)

    def _get_study(self, family: str) -> "optuna.Study":
        key = family if self._spec.has_front else ""
        if key not in self._studies:
            directions = self._optuna.study.StudyDirection
            costs = [directions.MINIMIZE for _ in self._spec.objectives[1:]]
            self._studies[key] = self._optuna.create_study(
                study_name=f"{self._name}-{key}" if key else self._name,
                directions=[directions.MAXIMIZE, *costs],
                sampler=_build_sampler(self._spec, 0, 0),
                pruner=_build_pruner(self._spec, self._first_rung),
            )
        return self._studies[key]

    def rebuild(self, trials: Iterable[Trial]) -> None:
        """Take in the rows of an earlier run, in the order of their numbers."""
        for trial in sorted(trials, key=lambda row: row.number):
            study, frozen = self._get_study(trial.family), self._freeze(trial)
            index = len(self._list_frozen(study))
            study.add_trial(frozen)
            self._places[trial.number] = (trial.family, index)
            self._rebuild_rungs(trial)
            if not frozen.state.is_finished():
                identity = self._list_frozen(study)[index]._trial_id  # noqa: SLF001 (no public way)
                self._open[trial.number] = self._optuna.trial.Trial(study, identity)

    def _rebuild_rungs(self, trial: Trial) -> None:
        verdicts = trial.optuna.get("verdicts", {})
        self._verdicts[trial.number] = {int(rung): end for rung, end in verdicts.items()}
        if not self._spec.has_front:
            return
        for rung, score in sorted(_read_intermediate(trial).items()):
            self._note_rung(trial.number, rung, score, trial.facts)

    def ask(self, number: int, family: str, space: Space, config: Config | None = None) -> Config:
        """The next configuration of a family (or ``config``, registered as if it had been proposed)."""
        study = self._get_study(family)
        seed = derive_seed(self._spec.seed, "ask", len(self._places))
        study.sampler = _build_sampler(self._spec, seed, len(self._places))
        prefix = f"{family}."
        if config is not None:
            fixed = {prefix + label: value for label, value in config.items()}
            study.enqueue_trial(fixed)
        trial = study.ask()
        proposed = sample(space, trial, prefix=prefix)
        self._places[number] = (family, trial.number)
        self._open[number] = trial
        return proposed

    def constrain(self, number: int, excess: Mapping[str, float]) -> None:
        """Tell how far a network is over each limit (0 or less: within); once per limit."""
        known = self._find_frozen(number).system_attrs
        for name, value in excess.items():
            if CONSTRAINT + name not in known:
                self._open[number].set_constraint(name, value)

    def report(
        self, number: int, epoch: int, score: float, facts: Mapping[str, float] = NO_FACTS
    ) -> bool:
        """Report a score at a rung; True means: end this trial.

        A trial that was cut hears the verdicts of its first attempt again: others have gone on meanwhile.
        ``facts`` are the costs that several objectives weigh.
        """
        if not math.isfinite(score):
            return True
        verdicts = self._verdicts.setdefault(number, {})
        if epoch not in verdicts:
            verdicts[epoch] = self._judge(number, epoch, score, facts)
        return verdicts[epoch]

    def _judge(self, number: int, epoch: int, score: float, facts: Mapping[str, float]) -> bool:
        if not self._spec.has_front:
            trial = self._open[number]
            trial.report(score, epoch)
            return trial.should_prune()
        self._note_rung(number, epoch, score, facts)
        if self._spec.pruner is Pruner.NONE or number not in self._rungs.get(epoch, {}):
            return False
        return not is_promoted(self._rungs[epoch], number, FACTOR)

    def _note_rung(self, number: int, epoch: int, score: float, facts: Mapping[str, float]) -> None:
        self._scores.setdefault(number, {})[epoch] = score
        values = build_values(self._spec.objectives, score, facts)
        if values is not None:
            self._rungs.setdefault(epoch, {})[number] = values

    def tell(
        self,
        number: int,
        state: TrialState,
        score: float | None,
        facts: Mapping[str, float] = NO_FACTS,
    ) -> None:
        """Close a trial; a score that is not finite counts as a failure."""
        trial = self._open.pop(number)
        study = self._get_study(self._places[number][0])
        states = self._optuna.trial.TrialState
        values = self._compute_values(score, facts)
        if state is TrialState.COMPLETE and values is not None:
            study.tell(trial, values)
        elif state is TrialState.PRUNED and _is_lesson(
            self._find_frozen(number), has_rung=number in self._scores
        ):
            study.tell(trial, state=states.PRUNED)
        else:
            study.tell(trial, state=states.FAIL)

    def _compute_values(
        self, score: float | None, facts: Mapping[str, float]
    ) -> list[float] | None:
        values = build_values(self._spec.objectives, score, facts)
        return None if values is None else [values[0], *(-value for value in values[1:])]

    def describe(self, number: int) -> dict[str, Any]:
        """What rebuilds one trial, as JSON values (kept in ``Trial.optuna``)."""
        frozen = self._find_frozen(number)
        to_json = self._optuna.distributions.distribution_to_json
        scores = self._scores.get(number) or frozen.intermediate_values
        return {
            "params": dict(frozen.params),
            "distributions": {name: to_json(item) for name, item in frozen.distributions.items()},
            "intermediate": {str(step): value for step, value in scores.items()},
            "system_attrs": dict(frozen.system_attrs),
            "verdicts": {str(rung): end for rung, end in self._verdicts.get(number, {}).items()},
        }

    def _find_frozen(self, number: int) -> "optuna.trial.FrozenTrial":
        family, index = self._places[number]
        return self._list_frozen(self._get_study(family))[index]

    def _list_frozen(self, study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
        """Optuna's own records, not to be changed: a copy of all of them costs more with every trial."""
        return study.get_trials(deepcopy=False)

    def _freeze(self, trial: Trial) -> "optuna.trial.FrozenTrial":
        states = self._optuna.trial.TrialState
        memory: Mapping[str, Any] = trial.optuna
        intermediate = {} if self._spec.has_front else _read_intermediate(trial)
        from_json = self._optuna.distributions.json_to_distribution
        frozen = self._optuna.trial.create_trial(
            state=states.RUNNING,
            params=dict(memory.get("params", {})),
            distributions={
                name: from_json(text) for name, text in memory.get("distributions", {}).items()
            },
            system_attrs=dict(memory.get("system_attrs", {})),
            intermediate_values=intermediate,
        )
        if not is_over(trial):
            return frozen
        values = self._compute_values(trial.score, trial.facts)
        if trial.state is TrialState.COMPLETE and values is not None:
            frozen.state, frozen.values = states.COMPLETE, values
        elif trial.state is TrialState.PRUNED and _is_lesson(
            frozen, has_rung=bool(_read_intermediate(trial))
        ):
            frozen.state = states.PRUNED
            frozen.values = [intermediate[max(intermediate)]] if intermediate else None
        else:
            frozen.state = states.FAIL
        frozen.datetime_complete = frozen.datetime_start
        return frozen


def _read_intermediate(trial: Trial) -> dict[int, float]:
    return {int(step): value for step, value in trial.optuna.get("intermediate", {}).items()}


def _is_lesson(frozen: "optuna.trial.FrozenTrial", *, has_rung: bool) -> bool:
    """Whether an ended trial says something about its region: a rung it lost, or a limit it broke.

    One that the cheap filter left out does not: a proxy is no judge.
    """
    is_over_limit = any(value > 0 for value in frozen.constraints.values())
    return has_rung or bool(frozen.intermediate_values) or is_over_limit


def is_over(trial: Trial) -> bool:
    """True when nothing more will happen to a trial."""
    return trial.state not in (TrialState.WAITING, TrialState.RUNNING)


def _build_sampler(spec: SearchSpec, seed: int, n_asked: int) -> "optuna.samplers.BaseSampler":
    import optuna

    is_late = spec.sampler is Sampler.TPE and spec.has_front and n_asked >= FIRST_GENETIC_TRIAL
    if spec.sampler is Sampler.NSGA2 or is_late:
        return optuna.samplers.NSGAIISampler(seed=seed)
    if spec.sampler is Sampler.TPE:
        return optuna.samplers.TPESampler(n_startup_trials=N_STARTUP_TRIALS, seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)  # a grid's points are all given, none sampled


def _build_pruner(spec: SearchSpec, first_rung: int) -> "optuna.pruners.BasePruner":
    import optuna

    if spec.pruner is Pruner.NONE or spec.has_front:
        return optuna.pruners.NopPruner()
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=first_rung, reduction_factor=FACTOR)
