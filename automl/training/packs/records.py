"""What a pack is asked to train, what it tells, and what it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from automl.errors import SpecError
from automl.models.tabular.buckets import compute_bucket
from automl.training.epoch import Epoch, Verb
from automl.training.request import Trained, TrainRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class PackRequest:
    """Networks to train as one program, by trial number; order and numbers change no result.

    All are of one bucket and agree in batch size, device and threads. No refits: they train alone. Deadlines
    are those of the search; where they differ the earliest ends the pack. Raises ``SpecError``.
    """

    members: Mapping[int, TrainRequest]

    def __post_init__(self) -> None:
        if not self.members:
            raise SpecError("A pack needs at least one member.")
        check_alike(tuple(self.members.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class PackEpoch:
    """What became known after one epoch of all live members, by trial number.

    ``epochs`` holds each member that trained (``seconds``: its share of the pack's time). ``ended`` holds those
    that are no longer in the pack: what was trained, or why nothing was (``TrainingDiverged``, ``DataError``).
    A member that ended by itself is in both with its last epoch.
    """

    epochs: Mapping[int, Epoch]
    ended: Mapping[int, Trained | Exception] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class PackAnswer:
    """Verbs for live members (none: ``CONTINUE``) and new members, which start with the next epoch."""

    verbs: Mapping[int, Verb] = field(default_factory=dict)
    joins: Mapping[int, TrainRequest] = field(default_factory=dict)


def check_alike(requests: tuple[TrainRequest, ...]) -> None:
    """Raise ``SpecError`` where requests cannot share a pack."""
    first = requests[0]
    bucket = compute_bucket(first.family, first.config)
    if not bucket or any(request.is_refit for request in requests):
        raise SpecError(f"A {first.family} with this configuration, or a refit, trains alone.")
    for request in requests[1:]:
        other = compute_bucket(request.family, request.config)
        if other != bucket:
            raise SpecError(f"Buckets {bucket!r} and {other!r} do not share a pack.")
        if (request.batch_size, request.device, request.threads) != (
            first.batch_size,
            first.device,
            first.threads,
        ):
            raise SpecError("Members of a pack have one batch size, device and number of threads.")
