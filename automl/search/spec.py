"""The frozen, complete recipe of a search, and its JSON form.

The same spec stands behind the page, the shell and Python. It holds no torch and no Optuna object.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from automl.data.corrections import Corrections
from automl.data.dataset import ColumnUse, DataKind, Kind, Role
from automl.data.folds import LEAST_FOLDS, MOST_FOLDS
from automl.data.split_plan import SplitPlan, SplitStrategy
from automl.data.task import Task
from automl.errors import SpecError
from automl.models.image.weights import WeightsPlan, WeightsSource
from automl.search.goals import Method, ModelLimits, Objective
from automl.search.offers import PRUNERS, SAMPLERS, Pruner, Resampling, Sampler, Situation
from automl.search.turns import build_turns
from automl.space.dimensions import Space

SPEC_VERSION = 1
MOST_OBJECTIVES = 3


class Preset(StrEnum):
    """How thorough: a budget and the size of the spaces."""

    QUICK = "quick"
    BALANCED = "balanced"
    THOROUGH = "thorough"


PRESET_SECONDS = {Preset.QUICK: 120.0, Preset.BALANCED: 600.0, Preset.THOROUGH: 3600.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Seconds from submission to the end, trials, or both (the first to end); at least one is set."""

    seconds: float | None = None
    trials: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.trials is None:
            raise SpecError("A search needs a budget.", hint="Give seconds, trials, or both.")
        if self.seconds is not None and not 5 <= self.seconds <= 7 * 86_400:
            raise SpecError(
                f"A budget of {self.seconds:g} s is out of range.", hint="Between 5 s and 7 days."
            )
        if self.trials is not None and not 1 <= self.trials <= 10_000:
            raise SpecError(
                f"A budget of {self.trials} trials is out of range.", hint="Between 1 and 10,000."
            )

    @property
    def is_repeatable(self) -> bool:
        """True when no clock decides: the same spec then gives the same trials."""
        return self.seconds is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """Where trials run: slot names (``cuda:0``, ``cpu:0``, ``cpu:1`` …), threads each, batch size.

    ``pack_size`` is the most networks that train at once as one program on one slot; 1: each trains alone.
    """

    devices: tuple[str, ...]
    threads: int
    batch_size: int
    pack_size: int = 1

    def __post_init__(self) -> None:
        if not self.devices or len(set(self.devices)) != len(self.devices):
            raise SpecError(f"Devices must be named once each, got {self.devices!r}.")
        if self.threads < 1 or self.batch_size < 2 or self.pack_size < 1:
            raise SpecError(
                f"threads {self.threads}, batch {self.batch_size} and pack {self.pack_size} must be "
                "at least 1, at least 2 and at least 1."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPlan:
    """How the audit at the end reads the groups; the largest group is the reference where none is named."""

    min_group_size: int = 30
    references: Mapping[str, str] = field(default_factory=dict)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True, slots=True)
class SearchSpec:
    """Everything that decides what a search does; the same spec gives the same trials.

    ``data`` is the id of the data set. ``spaces`` holds the declared space of each family in ``families``,
    so that a later release with other defaults still repeats an old search. ``method`` and ``weights`` concern
    pictures; their defaults are what every table search does. So does ``excluded``: findings (``Note.code``)
    whose pictures are left out. ``folds``: how many the train and select rows are divided into to compare models, 0
    where the select part decides alone (0, or 3 to 10). ``corrections``: rows that a person left out or gave another
    label.
    """

    data: str
    data_name: str
    columns: tuple[ColumnUse, ...]
    task: Task
    split: SplitPlan
    budget: Budget
    resources: Resources
    families: tuple[str, ...]
    spaces: Mapping[str, Space]
    preset: Preset = Preset.BALANCED
    sampler: Sampler = Sampler.TPE
    pruner: Pruner = Pruner.SUCCESSIVE_HALVING
    seed: int = 0
    audit: AuditPlan = AuditPlan()
    method: Method = Method.PLAIN
    objectives: tuple[Objective, ...] = (Objective.SCORE,)
    limits: ModelLimits = field(default_factory=ModelLimits)
    weights: WeightsPlan = field(default_factory=WeightsPlan)
    excluded: tuple[str, ...] = ()
    folds: int = 0
    corrections: Corrections = field(default_factory=Corrections)
    version: int = SPEC_VERSION

    def __post_init__(self) -> None:
        if self.version != SPEC_VERSION:
            raise SpecError(
                f"This is a spec of version {self.version}; this release reads {SPEC_VERSION}."
            )
        if set(self.families) != set(self.spaces) or len(set(self.families)) != len(self.families):
            raise SpecError(f"Families {self.families!r} and spaces {tuple(self.spaces)!r} differ.")
        if not 0 <= self.seed < 2**32:
            raise SpecError(f"The seed {self.seed} is out of range.", hint="Between 0 and 2³² − 1.")
        targets = [column.name for column in self.columns if column.role is Role.TARGET]
        if targets != [self.task.target]:
            raise SpecError(f"The target is {self.task.target!r}, but the columns say {targets!r}.")
        if not self.inputs:
            raise SpecError(
                "No column is left to learn from.",
                hint="Give at least one column the role feature.",
            )
        self._require_folds()
        self._require_goals()
        self.corrections.require_classes(self.task)

    def _require_folds(self) -> None:
        if not self.folds:
            return
        if not LEAST_FOLDS <= self.folds <= MOST_FOLDS:
            raise SpecError(
                f"{self.folds} folds are out of range.",
                hint=f"Between {LEAST_FOLDS} and {MOST_FOLDS}, or none.",
            )
        problem = find_fold_problem(self.data_kind, self.split)
        if problem:
            raise SpecError(
                f"The rows cannot be divided into folds: {problem}.",
                hint="Choose none, or automatic.",
            )
        if self.resources.pack_size > 1:
            raise SpecError(
                f"With folds each network trains alone, and the pack size is {self.resources.pack_size}.",
                hint="Set it to 1.",
            )

    def _require_goals(self) -> None:
        objectives = self.objectives
        named = ", ".join(objectives) or "nothing"
        if objectives[:1] != (Objective.SCORE,) or len(set(objectives)) != len(objectives):
            raise SpecError(
                f"The objectives are {named}; the score comes first, each of them once.",
                hint=f"Further ones are {', '.join(list(Objective)[1:])}.",
            )
        if len(objectives) > MOST_OBJECTIVES:
            raise SpecError(
                f"{len(objectives)} objectives were given ({named}).",
                hint=f"At most {MOST_OBJECTIVES}; give the others as limits.",
            )
        self._require_offers()
        if self.data_kind is not DataKind.IMAGES:
            self._require_table_goals()
        elif self.method is not Method.PLAIN and "cnn" not in self.families:
            raise SpecError(
                f"The method {str(self.method)!r} searches the family 'cnn', but the families are "
                f"{', '.join(self.families)}.",
                hint="Add cnn, or choose the method plain.",
            )
        if "pretrained" in self.families and self.weights.source is WeightsSource.NONE:
            raise SpecError(
                "The family 'pretrained' has no weights to start from.",
                hint="Name a folder of safetensors files, allow the hub, or leave the family out.",
            )

    def _require_table_goals(self) -> None:
        if self.method is not Method.PLAIN:
            raise SpecError(
                f"The method {str(self.method)!r} is for pictures; {self.data_name!r} is a table.",
                hint="Choose the method plain.",
            )
        if Objective.MACS in self.objectives or self.limits.macs is not None:
            raise SpecError(
                f"Multiply-adds are counted for pictures, and {self.data_name!r} is a table.",
                hint="Weigh or limit the parameters or the latency.",
            )

    def _require_offers(self) -> None:
        for what, offer in (
            ("sampler", SAMPLERS[self.sampler]), ("pruner", PRUNERS[self.pruner])
        ):  # fmt: skip
            reason = offer.find_reason(self.situation)
            if reason:
                raise SpecError(
                    f"The {what} {offer.name} is not offered here: {reason}.",
                    hint=f"Choose another {what}.",
                )

    @property
    def situation(self) -> Situation:
        """What samplers and pruners are offered by."""
        turns = build_turns(self.families)
        return Situation(
            spaces={name: self.spaces[name] for name in dict.fromkeys(turns)},
            objectives=self.objectives,
            has_limits=self.limits.is_set,
            method=self.method,
            trials=self.budget.trials,
            kind=self.data_kind,
            resampling=Resampling.FOLDS if self.folds else Resampling.HOLD_OUT,
        )

    @property
    def data_kind(self) -> DataKind:
        """Pictures where an input column is of kind image, else a table."""
        has_images = any(column.kind is Kind.IMAGE for column in self.inputs)
        return DataKind.IMAGES if has_images else DataKind.TABLE

    @property
    def has_front(self) -> bool:
        """True with several objectives: then there is a front, not one best."""
        return len(self.objectives) > 1

    @property
    def is_repeatable(self) -> bool:
        """True when nothing measured by a clock decides: the same spec then gives the same trials."""
        is_timed = Objective.LATENCY in self.objectives or self.limits.latency_ms is not None
        return self.budget.is_repeatable and not is_timed

    @property
    def inputs(self) -> tuple[ColumnUse, ...]:
        """The columns a model may read, in the order of the table."""
        return tuple(
            column
            for column in self.columns
            if column.role is Role.FEATURE or (column.role is Role.SENSITIVE and column.is_input)
        )

    @property
    def sensitive(self) -> tuple[str, ...]:
        """Names of the sensitive columns, in the order of the table."""
        return tuple(column.name for column in self.columns if column.role is Role.SENSITIVE)


def find_fold_problem(kind: DataKind, split: SplitPlan) -> str:
    """Why rows are not divided into folds, whoever wants it; empty where they can be."""
    if kind is DataKind.IMAGES:
        return "networks on pictures take long, so each is trained once"
    if split.strategy is SplitStrategy.TEMPORAL:
        return "a model would learn from newer rows than those it predicts"
    if split.val_given:
        return "a validation part is given, and it decides"
    return ""


_ADAPTER = TypeAdapter(SearchSpec)


def render_spec(spec: SearchSpec) -> str:
    """The spec as JSON text, two spaces indented, keys in declared order."""
    return _ADAPTER.dump_json(spec, indent=2).decode()


def parse_spec(text: str | bytes) -> SearchSpec:
    """Read a spec from JSON; every fault is a ``SpecError`` that names the field and the value."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise SpecError(
            f"The spec cannot be read at {where}: {first['msg']} (got {first.get('input')!r:.80}).",
            hint="Compare it with a spec.json written by a finished search.",
        ) from error


def compute_spec_hash(spec: SearchSpec) -> str:
    """SHA-256 of the canonical JSON form, 64 hex digits."""
    return sha256(_ADAPTER.dump_json(spec)).hexdigest()
