"""The rows of ``result.json``: trials, leaderboard lines, versions."""

import math
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from automl.data.folds import MOST_FOLDS
from automl.jobs.records import Trial
from automl.models.catalog import FAMILIES, render_architecture
from automl.search.crew import find_trial_name
from automl.search.ledger import BASELINE, REFIT, SEARCH, Ledger
from automl.search.progress import build_name
from automl.version import VERSION

SCHEMA_VERSION = "1.0"
PACKAGES = ("torch", "optuna", "scikit-learn", "numpy", "pandas", "pyarrow", "fairlearn")


def build_trial_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """Every trial as plain values; ``folder`` is where its files lie, relative to the job's folder."""
    return [_build_trial_row(trial) for trial in ledger.list_trials(BASELINE, SEARCH, REFIT)]


def _build_trial_row(trial: Trial) -> dict[str, Any]:
    family = FAMILIES[trial.family]
    return {
        "number": trial.number,
        "name": build_name(trial),
        "family": trial.family,
        "config": dict(trial.config),
        "architecture": render_architecture(trial.family, trial.config),
        "is_network": family.is_network,
        "is_baseline": trial.stage == BASELINE,
        "stage": trial.stage,
        "state": str(trial.state),
        "score": trial.score,
        "n_epochs": trial.n_epochs,
        "best_epoch": trial.best_epoch,
        "device": trial.device,
        "parameters": trial.n_parameters,
        "macs": trial.facts.get("macs"),
        "latency_ms": trial.facts.get("latency_ms"),
        "origin": trial.origin,
        "pack": _read_whole(trial, "pack"),
        "pack_size": _read_whole(trial, "pack_size"),
        "shared_score": trial.facts.get("shared_score"),
        "fold_scores": _list_fold_scores(trial),
        "fit_seconds": trial.fit_seconds,
        "predict_seconds": trial.predict_seconds,
        "attempt": trial.attempt,
        "seed": trial.seed,
        "failure_kind": trial.failure_kind,
        "failure_message": trial.failure_message,
        "folder": f"trials/{find_trial_name(trial)}",
    }


def _list_fold_scores(trial: Trial) -> list[float]:
    """The score of every fold that is over, in the order of the folds."""
    names = (f"fold_{number}" for number in range(1, MOST_FOLDS + 1))
    return [trial.facts[name] for name in names if name in trial.facts]


def _read_whole(trial: Trial, fact: str) -> int | None:
    return int(trial.facts[fact]) if fact in trial.facts else None


def build_leaderboard_row(trial: Mapping[str, Any]) -> dict[str, Any]:
    """A line for a scored trial whose test results are closed."""
    return {
        "name": trial["name"],
        "family": trial["family"],
        "trial": trial["number"],
        "architecture": trial["architecture"],
        "is_network": trial["is_network"],
        "is_baseline": trial["is_baseline"],
        "select_score": trial["score"],
        "select_low": None,
        "select_high": None,
        "tier": None,
        "test": None,
        "parameters": trial["parameters"],
        "macs": trial.get("macs"),
        "latency_ms": trial.get("latency_ms"),
        "fit_seconds": trial["fit_seconds"],
        "predict_seconds": trial["predict_seconds"],
        "device": trial["device"],
    }


def collect_versions() -> dict[str, str]:
    """Versions of the product, Python and the packages whose numbers these are."""
    found = {"fairloom": VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def render_result(value: Any) -> Any:
    """The same with every number that is none as null: JSON has no NaN."""
    if isinstance(value, Mapping):
        return {str(key): render_result(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [render_result(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
