"""The Optuna studies of a search: in memory, derived from trial rows, never stored themselves.

Every family has a study of its own, from which its next configuration comes; who goes on at a rung is judged
over all families. Before every ask the sampler is seeded from the search's seed and the number of trials so
far, and what a sampler must find again is kept with the trial, so that a search that was cut and rebuilt
proposes what the undisturbed one would have proposed.

With several objectives Optuna neither reports nor prunes: rung values are kept here, fronts decide who goes on.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from automl.data.dataset import DataKind
from automl.jobs.records import Trial, TrialState
from automl.search.fronts import build_values, is_promoted
from automl.search.offers import Pruner, Sampler
from automl.search.own_samplers import OWN_SAMPLERS, Ask, Past
from automl.search.rungs import FACTOR
from automl.search.seeding import derive_seed
from automl.search.spec import SearchSpec
from automl.space.dimensions import Config, Space
from automl.space.points import is_whole, overlay
from automl.space.sampling import sample

if TYPE_CHECKING:
    import optuna

CONSTRAINT = "constraints:"  # how Optuna names them among a trial's system attributes

MERGED = "most"

NO_FACTS: Mapping[str, float] = {}


class Study:
    """Ask, report and tell by our own trial numbers.

    ``first_rung`` (epochs) is the smallest resource of successive halving.
    """

    def __init__(self, name: str, spec: SearchSpec, first_rung: int) -> None:
        import optuna

        from automl.search import optuna_parts
        from automl.search.judge import Judge

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._parts = optuna_parts
        self._name = name
        self._spec = spec
        is_bounded = spec.limits.is_set or spec.data_kind is DataKind.IMAGES
        self._is_merged = spec.sampler is Sampler.GP and is_bounded
        self._judge = None if spec.has_front else Judge(spec, first_rung)
        self._studies: dict[str, optuna.Study] = {}
        self._places: dict[int, tuple[str, int]] = {}  # our number → study, Optuna's number
        self._open: dict[int, optuna.trial.Trial] = {}
        self._notes: dict[int, Mapping[str, Any]] = {}  # by our number: what its proposer noted
        self._parents: dict[int, Mapping[str, Any]] = {}  # by our number: generations it began
        self._verdicts: dict[int, dict[int, bool]] = {}  # by our number: rung → ended there
        self._rungs: dict[int, dict[int, tuple[float, ...]]] = {}  # rung → values by our number
        self._scores: dict[int, dict[int, float]] = {}  # by our number: rung → score

    def __len__(self) -> int:
        return len(self._places)

    def _get_study(self, family: str) -> "optuna.Study":
        if family not in self._studies:
            directions = self._optuna.study.StudyDirection
            costs = [directions.MINIMIZE for _ in self._spec.objectives[1:]]
            self._studies[family] = self._optuna.create_study(
                study_name=f"{self._name}-{family}",
                directions=[directions.MAXIMIZE, *costs],
                sampler=self._parts.build_sampler(self._spec, 0, 0),
                pruner=self._optuna.pruners.NopPruner(),
            )
        return self._studies[family]

    def rebuild(self, trials: Iterable[Trial]) -> None:
        """Take in the rows of an earlier run, in the order of their numbers."""
        for trial in sorted(trials, key=lambda row: row.number):
            study, frozen = self._get_study(trial.family), self._freeze(trial)
            index = len(self._list_frozen(study))
            study.add_trial(frozen)
            self._places[trial.number] = (trial.family, index)
            self._notes[trial.number] = trial.optuna.get("notes", {})
            self._keep_parents(trial.number, study, trial.optuna.get("parents", {}))
            if self._judge is not None:
                self._judge.restore(trial.number, self._freeze(trial, is_judged=True))
            self._rebuild_rungs(trial)
            if not frozen.state.is_finished():
                identity = self._list_frozen(study)[index]._trial_id  # noqa: SLF001 (no public way)
                self._open[trial.number] = self._optuna.trial.Trial(study, identity)

    def _keep_parents(self, number: int, study: "optuna.Study", known: Mapping[str, Any]) -> None:
        """Who the parents of a generation are is decided once; Optuna keeps it with the study, we with the trial."""
        self._parents[number] = known
        for name, parents in known.items():
            study._storage.set_study_system_attr(study._study_id, name, parents)  # noqa: SLF001

    def _rebuild_rungs(self, trial: Trial) -> None:
        verdicts = trial.optuna.get("verdicts", {})
        self._verdicts[trial.number] = {int(rung): end for rung, end in verdicts.items()}
        if not self._spec.has_front:
            return
        for rung, score in sorted(_read_intermediate(trial).items()):
            self._note_rung(trial.number, rung, score, trial.facts)

    def ask(self, number: int, family: str, space: Space, config: Config | None = None) -> Config:
        """The next configuration of a family; what ``config`` fixes (all of it, or a part) is as if proposed so."""
        study, parts = self._get_study(family), self._parts
        seed = derive_seed(self._spec.seed, "ask", len(self._places))
        study.sampler = parts.build_sampler(self._spec, seed, len(self._places))
        self._notes[number] = {}
        own = OWN_SAMPLERS.get(self._spec.sampler)
        if own is not None and not is_whole(space, config or {}):
            root = derive_seed(self._spec.seed, "sampler", family)
            proposal = own(Ask(space=space, past=self._list_past(family), root=root, seed=seed))
            config = overlay(space, proposal.config, config or {})
            self._notes[number] = proposal.notes
        if config is not None:
            study.enqueue_trial({f"{family}.{label}": value for label, value in config.items()})
        before = self._get_generations(study)
        trial = study.ask()
        is_open = self._spec.sampler in parts.OPEN_SAMPLERS
        proposed = sample(space, trial, prefix=f"{family}.", is_open=is_open)
        after = self._get_generations(study)
        self._parents[number] = {name: after[name] for name in after if name not in before}
        self._places[number] = (family, trial.number)
        self._open[number] = trial
        if self._judge is not None:
            self._judge.begin(number)
        return proposed

    def _get_generations(self, study: "optuna.Study") -> dict[str, Any]:
        """What Optuna's genetic samplers decided about generations so far."""
        return dict(study._storage.get_study_system_attrs(study._study_id))  # noqa: SLF001

    def _list_past(self, family: str) -> list[Past]:
        """The trials of a family so far, in the order of asking."""
        numbers = [number for number, (name, _) in self._places.items() if name == family]
        return [self._build_past(number, len(family) + 1) for number in sorted(numbers)]

    def _build_past(self, number: int, n_prefix: int) -> Past:
        frozen = self._find_frozen(number)
        is_complete = frozen.state is self._optuna.trial.TrialState.COMPLETE
        return Past(
            config={name[n_prefix:]: value for name, value in frozen.params.items()},
            merit=_compute_merit(frozen),
            score=frozen.values[0] if is_complete and frozen.values else None,
            notes=self._notes[number],
        )

    def constrain(self, number: int, excess: Mapping[str, float]) -> None:
        """Tell how far a network is over each limit (0 or less: within); once per limit.

        The Gaussian process wants the same limits of every trial: it is told the one that is exceeded most.
        """
        known = self._find_frozen(number).system_attrs
        if self._is_merged and excess:
            excess = {MERGED: max(excess.values())}
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
            verdicts[epoch] = self._rule(number, epoch, score, facts)
        return verdicts[epoch]

    def _rule(self, number: int, epoch: int, score: float, facts: Mapping[str, float]) -> bool:
        if self._judge is not None:
            self._open[number].report(score, epoch)
            return self._judge.rule(number, epoch, score)
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
        if self._is_merged:
            self.constrain(
                number, {MERGED: 0.0}
            )  # a trial of which nothing is known exceeds nothing
        trial = self._open.pop(number)
        study = self._get_study(self._places[number][0])
        states = self._optuna.trial.TrialState
        values = self._compute_values(score, facts)
        if state is TrialState.COMPLETE and values is not None:
            end = states.COMPLETE
        elif state is TrialState.PRUNED and _is_lesson(
            self._find_frozen(number), has_rung=number in self._scores
        ):
            end = states.PRUNED
        else:
            end = states.FAIL
        study.tell(trial, values if end is states.COMPLETE else None, state=end)
        if self._judge is not None:
            self._judge.close(number, end, score)

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
            "judge": {} if self._judge is None else self._judge.describe(number),
            "notes": self._notes[number],
            "parents": self._parents[number],
        }

    def _find_frozen(self, number: int) -> "optuna.trial.FrozenTrial":
        family, index = self._places[number]
        return self._list_frozen(self._get_study(family))[index]

    def _list_frozen(self, study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
        """Optuna's own records, not to be changed: a copy of all of them costs more with every trial."""
        return study.get_trials(deepcopy=False)

    def _freeze(self, trial: Trial, *, is_judged: bool = False) -> "optuna.trial.FrozenTrial":
        """A row as Optuna keeps it: in the study of its family, or (``is_judged``) in that of the judge."""
        states = self._optuna.trial.TrialState
        memory: Mapping[str, Any] = trial.optuna
        if is_judged:
            memory = {"system_attrs": {**_list_constraints(memory), **memory.get("judge", {})}}
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


def _compute_merit(frozen: "optuna.trial.FrozenTrial") -> tuple[float, ...] | None:
    """How an ended trial stands, higher is better: within the limits, then to the end, then the further rung."""
    excess = sum(max(0.0, value) for value in frozen.constraints.values())
    if not frozen.state.is_finished() or (frozen.values is None and excess == 0):
        return None
    rung = frozen.last_step if frozen.state.name == "PRUNED" else math.inf
    value = frozen.values[0] if frozen.values else -math.inf
    return (-excess, math.inf if rung is None else rung, value)


def _list_constraints(memory: Mapping[str, Any]) -> dict[str, Any]:
    attributes: Mapping[str, Any] = memory.get("system_attrs", {})
    return {name: value for name, value in attributes.items() if name.startswith(CONSTRAINT)}
