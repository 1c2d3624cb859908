"""The frames between the coordinator and a trainer: JSON, one object per frame, no pickle.

Coordinator to trainer: ``Prepare``, ``Measure``, ``Train``, ``TrainPack``, ``Answer``, ``Exit``. Trainer to coordinator:
``Ready``, ``Measured``, ``Screened``, ``EpochDone``, ``TrialDone``, ``TrialDiscarded``, ``TrialFailed``, ``PackPaused``,
``PackShed``. ``encode`` and ``decode`` are the only codec.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Discriminator, TypeAdapter

from automl.space.dimensions import Value
from automl.training.epoch import Epoch, Screen, Verb

__all__ = [
    "Answer",
    "Command",
    "Epoch",
    "EpochDone",
    "Exit",
    "FailureKind",
    "Measure",
    "Measured",
    "PackPaused",
    "PackShed",
    "Prepare",
    "Ready",
    "Report",
    "Screen",
    "Screened",
    "Train",
    "TrainPack",
    "TrialDiscarded",
    "TrialDone",
    "TrialFailed",
    "Verb",
    "decode_command",
    "decode_report",
    "encode_command",
    "encode_report",
]


class FailureKind(StrEnum):
    """Why a trial gave no score; a result about a configuration, not an exception."""

    DATA = "data"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    DISK_FULL = "disk_full"
    BUG = "bug"


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepare:
    """Load the prepared folder; answered by ``Ready``."""

    folder: str
    task_json: str
    threads: int
    do: Literal["prepare"] = "prepare"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """Find out what packs gain on this slot; answered by ``Measured``."""

    batch_size: int
    do: Literal["measure"] = "measure"


@dataclass(frozen=True, kw_only=True, slots=True)
class Train:
    """Train one configuration; answered by ``EpochDone``… then ``TrialDone`` or ``TrialFailed``.

    With ``screen`` the network is measured first: ``Screened``, then the trainer waits for an ``Answer``, and
    ``PRUNE`` ends the trial with ``TrialDiscarded``.

    ``rungs`` are epoch numbers (``Epoch.rung``) after which the trainer waits for an ``Answer``; ``max_epochs`` bounds the
    run (``epochs`` fixed exactly when ``is_refit``: train + select rows, no early stop). ``out`` is a
    folder that the trainer creates and fills, ``manifest.json`` last. ``deadline_seconds`` counts from the
    receipt of the frame; a run that reaches it keeps its best and finishes. With ``measure`` the finished model
    is measured: ``TrialDone.facts``.
    """

    trial: int
    attempt: int
    family: str
    config: Mapping[str, Value]
    seed: int
    batch_size: int
    max_epochs: int
    out: str
    rungs: tuple[int, ...] = ()
    is_refit: bool = False
    deadline_seconds: float | None = None
    screen: bool = False
    measure: bool = False
    do: Literal["train"] = "train"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainPack:
    """Train several configurations of one bucket as one program; each is answered as ``Train`` is.

    Sent to a trainer that runs a pack, its members join at the next epoch. Where a member stands at a rung the
    whole pack waits: ``PackPaused`` says that all have reported.
    """

    members: tuple[Train, ...]
    do: Literal["train_pack"] = "train_pack"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What to do at a rung or after a screen; ``STOP`` may also be sent at any time.

    ``max_epochs`` shortens the run and its schedule; it counts after a screen only, before either has begun.
    """

    trial: int
    verb: Verb
    max_epochs: int | None = None
    do: Literal["answer"] = "answer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """End the process cleanly."""

    do: Literal["exit"] = "exit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """The prepared data are loaded; ``device`` is where trials will really run; ``warning`` names a fallback."""

    device: str
    warning: str = ""
    do: Literal["ready"] = "ready"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """How many times quicker a network is in a pack than alone, by width; with ``problem`` nothing was found out."""

    gains: Mapping[str, float]
    seconds: float
    problem: str = ""
    do: Literal["measured"] = "measured"


@dataclass(frozen=True, kw_only=True, slots=True)
class Screened:
    """The network was built and measured; the trainer waits for an ``Answer``."""

    trial: int
    screen: Screen
    do: Literal["screened"] = "screened"


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochDone:
    """One epoch is over; with ``awaits`` the trainer waits for an ``Answer``."""

    trial: int
    epoch: Epoch
    awaits: bool
    do: Literal["epoch"] = "epoch"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialDone:
    """A finished trial; weights and ``manifest.json`` lie in its folder.

    ``score`` is the primary metric on the select part, higher is better (None for a refit);
    ``predict_seconds`` is the time to predict the select part; ``metrics`` are further select metrics;
    ``facts`` is what was asked to be measured (``parameters``, ``latency_ms``).
    """

    trial: int
    score: float | None
    n_epochs: int
    best_epoch: int
    n_parameters: int
    fit_seconds: float
    predict_seconds: float
    peak_memory_bytes: int
    was_pruned: bool
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    do: Literal["done"] = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialDiscarded:
    """The trial ended before its first epoch, as told; it leaves no folder."""

    trial: int
    do: Literal["discarded"] = "discarded"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialFailed:
    """A trial without a score, with the reason and what would help."""

    trial: int
    kind: FailureKind
    message: str
    hint: str = ""
    do: Literal["failed"] = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackPaused:
    """Every member has reported its epoch; the pack waits for an ``Answer`` to each of these trials."""

    trials: tuple[int, ...]
    do: Literal["paused"] = "paused"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackShed:
    """These members are not trained, for a reason that is not known to be theirs; they may be tried again.

    ``most``: members of the largest pack they should be tried in.
    """

    trials: tuple[int, ...]
    most: int
    kind: FailureKind
    reason: str
    do: Literal["shed"] = "shed"


Command = Prepare | Measure | Train | TrainPack | Answer | Exit
Report = (
    Ready
    | Measured
    | Screened
    | EpochDone
    | TrialDone
    | TrialDiscarded
    | TrialFailed
    | PackPaused
    | PackShed
)

_COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Discriminator("do")])
_REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Discriminator("do")])


def encode_command(message: Command) -> bytes:
    """One command as a JSON frame."""
    return _COMMAND.dump_json(message)


def decode_command(frame: bytes) -> Command:
    """Read one command; a malformed frame raises ``pydantic.ValidationError`` (a bug, not bad input)."""
    return _COMMAND.validate_json(frame)


def encode_report(message: Report) -> bytes:
    """One report as a JSON frame."""
    return _REPORT.dump_json(message)


def decode_report(frame: bytes) -> Report:
    """Read one report."""
    return _REPORT.validate_json(frame)
