"""Members, their rows and their program: epochs of all of them at once."""

from collections.abc import Mapping

from torch import Tensor

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.errors import AutoMLError, TrainingDiverged
from automl.models.tabular.packed.inputs import PackRows
from automl.training.clock import WorkClock
from automl.training.device import get_device
from automl.training.epoch import Epoch, Verb
from automl.training.network import Steps
from automl.training.packs.members import Member, build_member
from automl.training.packs.program import Place, Program, Snapshot, take_snapshot
from automl.training.packs.records import PackRequest
from automl.training.packs.rows import PackData
from automl.training.packs.steps import EpochSteps
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer

Outcome = Trained | Exception


class Pack:
    """Members that train together; who ended since it was last asked waits in ``ended``."""

    def __init__(self, prepared: Prepared, task: Task, request: PackRequest) -> None:
        first = next(iter(request.members.values()))
        deadlines = [one.deadline for one in request.members.values() if one.deadline is not None]
        self.clock = WorkClock(min(deadlines, default=None))
        self.prepared, self.task, self.family = prepared, task, first.family
        self.device = get_device(first.device, first.threads)
        self.data = PackData(prepared, task, self.device)
        self.scorer = build_scorer(prepared, task, prepared.parts[Part.SELECT])
        self.members: dict[int, Member] = {}
        self.ended: dict[int, Outcome] = {}
        self._program: Program | None = None
        self._order: list[int] = []  # of the members in the program
        self._newcomers: dict[int, Snapshot] = {}
        self._told = 0.0  # seconds of work that members have been charged with
        self.enter(request.members)

    def enter(self, requests: Mapping[int, TrainRequest]) -> None:
        """Take in new members; one that cannot be trained ends at once."""
        for number, request in sorted(requests.items()):
            try:
                member = build_member(
                    number, request, self.prepared, self.task,
                    batch=self.data.find_batch(request.config), target=self.data.scale,
                    device=self.device,
                )  # fmt: skip
            except AutoMLError as error:
                self.ended[number] = error
                continue
            self.members[number] = member
            self._newcomers[number] = take_snapshot(member.model.network)

    def answer(self, verbs: Mapping[int, Verb]) -> None:
        """End members that were told to; what they were goes to ``ended``."""
        for number, verb in sorted(verbs.items()):
            if number in self.members and verb in (Verb.PRUNE, Verb.STOP):
                self._finish(number, was_pruned=verb is Verb.PRUNE)

    def train_epoch(self) -> dict[int, Epoch]:
        """One epoch of all members; those that are done or diverged end."""
        if not self.members:
            return {}
        program, members = self.assemble()
        found = EpochSteps(program, members, self.data).run(self.clock)
        outputs = program.predict([self._find_sources(member)[1] for member in members])
        seconds = (self.clock.seconds - self._told) / len(members)
        epochs: dict[int, Epoch] = {}
        for place, (member, steps) in enumerate(zip(members, found, strict=True)):
            try:
                if isinstance(steps, TrainingDiverged):
                    raise steps
                score, loss = self._score(member, outputs[place])
            except TrainingDiverged as error:
                self._end(member.number, error)
                continue
            weights = program.copy_weights(place) if member.is_better(score) else None
            epochs[member.number] = member.take_epoch(steps, score, loss, weights, seconds)
        self._told = self.clock.seconds
        is_cut = any(isinstance(steps, Steps) and steps.is_cut for steps in found)
        for number in epochs:
            self._finish_done(self.members[number], is_cut=is_cut)
        return epochs

    def assemble(self) -> tuple[Program, list[Member]]:
        """The program of the members as they are now, and the members in its order."""
        program = self._build_program()
        return program, [self.members[number] for number in self._order]

    def _score(self, member: Member, output: Tensor) -> tuple[float, float]:
        prediction = member.model.target.restore(output)
        return self.scorer.compute_score(prediction), self.scorer.compute_loss(prediction)

    def _build_program(self) -> Program:
        """The program of the members as they are now; those that stay keep their state bit by bit."""
        if (
            self._program is not None
            and not self._newcomers
            and len(self._order) == len(self.members)
        ):
            return self._program
        kept = dict(self._newcomers)
        if self._program is not None:
            for place, number in enumerate(self._order):
                if number in self.members:
                    kept[number] = self._program.take_snapshot(place)
        self._program, self._newcomers = None, {}  # the old rows go before the new ones come
        self._order = sorted(self.members, key=lambda number: _find_place(self.members[number]))
        places = [self._place(self.members[number], kept[number]) for number in self._order]
        self._program = Program(self.family, places, self.device)
        return self._program

    def _place(self, member: Member, snapshot: Snapshot) -> Place:
        return Place(
            config=member.request.config,
            network=member.model.network,
            plan=member.plan,
            source=self._find_sources(member)[0],
            snapshot=snapshot,
        )

    def _find_sources(self, member: Member) -> tuple[PackRows, PackRows]:
        return self.data.find_sources(member.request.config, member.model.network.inputs)

    def _finish_done(self, member: Member, *, is_cut: bool) -> None:
        """End a member whose patience, horizon or time is over."""
        is_late = not member.is_impatient and (
            is_cut or (self.clock.is_over and member.epoch < member.n_epochs)
        )
        if is_late:
            member.warnings.append(f"Time ran out in epoch {member.epoch} of {member.n_epochs}.")
        if is_late or member.is_done:
            self._finish(member.number, was_pruned=False)

    def _finish(self, number: int, *, was_pruned: bool) -> None:
        member = self.members[number]
        try:
            outcome = member.finish(self.data.select, self.scorer, was_pruned=was_pruned)
        except TrainingDiverged as error:
            self._end(number, error)
        else:
            self._end(number, outcome)
        self._told = self.clock.seconds  # what ends a member is not charged to the others

    def _end(self, number: int, outcome: Outcome) -> None:
        self.ended[number] = outcome
        del self.members[number]


def _find_place(member: Member) -> tuple[int, str, str, int]:
    """Members are sorted by depth, and neighbours share what can be done in one call."""
    config = member.request.config
    return (-member.depth, str(config["norm"]), str(config["activation"]), member.number)
