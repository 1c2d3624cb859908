"""From a data set and a person's choices to the one frozen spec behind page, shell and Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from automl.data.dataset import ColumnUse, DataKind, Dataset, Kind, Role
from automl.data.profile import Profile
from automl.data.setup import KINDS_OF_ROLES, Setup, build_columns, infer_task
from automl.data.split_plan import SplitPlan, build_split_plan
from automl.data.task import Task, TaskType
from automl.errors import SpecError
from automl.execution.devices import (
    Slot,
    SlotKind,
    SlotResources,
    compute_image_resources,
    compute_resources,
)
from automl.models.catalog import get_family, get_space, list_families
from automl.models.image.mirroring import without_mirroring
from automl.models.image.pretrained_space import build_pretrained_space
from automl.models.image.weights import WeightsPlan, WeightsSource, find_available
from automl.models.tabular.capacity import MOST_ON_CPU, MOST_ON_GPU
from automl.models.tabular.loss_config import SpaceFacts
from automl.models.tabular.target_encoding import MIN_LEVELS
from automl.search.absent import find_absent
from automl.search.cross_validation import choose_folds
from automl.search.goals import Method, ModelLimits, Objective
from automl.search.offers import Pruner, Sampler
from automl.search.spec import (
    PRESET_SECONDS,
    AuditPlan,
    Budget,
    Preset,
    Resources,
    SearchSpec,
)
from automl.space.dimensions import Space
from automl.space.narrowing import Range, narrow
from fairness.definitions import METRICS

_ONE_COLUMN = {
    Role.GROUP: "can be kept together by",
    Role.TIME: "can be put in order by",
    Role.WEIGHT: "can be weighed by",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchRequest:
    """What a person chose for a search; what is absent takes the default of the preset.

    ``slots`` are the devices of the machine that will run it. An explicit ``budget`` wins over the preset.
    Without ``families`` it is all that learn from this kind of data and are offered there; pretrained ones only
    with ``weights``.
    ``ranges`` narrow the declared spaces: family → label → lowest and highest, both included. ``folds`` as in the
    spec; None: five for a small table (``choose_folds``).
    """

    dataset: Dataset
    profile: Profile
    setup: Setup
    slots: tuple[Slot, ...]
    budget: Budget | None = None
    preset: Preset = Preset.BALANCED
    families: tuple[str, ...] | None = None
    sampler: Sampler = Sampler.TPE
    pruner: Pruner = Pruner.SUCCESSIVE_HALVING
    seed: int = 0
    audit: AuditPlan = field(default_factory=AuditPlan)
    method: Method = Method.PLAIN
    objectives: tuple[Objective, ...] = (Objective.SCORE,)
    limits: ModelLimits = field(default_factory=ModelLimits)
    weights: WeightsPlan = field(default_factory=WeightsPlan)
    ranges: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)
    folds: int | None = None


def build_search_spec(request: SearchRequest) -> SearchSpec:
    """The complete recipe; ``SpecError`` or ``DataError`` names what cannot be searched."""
    dataset, setup = request.dataset, request.setup
    task = infer_task(dataset, request.profile, setup)
    require_metric(task)
    columns = build_columns(dataset, setup)
    _find_one(columns, Role.WEIGHT)
    split = _plan_split(request, columns)
    on_gpu = any(slot.kind is SlotKind.CUDA for slot in request.slots)
    resources = _compute_resources(request, _count_training(dataset, split.train))
    families = _choose_families(request, task, list_absent(request))
    facts = _find_facts(request, task, columns)
    folds = explain_folds(request)[0] if request.folds is None else request.folds
    return SearchSpec(
        data=dataset.id,
        data_name=dataset.name,
        columns=columns,
        task=task,
        split=split,
        budget=request.budget or Budget(seconds=PRESET_SECONDS[request.preset]),
        resources=Resources(
            devices=tuple(slot.name for slot in resources.slots),
            threads=resources.threads,
            batch_size=resources.batch_size,
            pack_size=1 if folds else _choose_pack_size(dataset, resources.slots),
        ),
        families=families,
        spaces=_narrow_spaces(
            request,
            {name: _build_space(request, name, facts, on_gpu=on_gpu) for name in families},
        ),
        preset=request.preset,
        sampler=request.sampler,
        pruner=request.pruner,
        seed=request.seed,
        audit=request.audit,
        method=request.method,
        objectives=request.objectives,
        limits=request.limits,
        weights=request.weights,
        excluded=setup.drop_pictures if dataset.images is not None else (),
        folds=folds,
    )


def _plan_split(request: SearchRequest, columns: tuple[ColumnUse, ...]) -> SplitPlan:
    dataset = request.dataset
    return build_split_plan(
        test_given=dataset.n_test_rows > 0,
        val_given=dataset.n_val_rows > 0,
        group=_find_one(columns, Role.GROUP),
        time=_find_one(columns, Role.TIME),
        seed=request.seed,
    )


def explain_folds(request: SearchRequest) -> tuple[int, str]:
    """How many folds the search has where nobody chooses, and why."""
    dataset = request.dataset
    split = _plan_split(request, build_columns(dataset, request.setup))
    return choose_folds(dataset.kind, split, _count_training(dataset, split.train + split.select))


def forbid_mirroring(spec: SearchSpec) -> SearchSpec:
    """The same search, in which no picture is mirrored, neither while training nor while predicting."""
    spaces = {name: without_mirroring(space) for name, space in spec.spaces.items()}
    return replace(spec, spaces=spaces)


def _count_training(dataset: Dataset, share: float) -> int:
    """Rows to learn from, about; a given validation part is not among them."""
    return round((dataset.n_train_rows - dataset.n_val_rows) * share)


def _compute_resources(request: SearchRequest, n_train: int) -> SlotResources:
    if request.dataset.images is None:
        return compute_resources(request.slots, n_train)
    return compute_image_resources(request.slots, n_train, request.dataset.images.side)


def _choose_pack_size(dataset: Dataset, slots: tuple[Slot, ...]) -> int:
    """The most networks for a table that train at once; on pictures each trains alone."""
    if dataset.images is not None:
        return 1
    on_gpu = all(slot.kind is SlotKind.CUDA for slot in slots)
    return MOST_ON_GPU if on_gpu else MOST_ON_CPU


def list_absent(request: SearchRequest) -> Mapping[str, str]:
    """Families that are not offered for these data on these devices, with the reason."""
    dataset = request.dataset
    if dataset.images is not None:
        return {}
    columns = build_columns(dataset, request.setup)
    return find_absent(
        n_rows=dataset.n_train_rows - dataset.n_val_rows,
        n_columns=sum(column.role is Role.FEATURE for column in columns),
        on_gpu=any(slot.kind is SlotKind.CUDA for slot in request.slots),
    )


def _choose_families(
    request: SearchRequest, task: Task, absent: Mapping[str, str]
) -> tuple[str, ...]:
    """What was asked for, or all that are offered; a family that cannot learn from it is a ``SpecError``."""
    kind = request.dataset.kind
    if kind is DataKind.IMAGES and task.type is TaskType.REGRESSION:
        raise SpecError(
            f"{task.target!r} is a number, and no network here predicts numbers from pictures.",
            hint="Choose a target with classes.",
        )
    fitting = list_families(kind)
    found = find_available(request.weights)
    if request.families is None:
        has_weights = bool(found.backbones)
        if request.weights.source is not WeightsSource.NONE and not has_weights:
            raise SpecError(found.message)
        left_out = {*absent, *(() if has_weights else ("pretrained",))}
        return tuple(name for name in fitting if name not in left_out)
    for name in request.families:
        get_family(name)
        if name not in fitting:
            what = "pictures" if kind is DataKind.IMAGES else "a table"
            raise SpecError(
                f"The family {name!r} does not learn from {what}.",
                hint=f"Choose among {', '.join(fitting)}.",
            )
        if name in absent:
            raise SpecError(
                f"The family {name!r} cannot be searched here: {absent[name]}.",
                hint="Leave it out.",
            )
    if "pretrained" in request.families and not found.backbones:
        raise SpecError(found.message)
    return request.families


def _find_facts(request: SearchRequest, task: Task, columns: tuple[ColumnUse, ...]) -> SpaceFacts:
    """What the spaces depend on; shares of the classes among all rows, levels of the inputs."""
    found = request.profile.column(task.target)
    counts = [value.count for value in found.values] if found and task.classes else []
    shares = tuple(count / sum(counts) for count in counts)
    return SpaceFacts(
        task_type=task.type,
        metric=task.metric,
        class_shares=shares,
        tail=0.0 if task.classes else _compute_tail(found.quantiles if found else None),
        has_wide=any(_is_wide(use, request.dataset) for use in columns),
    )


def _compute_tail(quantiles: Mapping[str, float] | None) -> float:
    """How far the farthest value lies outside the middle 90 %, in widths of that middle."""
    if not quantiles:
        return 0.0
    low, high = quantiles["q05"], quantiles["q95"]
    far = max(quantiles["max"] - high, low - quantiles["min"])
    return far / (high - low) if high > low else 0.0


def _is_wide(use: ColumnUse, dataset: Dataset) -> bool:
    """Whether an input has many levels; of a text most cells must come back."""
    column = dataset.column(use.name)
    is_input = use.role is Role.FEATURE or use.is_input
    if column is None or not is_input or use.kind not in (Kind.CATEGORICAL, Kind.TEXT):
        return False
    least_rows = 2 if use.kind is Kind.TEXT else 1
    return MIN_LEVELS < column.n_distinct <= dataset.n_rows / least_rows


def _build_space(request: SearchRequest, family: str, facts: SpaceFacts, *, on_gpu: bool) -> Space:
    """The declared space; a pretrained one has only the backbones whose weights are there."""
    preset, images = request.preset.value, request.dataset.images
    side = images.side if images else 0
    if family != "pretrained":
        return get_space(family, preset, on_gpu=on_gpu, side=side, facts=facts)
    backbones = find_available(request.weights).backbones
    return build_pretrained_space(preset, on_gpu=on_gpu, side=side, backbones=backbones)


def _narrow_spaces(request: SearchRequest, spaces: Mapping[str, Space]) -> dict[str, Space]:
    for family in request.ranges:
        if family not in spaces:
            raise SpecError(
                f"A range is given for {family!r}, which is not among the families.",
                hint=f"They are {', '.join(spaces)}.",
            )
    return {name: narrow(space, request.ranges.get(name, {})) for name, space in spaces.items()}


def _find_one(columns: tuple[ColumnUse, ...], role: Role) -> str | None:
    """The column of a role that one column at most may have."""
    found = [column for column in columns if column.role is role]
    names = [column.name for column in found]
    if len(names) > 1:
        raise SpecError(
            f"Rows {_ONE_COLUMN[role]} one column, but {names[0]!r} and {names[1]!r} both have the role {role}.",
            hint="Give one of them another role.",
        )
    kinds = KINDS_OF_ROLES.get(role)
    if found and kinds is not None and found[0].kind not in kinds:
        raise SpecError(
            f"{names[0]!r} cannot be the {role} of the rows: its values are {found[0].kind}.",
            hint=f"It takes {' or '.join(kinds)} values.",
        )
    return names[0] if names else None


def require_metric(task: Task) -> None:
    """Raise ``SpecError`` unless the task's metric fits its type and can be searched for."""
    known = METRICS.get(task.metric)
    fitting = sorted(
        name
        for name, metric in METRICS.items()
        if task.type.value in metric.tasks and metric.direction != "none"
    )
    if known is None or task.metric not in fitting:
        raise SpecError(
            f"{task.metric!r} cannot be searched for in a {task.type.value} task.",
            hint=f"Choose one of {', '.join(fitting)}.",
        )
