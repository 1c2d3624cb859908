"""Jobs, trials, workers and events as plain records; the store is their only writer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class JobKind(StrEnum):
    """The kinds of durable background work."""

    IMPORT = "import"  # an upload or a sample becomes a data set
    CHECK = "check"  # columns that leak a chosen target
    SEARCH = "search"
    PREDICT = "predict"  # a file through a bundle
    EXPLAIN = "explain"  # where a network looked on chosen pictures
    EXPLAIN_TABLE = "explain_table"  # what a model of a table relies on
    SIZES = "sizes"  # how the score of a model grows with the rows it learns from
    RATES = "rates"  # how far the loss of a network falls at each learning rate
    LABELS = "labels"  # which labels of the training rows may be wrong
    MAP = "map"  # test rows in two dimensions
    THRESHOLD = "threshold"  # a model decides by another threshold: audit, report and bundle anew


class JobState(StrEnum):
    """``queued → running → succeeded | failed | stopped``, and back to queued by requeue or resume."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def is_active(self) -> bool:
        return self in (JobState.QUEUED, JobState.RUNNING)


class StopMode(StrEnum):
    """How a job ends when asked to."""

    KEEP_BEST = "keep_best"
    DISCARD = "discard"


class TrialState(StrEnum):
    """``waiting → running → complete | pruned | failed``."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Why a job ended as it did, in words."""

    kind: str
    message: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One row of durable work. Times are UTC epoch seconds; ``progress`` is at most 4 KB of JSON.

    ``title`` is what a list shows; ``dataset`` is the data set it belongs to (empty for an import that is
    not done); ``consumed_seconds`` grows only while running; ``result`` is a small JSON result (an import's
    data set id, a check's notes); ``note`` is what a person wrote about it.
    """

    id: str
    kind: JobKind
    state: JobState
    title: str
    dataset: str
    spec: Mapping[str, Any]
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    not_before: float = 0.0
    consumed_seconds: float = 0.0
    attempt: int = 0
    max_attempts: int = 3
    stop_mode: StopMode | None = None
    lease_owner: str | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One configuration and what became of it.

    ``score`` is on the select part, higher is better; ``config`` has dotted labels without the family;
    ``optuna`` holds what rebuilds the study (params, distributions, intermediate values, system
    attributes); ``stage`` is ``baseline``, ``search``, ``refit`` or ``supernet``.

    ``facts`` are what was measured or decided before the first epoch (``parameters, macs, latency_ms, proxy,
    picture_seconds, horizon, shared_score``), and of a pack (``pack, pack_size, pack_most, memory_most, alone_factor``: see
    ``search.lineup``); ``origin`` says who proposed it: ``start``, ``grid``, ``sampled``, ``companion``,
    ``weight_sharing``, or nobody (empty).
    """

    number: int
    family: str
    config: Mapping[str, Any]
    state: TrialState
    stage: str
    seed: int
    attempt: int = 1
    score: float | None = None
    n_epochs: int = 0
    best_epoch: int = 0
    n_parameters: int | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    peak_memory_bytes: int | None = None
    device: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    failure_kind: str = ""
    failure_message: str = ""
    failure_hint: str = ""
    optuna: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    origin: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One transition of a job, append-only."""

    at: float
    job_id: str
    actor: str
    kind: str
    from_state: str
    to_state: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerRow:
    """A worker and the machine it sees; ``stats`` is sampled every 2 s (cpu, memory, disk, devices)."""

    id: str
    host: str
    pid: int
    version: str
    slots: tuple[str, ...]
    heartbeat_at: float
    stats: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """A time-limited right to write to a job; every write carries ``token``."""

    job: Job
    owner: str
    token: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJob:
    """What is asked for. The same ``idempotency_key`` twice is one job: a double click is harmless."""

    kind: JobKind
    title: str
    dataset: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    max_attempts: int = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessRow:
    """A child process to end after a crash of its worker; it is known by (pid, start time) only."""

    pid: int
    start_time: float
    worker_id: str
    what: str
