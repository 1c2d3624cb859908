"""Which settings of a family decided how good a trial was, as shares with intervals.

PED-ANOVA (Watanabe et al. 2023; conditional settings after its 2026 extension, as in Optuna) compares where the
best trials lie with where all lie. A trial that was ended early counts as not among the best.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl.search.spec import SearchSpec
from automl.space.dimensions import Config, Value
from automl.space.sampling import sample

if TYPE_CHECKING:
    import optuna

Floats = NDArray[np.float64]

LEAST_TRIALS = 10  # completed ones of a family
LEAST_BEST = 5  # among the best, else their place says little
BEST_SHARE = 0.1
MOST_TRIALS = 200  # of a family, the latest: the comparison takes longer with each
N_DRAWS = 60  # resamples of all families together: each takes some 30 ms


@dataclass(kw_only=True, slots=True)
class _Recorder:
    """Stands where an Optuna trial does: gives back what was chosen, and keeps the distribution."""

    config: Config
    distributions: "dict[str, optuna.distributions.BaseDistribution]" = field(default_factory=dict)

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        import optuna

        known = optuna.distributions.IntDistribution(low, high, log=log, step=step)
        self.distributions[name] = known
        # a plan that was shortened for lack of time counts as the shortest there is
        value = min(max(int(self.config[name]), low), high)
        return low + (value - low) // step * step

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        import optuna

        self.distributions[name] = optuna.distributions.FloatDistribution(low, high, log=log)
        return min(max(float(self.config[name]), low), high)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        import optuna

        known = optuna.distributions.CategoricalDistribution(tuple(choices))
        self.distributions[name] = known
        return self.config[name]


def compute_importance(
    spec: SearchSpec, trials: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Per family with at least ten completed search trials: ``family, label, share, low, high, n``.

    ``trials`` are rows of ``result.json``. Shares of a family add up to 1; ``low`` and ``high`` are the 2.5 and
    97.5 percentiles over resampled trials; ``n`` counts the trials compared, those ended early among them.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    by_family = {family: _select(spec, trials, family) for family in spec.families}
    usable = {family: rows for family, rows in by_family.items() if rows}
    n_draws = N_DRAWS // max(1, len(usable))
    found = []
    for family, rows in usable.items():
        found += _compute_family(family, rows, n_draws, spec.seed)
    return found


def _select(
    spec: SearchSpec, trials: Sequence[Mapping[str, Any]], family: str
) -> "list[optuna.trial.FrozenTrial]":
    """The family's trials as Optuna knows them, empty where there are too few or nothing was searched."""
    rows = [
        row
        for row in trials
        if row["family"] == family and row["stage"] == "search" and row["score"] is not None
    ]
    complete = [row for row in rows if row["state"] == "complete"]
    if len(complete) < LEAST_TRIALS or not spec.spaces[family]:
        return []
    worst = min(row["score"] for row in complete)
    counted = [row for row in rows if row["state"] in ("complete", "pruned")][-MOST_TRIALS:]
    return [_build_frozen(spec, row, worst) for row in counted]


def _build_frozen(
    spec: SearchSpec, row: Mapping[str, Any], worst: float
) -> "optuna.trial.FrozenTrial":
    import optuna

    recorder = _Recorder(config=row["config"])
    params: dict[str, Value] = sample(spec.spaces[row["family"]], recorder)
    is_complete = row["state"] == "complete"
    return optuna.trial.create_trial(
        value=row["score"] if is_complete else worst - 1.0,
        params=params,
        distributions=recorder.distributions,
    )


def _compute_family(
    family: str, trials: "list[optuna.trial.FrozenTrial]", n_draws: int, seed: int
) -> list[dict[str, Any]]:
    labels = list(dict.fromkeys(label for trial in trials for label in trial.params))
    shares = _compute_shares(trials, labels)
    generator = np.random.default_rng(seed)
    draws = np.array(
        [
            _compute_shares([trials[i] for i in rows], labels)
            for rows in generator.integers(0, len(trials), (n_draws, len(trials)))
        ]
    )
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    order = np.argsort(-shares, kind="stable")
    return [
        {
            "family": family, "label": labels[i], "share": float(shares[i]),
            "low": float(min(low[i], shares[i])), "high": float(max(high[i], shares[i])), "n": len(trials),
        }
        for i in order
    ]  # fmt: skip


def _compute_shares(trials: "list[optuna.trial.FrozenTrial]", labels: Sequence[str]) -> Floats:
    """Shares of the labels, adding up to 1; all 0 where nothing tells the best from the others."""
    import optuna

    quantile = min(0.5, max(BEST_SHARE, LEAST_BEST / len(trials)))
    values = np.sort([trial.value or 0.0 for trial in trials])[::-1]
    if values[math.ceil(quantile * len(values)) - 1] == values[-1]:
        return np.zeros(len(labels))  # the best are not fewer than all
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler())
    study.add_trials(trials)
    found = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=quantile).evaluate(study)
    raw = np.array([found.get(label, 0.0) for label in labels])
    return raw / raw.sum() if raw.sum() > 0 else raw
