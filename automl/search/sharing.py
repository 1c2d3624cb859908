"""Weight sharing: one supernet trains first, its best few configurations are then trained on their own.

The trainer of the supernet writes ``candidates.json`` into its folder, a list of ``{"config", "score", "rank"}``,
best first. Scores with shared weights are never results: they travel as the fact ``shared_score`` of the trial
that was trained on its own, and nowhere else.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automl.errors import SpecError
from automl.jobs.records import Trial, TrialState
from automl.models.image.path_space import build_base, build_path_space, render_path_space
from automl.search.context import CoordinatorContext
from automl.search.crew import find_trial_folder
from automl.search.goals import Method
from automl.search.ledger import ACTIVE, SEARCH, SUPERNET, Ledger
from automl.search.seeding import derive_seed
from automl.space.dimensions import Config
from automl.space.sampling import validate_config

CANDIDATES = "candidates.json"
WEIGHT_SHARING = "weight_sharing"
FAMILY = "cnn"
MOST_ALONE = 8  # trained on their own when weight sharing is the only method
# when plain search goes on beside it; never more than half of a budget of trials
MOST_BESIDE = 4
MOST_BYTES = 4_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What the supernet proposes; ``score`` came from shared weights."""

    config: Config
    score: float


class Sharing:
    """The supernet of one search and what came of it; the trial rows and one file are all it knows."""

    def __init__(self, context: CoordinatorContext, ledger: Ledger) -> None:
        self._context = context
        self._ledger = ledger
        self._candidates: tuple[Candidate, ...] | None = None

    @property
    def is_on(self) -> bool:
        """False with both methods in a budget of one trial: that one is plain search's."""
        return self._context.spec.method is not Method.PLAIN and self._count_most() > 0

    @property
    def is_alone(self) -> bool:
        """True when nothing but what it proposes is trained."""
        return self._context.spec.method is Method.WEIGHT_SHARING

    def find_supernet(self) -> Trial | None:
        """The supernet's row, None before there is one."""
        return next(iter(self._ledger.list_trials(SUPERNET)), None)

    def add_supernet(self) -> None:
        """Put the supernet among what waits, once; that there is no room for it is said."""
        if not self.is_on and self._context.spec.method is not Method.PLAIN:
            self._context.warnings.add(
                "A budget of one trial leaves weight sharing out: the trial is plain search's. Two trials "
                "have room for both methods."
            )
        if not self.is_on or self.find_supernet() is not None:
            return
        self._ledger.put(
            Trial(
                number=self._ledger.next_number(),
                family=SUPERNET,
                config=self._build_supernet(),
                state=TrialState.WAITING,
                stage=SUPERNET,
                seed=derive_seed(self._context.spec.seed, SUPERNET),
            )
        )

    @property
    def is_pending(self) -> bool:
        """True while the supernet waits or trains."""
        supernet = self.find_supernet()
        return supernet is not None and supernet.state in ACTIVE

    def find_next(self) -> Candidate | None:
        """The next configuration to train on its own, None when there is none (yet)."""
        if not self.is_on or self.is_pending:
            return None
        done = sum(row.origin == WEIGHT_SHARING for row in self._ledger.list_trials(SEARCH))
        candidates = self._list_candidates()
        return candidates[done] if done < len(candidates) else None

    def _build_supernet(self) -> Config:
        """All that the trainer of the supernet is told: paths, what they have in common, limits."""
        spec = self._context.spec
        space = spec.spaces[FAMILY]
        limits = {"max_parameters": spec.limits.parameters, "max_macs": spec.limits.macs}
        return {
            **build_base(space),
            **render_path_space(build_path_space(space)),
            "candidates": self._count_most(),
            **{name: value for name, value in limits.items() if value is not None},
        }

    def _count_most(self) -> int:
        n_trials = self._context.spec.budget.trials
        if self.is_alone:
            return MOST_ALONE
        return MOST_BESIDE if n_trials is None else min(MOST_BESIDE, n_trials // 2)

    def _list_candidates(self) -> tuple[Candidate, ...]:
        supernet = self.find_supernet()
        if self._candidates is None and supernet is not None:
            self._candidates = self._load(supernet)[: self._count_most()]
        return self._candidates or ()

    def _load(self, supernet: Trial) -> tuple[Candidate, ...]:
        """What the supernet left; that there is nothing is said."""
        reason = supernet.failure_message or "it proposed nothing"
        path = find_trial_folder(self._context.folder, supernet) / CANDIDATES
        entries: list[Any] = []
        try:
            if supernet.state is TrialState.COMPLETE and path.stat().st_size <= MOST_BYTES:
                loaded = json.loads(path.read_bytes())
                entries = loaded if isinstance(loaded, list) else []
        except (OSError, ValueError) as error:
            reason = f"its candidates cannot be read ({error})"
        candidates = tuple(self._parse(entries))
        if not candidates:
            goes_on = "" if self.is_alone else " Plain search goes on alone."
            self._context.warnings.add(f"Weight sharing gave no candidates: {reason}.{goes_on}")
        elif len(candidates) < len(entries):
            n_lost = len(entries) - len(candidates)
            self._context.warnings.add(
                f"{n_lost} of {len(entries)} candidates of the supernet lie outside the space and were "
                "not trained."
            )
        return candidates

    def _parse(self, entries: list[Any]) -> Iterator[Candidate]:
        known: list[Mapping[str, Any]] = []
        usable = [each for each in entries if isinstance(each, Mapping) and "config" in each]
        for entry in sorted(usable, key=lambda each: _read_rank(each.get("rank"))):
            config = entry["config"]
            if config in known or not self._fits(config):
                continue
            known.append(config)
            yield Candidate(config=config, score=_read_score(entry.get("score")))

    def _fits(self, config: Any) -> bool:
        try:
            validate_config(self._context.spec.spaces[FAMILY], config)
        except (SpecError, TypeError, AttributeError):
            return False
        return True


def _read_rank(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.inf


def _read_score(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
