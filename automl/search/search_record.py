"""What a search leaves in ``result.json`` beside its models: cost, ensemble, limits, front; of pictures screening, methods."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from automl.data.dataset import DataKind
from automl.jobs.records import Trial, TrialState
from automl.search.ensemble import Ensemble
from automl.search.ensembling import build_ensemble_record
from automl.search.fronts import build_values, compute_fronts
from automl.search.goals import OBJECTIVE_FACTS, Method, Objective, get_unit
from automl.search.ledger import BASELINE, SEARCH, SUPERNET, Ledger
from automl.search.progress import build_name
from automl.search.screens import build_screening_record
from automl.search.sharing import WEIGHT_SHARING
from automl.search.spec import SearchSpec

FRONT_NOTE = (
    "Several objectives were searched for. The winner is the model with the best score within the limits; "
    "the front shows what less accuracy would buy."
)
PLAIN = "plain"


def build_search_record(
    spec: SearchSpec, ledger: Ledger, ensemble: Ensemble | None = None
) -> dict[str, Any]:
    """``ensemble``, ``limits``, ``screening``, ``pareto`` and ``methods``; each only where there was such a thing."""
    record: dict[str, Any] = {}
    if ensemble is not None:
        record["ensemble"] = build_ensemble_record(ensemble)
    if spec.limits.is_set and spec.data_kind is DataKind.TABLE:
        record["limits"] = build_limits_record(spec, ledger)
    if screening := build_screening_record(ledger):
        record["screening"] = screening
    if spec.has_front:
        record["pareto"] = build_pareto(spec, ledger)
        record["pareto_note"] = FRONT_NOTE
    if spec.method is not Method.PLAIN:
        record["methods"] = build_methods(ledger)
    return record


def build_cost(ledger: Ledger, search_seconds: float, ensemble_seconds: float) -> dict[str, Any]:
    """What was searched with: seconds from the start to the last trial, those of building ensembles, trained trials."""
    trained = [row for row in ledger.list_trials(SEARCH) if row.n_epochs > 0]
    return {
        "search_seconds": round(search_seconds, 2),
        "ensemble_seconds": round(ensemble_seconds, 3),
        "n_trials": len(trained),
    }


def build_limits_record(spec: SearchSpec, ledger: Ledger) -> dict[str, Any]:
    """How many of the models that were trained are over a limit, and the reason of each; they are never the winner."""
    trained = ledger.list_scored()
    over = [row for row in trained if not ledger.is_within_limits(row)]
    return {
        "seen": len(trained),
        "over_limit": len(over),
        "reasons": [
            {"trial": row.number, "reason": spec.limits.find_reason(row.facts, spec.data_kind)}
            for row in over
        ],
    }


def build_pareto(spec: SearchSpec, ledger: Ledger) -> list[dict[str, Any]]:
    """Every trained model with its value for each objective, the front marked; best score first.

    Values have their own direction: the score is higher-is-better, all others are costs. What is over a limit
    is no choice and is left out.
    """
    rows, values = [], []
    for trial in ledger.list_scored():
        found = build_values(spec.objectives, trial.score, trial.facts)
        if found is not None and ledger.is_within_limits(trial):
            rows.append(trial)
            values.append(found)
    fronts = compute_fronts(np.array(values, dtype=np.float64)) if rows else ()
    return [
        {
            "trial": trial.number,
            "name": build_name(trial),
            "family": trial.family,
            "is_baseline": trial.stage == BASELINE,
            "values": {
                str(each): {
                    "value": _get_value(trial, each),
                    "unit": get_unit(each, spec.data_kind),
                }
                for each in spec.objectives
            },
            "on_front": bool(front == 0),
        }
        for trial, front in zip(rows, fronts, strict=True)
    ]


def _get_value(trial: Trial, objective: Objective) -> float | None:
    return trial.score if objective is Objective.SCORE else trial.facts[OBJECTIVE_FACTS[objective]]


def build_methods(ledger: Ledger) -> dict[str, Any]:
    """Plain search and weight sharing beside each other: trials, seconds, and the best that was trained alone.

    The seconds of weight sharing contain those of its supernet. Scores with shared weights are in here nowhere.
    """
    supernet = next(iter(ledger.list_trials(SUPERNET)), None)
    shared = [row for row in ledger.list_trials(SEARCH) if row.origin == WEIGHT_SHARING]
    plain = [row for row in ledger.list_trials(SEARCH) if row.origin != WEIGHT_SHARING]
    seconds = _compute_seconds(supernet) if supernet else 0.0
    methods = {WEIGHT_SHARING: _describe(ledger, shared)}
    methods[WEIGHT_SHARING]["supernet_seconds"] = seconds
    methods[WEIGHT_SHARING]["seconds"] += seconds
    if supernet is not None and supernet.state is TrialState.FAILED:
        methods[WEIGHT_SHARING]["failure"] = supernet.failure_message
    if plain:
        methods[PLAIN] = _describe(ledger, plain)
    return methods


def _describe(ledger: Ledger, rows: list[Trial]) -> dict[str, Any]:
    numbers = {row.number for row in rows}
    own = [row for row in ledger.list_scored() if row.number in numbers]
    best = next(filter(ledger.is_within_limits, own), None)
    return {
        "n_trials": len(rows),
        "n_trained": sum(row.n_epochs > 0 for row in rows),
        "seconds": sum(map(_compute_seconds, rows)),
        "best": None if best is None else _describe_best(best),
    }


def _describe_best(trial: Trial) -> Mapping[str, Any]:
    return {"trial": trial.number, "name": build_name(trial), "score": trial.score}


def _compute_seconds(trial: Trial) -> float:
    """Seconds on its slot: from start to end where both are known, else those of training."""
    if trial.started_at is not None and trial.finished_at is not None:
        return max(0.0, trial.finished_at - trial.started_at)
    return trial.fit_seconds or 0.0
