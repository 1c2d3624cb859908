"""The live progress of a search: small facts for the page and the shell, at most 4 KB."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from automl.jobs.records import Trial, TrialState
from automl.models.catalog import FAMILIES
from automl.search.context import CoordinatorContext
from automl.search.crew import Crew, find_title
from automl.search.ledger import ACTIVE, BASELINE, REFIT, SEARCH, SUPERNET, Ledger
from automl.search.screens import is_screened_out

EVERY_SECONDS = 0.5
MOST_RUNNING = 16
MOST_WARNINGS = 6
MOST_WARNING_LENGTH = 200
LEAST_WARNING_LENGTH = 160  # kept even inside a word: the shell knows a warning by its first 150
MOST_BYTES = 4_000  # the store takes 4,096


class Reporter:
    """Writes the progress when it is due."""

    def __init__(self, context: CoordinatorContext, ledger: Ledger, crew: Crew) -> None:
        self._context = context
        self._ledger = ledger
        self._crew = crew
        self._due = 0.0

    def report(self, phase: str) -> None:
        """Write the progress, unless the last one is younger than half a second."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY_SECONDS
        self._context.report(build_progress(phase, self._context, self._ledger, self._crew))


def build_progress(
    phase: str, context: CoordinatorContext, ledger: Ledger, crew: Crew
) -> dict[str, Any]:
    """The progress record of the contract between engine and page."""
    proposed = ledger.list_trials(SEARCH)
    rows = [row for row in proposed if not is_screened_out(row)]  # what a budget of trials counts
    best = ledger.find_best()  # within the limits, as the winner will be
    baseline = next((row for row in ledger.list_scored() if row.stage == BASELINE), None)
    budget = context.spec.budget
    progress = {
        "phase": phase,
        "words": _describe(phase, ledger),
        "elapsed_seconds": round(context.clock.compute_elapsed(), 2),
        "budget_seconds": budget.seconds,
        "n_trials": len(rows),
        "n_finished": sum(row.state not in ACTIVE for row in rows),
        "n_screened_out": len(proposed) - len(rows),
        "n_networks": sum(FAMILIES[row.family].is_network for row in rows),
        "budget_trials": budget.trials,
        "rows": "out of fold" if context.spec.folds else "select",
        "best": _describe_trial(context, best) if best else None,
        "ensemble": context.milestones.ensemble,
        "baseline_best": _describe_trial(context, baseline) if baseline else None,
        "running": [
            {
                "trial": number,
                "family": ledger[number].family,
                "device": ledger[number].device,
                "epoch": run.epoch,
            }
            for number, run in sorted(crew.running.items())[:MOST_RUNNING]
        ],
        "devices": _list_devices(context, ledger, crew)[:MOST_RUNNING],
        "warnings": shorten_warnings(context.warnings.texts),
        "first_model_seconds": context.milestones.first_model_seconds,
    }
    return fit_progress(progress)


def shorten_warnings(texts: Sequence[str]) -> list[str]:
    """The last warnings; a long one ends at a word with ``…`` (it stands whole in the result)."""
    return [_shorten(text) for text in texts[-MOST_WARNINGS:]]


def _shorten(text: str) -> str:
    if len(text) <= MOST_WARNING_LENGTH:
        return text
    cut = text[:MOST_WARNING_LENGTH]
    end = cut.rfind(" ", LEAST_WARNING_LENGTH)
    return cut[: end if end >= 0 else MOST_WARNING_LENGTH - 1].rstrip(" ,;:") + "…"


def fit_progress(progress: dict[str, Any]) -> dict[str, Any]:
    """The progress within its 4 KB: long lists lose their last entries, warnings their first (they stay in the result)."""
    lists = {name: list(progress[name]) for name in ("warnings", "running", "devices")}
    fitted = {**progress, **lists}
    while len(json.dumps(fitted)) > MOST_BYTES:
        longest = max(lists.values(), key=lambda items: len(json.dumps(items)))
        if not longest:
            break
        longest.pop(0 if longest is lists["warnings"] else -1)
    return fitted


def build_name(trial: Trial) -> str:
    """How a trial is called: ``Boosted trees (default)`` for a baseline, else ``MLP 12``."""
    title = find_title(trial.family)
    if trial.stage != BASELINE:
        return f"{title} {trial.number}"
    return f"{title} (default)" if trial.family != "constant" else title


def _describe(phase: str, ledger: Ledger) -> str:
    if phase == "baselines":
        return "Training the baselines"
    if any(row.state is TrialState.RUNNING for row in ledger.list_trials(SUPERNET)):
        return "Training the supernet"
    if phase == "refit":
        done = sum(row.state not in ACTIVE for row in ledger.list_trials(REFIT))
        return f"Training the final models, {done} done"
    words = {"evaluation": "Looking at the test part, once", "done": "Done"}
    return words.get(phase, "Searching")


def _describe_trial(context: CoordinatorContext, trial: Trial) -> Mapping[str, Any]:
    return {
        "trial": trial.number,
        "family": trial.family,
        "name": build_name(trial),
        "score": trial.score,
        "metric": context.spec.task.metric,
        **context.describe_score(trial),
    }


def _list_devices(context: CoordinatorContext, ledger: Ledger, crew: Crew) -> list[dict[str, Any]]:
    """What each slot trains: its trial, of a pack the oldest member and how many train with it."""
    busy = {
        slot: [number for number, run in sorted(crew.running.items()) if run.slot == slot]
        for slot in context.spec.resources.devices
    }
    ended = [row for row in ledger.list_trials() if row.state is not TrialState.WAITING]
    return [
        {
            "name": slot,
            "runs_on": crew.devices.get(slot, slot),
            "trial": next(iter(busy[slot]), None),
            "n_running": len(busy[slot]),
            "n_trials": sum(row.device in (slot, crew.devices.get(slot)) for row in ended),
        }
        for slot in context.spec.resources.devices
    ]
