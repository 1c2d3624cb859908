"""The ensemble of what is there, while a search runs: for the page, and for what is kept for the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from automl.jobs.records import Trial, TrialState
from automl.search.ensemble import Ensemble
from automl.search.ensembling import Ensembler, build_ensemble_name, may_ensemble
from automl.search.ledger import BASELINE, SEARCH

EVERY_SECONDS = 5.0
SHARE = 0.02  # of the time of the search


@dataclass(slots=True)
class EnsembleWatch:
    """Builds the ensemble anew when trials have ended, at most every 5 s and in at most 2 % of the time.

    ``latest`` is the last one that was built; it decides nothing but how long the final trainings are expected to take.
    ``count`` is given the seconds of each.
    """

    ensembler: Ensembler
    publish: Callable[[dict[str, Any] | None], None]
    count: Callable[[float], None]
    now: Callable[[], float] = time.monotonic
    latest: Ensemble | None = field(default=None, init=False)
    _is_new: bool = field(default=True, init=False)
    _due: float = field(default=float("-inf"), init=False)

    def note(self, ended: Trial) -> None:
        """A trial has ended; one with a score may change the ensemble."""
        is_scored = ended.state is TrialState.COMPLETE and ended.stage in (BASELINE, SEARCH)
        self._is_new |= is_scored

    def look(self) -> None:
        """Build and publish, when there is something new and it is time."""
        if not self._is_new or self.now() < self._due or not may_ensemble(self.ensembler.spec):
            return
        started = self.now()
        self._is_new = False
        self.latest = self.ensembler.build()
        self.publish(self._describe())
        took = self.now() - started
        self.count(took)
        self._due = self.now() + max(EVERY_SECONDS, took / SHARE)

    def _describe(self) -> dict[str, Any] | None:
        """What the page shows; nothing where one model is better alone."""
        ensemble = self.latest
        if ensemble is None or not ensemble.is_delivered:
            return None
        return {
            "name": build_ensemble_name(len(ensemble.weights)),
            "metric": self.ensembler.spec.task.metric,
            **self.ensembler.describe(ensemble),
        }
