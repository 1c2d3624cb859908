"""Who goes on at a rung, with one objective: a second Optuna study that holds the trials of all families.

Families have studies of their own for what is proposed, but they compete with each other for epochs. Numbers and
the name decide nothing but the bracket of Hyperband, so the name is the same for the same seed.
"""

from collections.abc import Mapping
from typing import Any

import optuna

from automl.search.optuna_parts import build_pruner
from automl.search.spec import SearchSpec


class Judge:
    """Reports and verdicts by our own trial numbers."""

    def __init__(self, spec: SearchSpec, first_rung: int) -> None:
        self._study = optuna.create_study(
            study_name=f"judge-{spec.seed}",
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(seed=0),  # nothing is ever sampled here
            pruner=build_pruner(spec, first_rung),
        )
        self._places: dict[int, int] = {}  # our number → Optuna's
        self._open: dict[int, optuna.trial.Trial] = {}

    def begin(self, number: int) -> None:
        """Take in a new trial."""
        trial = self._study.ask()
        self._places[number] = trial.number
        self._open[number] = trial

    def restore(self, number: int, frozen: optuna.trial.FrozenTrial) -> None:
        """Take in a trial of an earlier run, ``frozen`` without parameters."""
        self._places[number] = len(self._places)
        self._study.add_trial(frozen)
        if not frozen.state.is_finished():
            identity = self._find(number)._trial_id  # noqa: SLF001 (no public way)
            self._open[number] = optuna.trial.Trial(self._study, identity)

    def rule(self, number: int, epoch: int, score: float) -> bool:
        """Note a score at a rung; True means: end this trial."""
        trial = self._open[number]
        trial.report(score, epoch)
        return bool(trial.should_prune())  # some pruners answer with a NumPy truth value

    def close(self, number: int, state: optuna.trial.TrialState, score: float | None) -> None:
        """A trial has ended."""
        values = score if state is optuna.trial.TrialState.COMPLETE else None
        self._study.tell(self._open.pop(number), values, state=state)

    def describe(self, number: int) -> Mapping[str, Any]:
        """What the pruner noted about a trial."""
        return dict(self._find(number).system_attrs)

    def _find(self, number: int) -> optuna.trial.FrozenTrial:
        return self._study.get_trials(deepcopy=False)[self._places[number]]
