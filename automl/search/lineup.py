"""Who trains next, and with whom: trials of one bucket share a program, the oldest first.

What a pack was stands in the rows: ``pack`` (its number), ``pack_size`` (members when the trial began), and after
one that was lost ``pack_most`` (members of the largest pack the trial may be tried in) or ``memory_most`` (the same for
every trial of its bucket, because memory ran out). ``alone_factor``: see ``Crew``.
"""

from collections.abc import Sequence

from automl.data.dataset import DataKind
from automl.jobs.records import Trial, TrialState
from automl.models.tabular.buckets import ALONE, compute_bucket
from automl.models.tabular.capacity import compute_capacity
from automl.search.context import CoordinatorContext
from automl.search.crew import Crew
from automl.search.ledger import ACTIVE, BASELINE, SEARCH, SUPERNET, Ledger
from automl.search.proposals import START, Proposer

LEAST_TO_MEASURE = 60.0  # seconds of budget; it takes two
LATE_SHARE = 0.4  # of the budget; a quarter of it is kept for the end
INTAKE = 3  # times its places: so many members has a pack in its life, then others have their turn


class Lineup:
    """Takes from what waits, and has the proposer fill the rest. With a pack size of one, every trial is alone."""

    def __init__(
        self, context: CoordinatorContext, ledger: Ledger, crew: Crew, proposer: Proposer
    ) -> None:
        self._context = context
        self._ledger = ledger
        self._crew = crew
        self._proposer = proposer
        self._size = context.spec.resources.pack_size
        devices = context.spec.resources.devices
        self._on_gpu = all(name.startswith("cuda") for name in devices)
        numbers = (int(row.facts["pack"]) for row in ledger.list_trials() if "pack" in row.facts)
        self._n_packs = max(numbers, default=-1) + 1
        self._buckets: dict[int, str] = {}

    def take_number(self) -> int:
        """The number of the next pack."""
        self._n_packs += 1
        return self._n_packs - 1

    def is_to_measure(self, slot: str) -> bool:
        """Whether what packs gain on this machine is to be found out on a slot: after the baselines, where time counts.

        On GPUs there is nothing to find out, and in a short budget no time.
        """
        seconds = self._context.spec.budget.seconds
        is_worth_it = seconds is not None and seconds >= LEAST_TO_MEASURE
        is_gpu = self._crew.devices.get(slot, slot).startswith("cuda")
        can_pack = self._size > 1 and not self._on_gpu and not is_gpu and is_worth_it
        is_known = self._crew.gains is not None
        return can_pack and not is_known and self.find_waiting(BASELINE) is None

    def find_waiting(self, *stages: str) -> Trial | None:
        """The oldest trial of the stages that waits; a baseline, a supernet or a search trial without one."""
        return next(iter(self._list_waiting(*(stages or (BASELINE, SUPERNET, SEARCH)))), None)

    def find_next(self) -> list[Trial]:
        """What an idle slot trains now: a baseline, else the oldest that waits with all that fit to it, then companions.

        Proposals that no result changes are made ahead, so that those of one bucket find each other.
        """
        first = self.find_waiting(BASELINE, SUPERNET)
        if first is not None:
            return [first]
        waiting = self._list_waiting(SEARCH)
        while not waiting or (len(waiting) < self._size and self._proposer.is_next_fixed()):
            trial = self._proposer.propose()
            if trial is None:
                break
            waiting.append(trial)
        if not waiting:
            return []
        pack = self._form(waiting)[0]
        room = min(map(self._count_places, pack)) - len(pack)
        return pack + self._find_companions(pack[0], room)

    def find_joining(self, slot: str) -> list[Trial]:
        """What takes the free places of the pack on a slot: what waits, then companions of its oldest member."""
        members = [self._ledger[number] for number in self._crew.list_pack(slot)]
        if not members:
            return []
        places = min(map(self._count_places, members))
        mates = [
            row
            for row in self._ledger.list_trials(SEARCH)
            if row.facts.get("pack") == members[0].facts["pack"]
        ]
        room = max(0, min(places - len(members), INTAKE * places - len(mates)))
        waiting = self._list_waiting(SEARCH) if room else []
        bucket = self._find_bucket(members[0])
        joining = [trial for trial in waiting if self._find_bucket(trial) == bucket]
        joining = [trial for trial in joining if self._count_places(trial) >= places][:room]
        return joining + self._find_companions(members[0], room - len(joining))

    def list_batch(self) -> list[list[Trial]]:
        """The next batch of a search that repeats exactly: a trial or a pack for every slot.

        Baselines first, then what waits or what a crash interrupted, else as many proposals as there are places.
        """
        n_slots = len(self._context.spec.resources.devices)
        for stage in (BASELINE, SUPERNET, SEARCH):
            if stage == SEARCH:
                self._propose_batch()
            waiting = [row for row in self._ledger.list_trials(stage) if row.state in ACTIVE]
            if waiting:
                return self._form(waiting)[:n_slots]
        return []

    def _propose_batch(self) -> None:
        """Fill the places of all slots with proposals at once, unless something waits.

        What waits may be the first part of a batch whose proposing a crash interrupted: it is made whole.
        """
        rows = self._ledger.list_trials(SEARCH)
        n_places = len(self._context.spec.resources.devices) * self._size
        n_missing = -len(rows) % n_places if self._size > 1 else 0
        if not any(row.state in ACTIVE for row in rows):
            n_missing = n_missing or n_places
        for _ in range(n_missing):
            if self._proposer.propose() is None and self._size > 1:
                return

    def _find_companions(self, leader: Trial, room: int) -> list[Trial]:
        """Up to so many trials for the pack of another.

        One that does not fit after all waits for its turn; where many do, no further ones are proposed. On a CPU
        every member makes the others later, so the known good ones of the start list have none beside them that is
        not, and the last part of the time belongs to those that are there.
        """
        bucket, found = self._find_bucket(leader), list[Trial]()
        if not self._on_gpu and (leader.origin == START or self._is_late()):
            return []
        others = (self._find_bucket(trial) != bucket for trial in self._list_waiting(SEARCH))
        if sum(others) >= self._size:
            return []
        while len(found) < room:
            trial = self._proposer.accompany(leader)
            if trial is None or self._find_bucket(trial) != bucket:
                break
            found.append(trial)
        return found

    def _is_late(self) -> bool:
        clock = self._context.clock
        left = clock.compute_left()
        return clock.total is not None and left is not None and left < LATE_SHARE * clock.total

    def _form(self, waiting: Sequence[Trial]) -> list[list[Trial]]:
        """All that waits, in packs as full as they may be, each as old as its first member.

        Where a search must repeat exactly, a pack that a crash interrupted comes together again as it was.
        """
        packs: list[list[Trial]] = []
        for trial in waiting:
            mates = next((pack for pack in packs if self._fits(trial, pack)), None)
            if mates is None:
                packs.append([trial])
            else:
                mates.append(trial)
        return packs

    def _fits(self, trial: Trial, pack: Sequence[Trial]) -> bool:
        bucket = self._find_bucket(trial)
        if not bucket or bucket != self._find_bucket(pack[0]):
            return False
        is_repeatable = self._context.spec.budget.is_repeatable
        if is_repeatable and trial.facts.get("pack") != pack[0].facts.get("pack"):
            return False
        return len(pack) < min(self._count_places(each) for each in (trial, *pack))

    def _find_bucket(self, trial: Trial) -> str:
        """What a trial must have in common with others to share a pack; empty: it trains alone."""
        if trial.number not in self._buckets:
            is_table = self._context.spec.data_kind is DataKind.TABLE
            is_packed = self._size > 1 and trial.stage == SEARCH and is_table
            self._buckets[trial.number] = (
                compute_bucket(trial.family, trial.config) if is_packed else ALONE
            )
        return self._buckets[trial.number]

    def _count_places(self, trial: Trial) -> int:
        """Members of the largest pack that a trial may be part of."""
        bucket = self._find_bucket(trial)
        if not bucket:
            return 1
        lost = (
            row.facts["memory_most"]
            for row in self._ledger.list_trials(SEARCH)
            if "memory_most" in row.facts and self._find_bucket(row) == bucket
        )
        own = trial.facts.get("pack_most", float(self._size))
        capacity = compute_capacity(
            trial.family, trial.config, on_gpu=self._on_gpu, gains=self._crew.gains
        )
        return max(1, int(min([self._size, capacity, own, *lost])))

    def _list_waiting(self, *stages: str) -> list[Trial]:
        rows = self._ledger.list_trials(*stages)
        return [row for row in rows if row.state is TrialState.WAITING]
