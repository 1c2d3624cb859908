"""The Optuna study of a search: in memory, derived from trial rows, never stored itself.

Before every ask the sampler is seeded from the search's seed and the number of trials so far, so that a
search that was cut and rebuilt proposes what the undisturbed one would have proposed.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from automl.jobs.records import Trial, TrialState
from automl.search.rungs import FACTOR
from automl.search.seeding import derive_seed
from automl.search.spec import Pruner, Sampler, SearchSpec
from automl.space.dimensions import Config, Space
from automl.space.sampling import sample

if TYPE_CHECKING:
    import optuna

N_STARTUP_TRIALS = 10


class Study:
    """Ask, report and tell by our own trial numbers.

    ``first_rung`` (epochs) is the smallest resource of successive halving.
    """

    def __init__(self, name: str, spec: SearchSpec, first_rung: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._spec = spec
        self._study = optuna.create_study(
            study_name=name,
            direction="maximize",
            sampler=_build_sampler(spec.sampler, 0),
            pruner=_build_pruner(spec.pruner, first_rung),
        )
        self._numbers: dict[int, int] = {}  # ours → Optuna's
        self._open: dict[int, optuna.trial.Trial] = {}
        self._verdicts: dict[int, dict[int, bool]] = {}  # by our number: rung → ended there

    def __len__(self) -> int:
        return len(self._numbers)

    def rebuild(self, trials: Iterable[Trial]) -> None:
        """Take in the rows of an earlier run, in the order of their numbers."""
        for trial in sorted(trials, key=lambda row: row.number):
            frozen = self._freeze(trial)
            index = len(self._numbers)
            self._study.add_trial(frozen)
            self._numbers[trial.number] = index
            if not frozen.state.is_finished():
                verdicts = trial.optuna.get("verdicts", {})
                self._verdicts[trial.number] = {int(rung): end for rung, end in verdicts.items()}
                identity = self._list_frozen()[index]._trial_id  # noqa: SLF001 (no public way back)
                self._open[trial.number] = self._optuna.trial.Trial(self._study, identity)

    def ask(self, number: int, family: str, space: Space, config: Config | None = None) -> Config:
        """The next configuration of a family (or ``config``, registered as if it had been proposed)."""
        seed = derive_seed(self._spec.seed, "ask", len(self._numbers))
        self._study.sampler = _build_sampler(self._spec.sampler, seed)
        prefix = f"{family}."
        if config is not None:
            fixed = {prefix + label: value for label, value in config.items()}
            self._study.enqueue_trial(fixed)
        trial = self._study.ask()
        proposed = sample(space, trial, prefix=prefix)
        self._numbers[number] = trial.number
        self._open[number] = trial
        return proposed

    def report(self, number: int, epoch: int, score: float) -> bool:
        """Report a score at a rung; True means: end this trial.

        A trial that was cut hears the verdicts of its first attempt again: others have gone on meanwhile.
        """
        if not math.isfinite(score):
            return True
        verdicts = self._verdicts.setdefault(number, {})
        if epoch not in verdicts:
            trial = self._open[number]
            trial.report(score, epoch)
            verdicts[epoch] = trial.should_prune()
        return verdicts[epoch]

    def tell(self, number: int, state: TrialState, score: float | None) -> None:
        """Close a trial; a score that is not finite counts as a failure."""
        trial = self._open.pop(number)
        states = self._optuna.trial.TrialState
        if state is TrialState.COMPLETE and score is not None and math.isfinite(score):
            self._study.tell(trial, score)
        elif state is TrialState.PRUNED and self._list_frozen()[trial.number].intermediate_values:
            self._study.tell(trial, state=states.PRUNED)
        else:
            self._study.tell(trial, state=states.FAIL)

    def describe(self, number: int) -> dict[str, Any]:
        """What rebuilds one trial, as JSON values (kept in ``Trial.optuna``)."""
        frozen = self._list_frozen()[self._numbers[number]]
        to_json = self._optuna.distributions.distribution_to_json
        return {
            "params": dict(frozen.params),
            "distributions": {name: to_json(item) for name, item in frozen.distributions.items()},
            "intermediate": {
                str(step): value for step, value in frozen.intermediate_values.items()
            },
            "system_attrs": dict(frozen.system_attrs),
            "verdicts": {str(rung): end for rung, end in self._verdicts.get(number, {}).items()},
        }

    def _list_frozen(self) -> "list[optuna.trial.FrozenTrial]":
        """Optuna's own records, not to be changed: a copy of all of them costs more with every trial."""
        return self._study.get_trials(deepcopy=False)

    def _freeze(self, trial: Trial) -> "optuna.trial.FrozenTrial":
        states = self._optuna.trial.TrialState
        memory: Mapping[str, Any] = trial.optuna
        intermediate = {int(step): value for step, value in memory.get("intermediate", {}).items()}
        state, value = states.FAIL, None
        if trial.state is TrialState.COMPLETE:
            state, value = states.COMPLETE, trial.score
        elif trial.state is TrialState.PRUNED and intermediate:
            state, value = states.PRUNED, intermediate[max(intermediate)]
        elif not is_over(trial):
            state = states.RUNNING
        from_json = self._optuna.distributions.json_to_distribution
        return self._optuna.trial.create_trial(
            state=state,
            value=value,
            params=dict(memory.get("params", {})),
            distributions={
                name: from_json(text) for name, text in memory.get("distributions", {}).items()
            },
            system_attrs=dict(memory.get("system_attrs", {})),
            intermediate_values=intermediate,
        )


def is_over(trial: Trial) -> bool:
    """True when nothing more will happen to a trial."""
    return trial.state not in (TrialState.WAITING, TrialState.RUNNING)


def _build_sampler(kind: Sampler, seed: int) -> "optuna.samplers.BaseSampler":
    import optuna

    if kind is Sampler.TPE:
        return optuna.samplers.TPESampler(n_startup_trials=N_STARTUP_TRIALS, seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)  # a grid's points are all given, none sampled


def _build_pruner(kind: Pruner, first_rung: int) -> "optuna.pruners.BasePruner":
    import optuna

    if kind is Pruner.NONE:
        return optuna.pruners.NopPruner()
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=first_rung, reduction_factor=FACTOR)
