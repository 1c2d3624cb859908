"""What is tried next: candidates of weight sharing, the start list or a grid, then what the sampler proposes."""

import math
from collections.abc import Mapping, Sequence
from itertools import islice

from automl.jobs.records import Trial, TrialState
from automl.models.tabular.target_encoding import LABEL as TARGET_ENCODING
from automl.search.budget import compute_most_reserve
from automl.search.context import CoordinatorContext
from automl.search.ledger import ACTIVE, SEARCH, Ledger
from automl.search.offers import Sampler
from automl.search.screens import NO_TIME, SAMPLED, is_screened_out
from automl.search.seeding import derive_seed
from automl.search.sharing import FAMILY, WEIGHT_SHARING, Sharing
from automl.search.study import NO_FACTS, Study
from automl.search.turns import Start, build_starts, build_turns, iterate_grids

MAX_FAILURES_IN_A_ROW = 20
MAX_SCREENED_IN_A_ROW = 60
MAX_SLOW_IN_A_ROW = 12  # each costs a second or two
WORTH_SAYING = 0.1  # of the budget, left over
START = "start"  # of the list of configurations known to be good
COMPANION = "companion"  # proposed to fill a pack: its shapes are those of another trial
# what decides the shapes of a network, and so who can share its pack; the sizes of embeddings come on top
SHAPE = frozenset({"width", "residual", "hidden_factor", "numeric_embedding", TARGET_ENCODING})


class Proposer:
    """Search trials as waiting rows, one at a time; everything it knows stands in the rows."""

    def __init__(
        self, context: CoordinatorContext, ledger: Ledger, study: Study, sharing: Sharing
    ) -> None:
        self._context = context
        self._ledger = ledger
        self._study = study
        self._sharing = sharing
        self._spec = context.spec
        self._starts = build_starts(self._spec.spaces)
        self._turns = build_turns(self._spec.families)
        self._grid: list[Start] | None = None

    def is_open(self) -> bool:
        """Whether anything may still be proposed; what ended it for good is said."""
        if self._sharing.is_alone and self._sharing.find_next() is None:
            return False
        rows = self._ledger.list_trials(SEARCH)
        limit = self._spec.budget.trials
        if limit is not None and sum(not is_screened_out(row) for row in rows) >= limit:
            return False
        if self._spec.sampler is Sampler.GRID and len(rows) >= len(self._list_grid()):
            return False
        is_asked_for = bool(self._turns) or len(rows) < len(self._starts)
        return is_asked_for and not self._is_hopeless(rows)

    def _is_hopeless(self, rows: list[Trial]) -> bool:
        """Whether the last trials all failed, or none of the last proposals could be trained; it is said."""
        ended = [row for row in rows if row.state not in ACTIVE]
        slow = ended[-MAX_SLOW_IN_A_ROW:]
        if len(slow) == MAX_SLOW_IN_A_ROW and all(row.failure_kind == NO_TIME for row in slow):
            if self._is_time_left():
                self._context.warnings.add(
                    f"The search ended early: {MAX_SLOW_IN_A_ROW} networks in a row would have been too "
                    "slow for the time there is."
                )
            return True
        last = ended[-MAX_SCREENED_IN_A_ROW:]
        if len(last) == MAX_SCREENED_IN_A_ROW and all(map(is_screened_out, last)):
            self._context.warnings.add(
                f"The last {MAX_SCREENED_IN_A_ROW} networks could not be trained, so no further ones were "
                f"proposed; the last reason: {last[-1].failure_message}"
            )
            return True
        recent = ended[-MAX_FAILURES_IN_A_ROW:]
        if len(recent) == MAX_FAILURES_IN_A_ROW and all(
            row.state is TrialState.FAILED for row in recent
        ):
            self._context.warnings.add(
                f"The last {MAX_FAILURES_IN_A_ROW} trials failed, so no further ones were tried; the "
                f"last reason: {recent[-1].failure_message}"
            )
            return True
        return False

    def propose(self) -> Trial | None:
        """The next search trial as a waiting row, None when there is nothing left to try."""
        if not self.is_open():
            return None
        candidate = self._sharing.find_next()
        if candidate is not None:
            shared = {"shared_score": candidate.score} if math.isfinite(candidate.score) else {}
            start = Start(family=FAMILY, config=candidate.config)
            return self._add(FAMILY, start, WEIGHT_SHARING, shared)
        index, fixed = self._count_turns(), self._list_fixed()
        if index < len(fixed):
            is_grid = self._spec.sampler is Sampler.GRID
            return self._add(fixed[index].family, fixed[index], "grid" if is_grid else START)
        family = self._turns[(index - len(fixed)) % len(self._turns)]
        return self._add(family, None, SAMPLED)

    def is_next_fixed(self) -> bool:
        """Whether the next proposal is known, whatever the results of those before it."""
        return self.is_open() and self._count_turns() < len(self._list_fixed())

    def accompany(self, leader: Trial) -> Trial | None:
        """A trial with the shapes of another, all else as the sampler proposes; None when nothing may be tried.

        A grid has no other points than its own.
        """
        if self._spec.sampler is Sampler.GRID or not self.is_open():
            return None
        shape = {label: value for label, value in leader.config.items() if _is_shape(label)}
        return self._add(leader.family, Start(family=leader.family, config=shape), COMPANION)

    def _count_turns(self) -> int:
        """Proposals so far; those that only fill a pack take nobody's turn."""
        rows = self._ledger.list_trials(SEARCH)
        return sum(row.origin not in (WEIGHT_SHARING, COMPANION) for row in rows)

    def _list_fixed(self) -> Sequence[Start]:
        return self._list_grid() if self._spec.sampler is Sampler.GRID else self._starts

    def _add(
        self,
        family: str,
        start: Start | None,
        origin: str,
        facts: Mapping[str, float] = NO_FACTS,
    ) -> Trial:
        number = self._ledger.next_number()
        config = self._study.ask(
            number, family, self._spec.spaces[family], start.config if start else None
        )
        trial = Trial(
            number=number,
            family=family,
            config=config,
            state=TrialState.WAITING,
            stage=SEARCH,
            seed=derive_seed(self._spec.seed, "trial", number),
            optuna=self._study.describe(number),
            facts=facts,
            origin=origin,
        )
        self._ledger.put(trial)
        return trial

    def _list_grid(self) -> list[Start]:
        if self._grid is None:
            limit = self._spec.budget.trials or 10_000
            self._grid = list(islice(iterate_grids(self._spec.spaces), limit))
        return self._grid

    def _is_time_left(self) -> bool:
        """Whether the search ends so early that it is worth a word."""
        clock = self._context.clock
        if clock.total is None:
            return False
        left = clock.compute_left(compute_most_reserve(clock.total, is_long=True)) or 0.0
        return left > WORTH_SAYING * clock.total


def _is_shape(label: str) -> bool:
    is_size = label.startswith("numeric_embedding.") and label.endswith(".dim")
    return is_size or label in SHAPE
