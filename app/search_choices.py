"""What the form of a new search decides, and the search that follows from it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import services
from app.wording import say_plain
from automl.data.dataset import Dataset
from automl.jobs.records import Job, JobKind

if TYPE_CHECKING:
    from automl.models.image.weights import Found, WeightsPlan
    from automl.search.building import SearchRequest
    from automl.search.goals import Method, ModelLimits, Objective
    from automl.search.offers import Pruner, Sampler, Situation
    from automl.search.spec import Budget, Preset


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureChoice:
    """What the form decides about a search for pictures only.

    Without ``may_mirror`` no picture is mirrored, neither while a network learns nor while it predicts.
    """

    method: "Method"
    objectives: "tuple[Objective, ...]"
    limits: "ModelLimits"
    weights: "WeightsPlan"
    may_mirror: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchChoice:
    """What the form of a new search decides; the rest comes from the saved choices of the data set."""

    target: str
    metric: str
    budget: "Budget"
    families: tuple[str, ...]
    preset: "Preset"
    sampler: "Sampler"
    pruner: "Pruner"
    seed: int
    devices: tuple[str, ...]
    pictures: PictureChoice | None = None


def build_situation(
    dataset: Dataset,
    families: Sequence[str],
    preset: "Preset",
    devices: Sequence[str],
    *,
    objectives: "tuple[Objective, ...]",
    limits: "ModelLimits",
    method: "Method",
    trials: int | None,
) -> "Situation":
    """What samplers and pruners would be offered by, were the search submitted as it stands."""
    from automl.models.catalog import get_space
    from automl.search.offers import Situation
    from automl.search.turns import build_turns

    on_gpu = any(name.startswith("cuda") for name in devices)
    side = dataset.images.side if dataset.images else 0
    return Situation(
        spaces={
            name: get_space(name, preset, on_gpu=on_gpu, side=side)
            for name in dict.fromkeys(build_turns(families))
        },
        objectives=objectives,
        has_limits=limits.is_set,
        method=method,
        trials=trials,
        kind=dataset.kind,
    )


def submit_search(dataset: Dataset, choice: SearchChoice, ticket: str) -> Job:
    """Queue a search; the same ticket twice is one search. Errors name what cannot be searched."""
    from automl.search.building import (
        SearchRequest,
        build_search_spec,
        forbid_mirroring,
        list_absent,
    )
    from automl.search.spec import render_spec

    request = SearchRequest(
        dataset=dataset,
        profile=services.read_profile(dataset.id),
        setup=replace(services.read_setup(dataset.id), metric=choice.metric),
        slots=tuple(slot for slot in services.list_slots() if slot.name in choice.devices),
        budget=choice.budget,
        preset=choice.preset,
        families=choice.families,
        sampler=choice.sampler,
        pruner=choice.pruner,
        seed=choice.seed,
    )
    if choice.pictures is not None:
        request = _add_pictures(request, choice.pictures)
    absent = list_absent(request)
    offered = tuple(name for name in choice.families if name not in absent)
    built = build_search_spec(replace(request, families=offered))
    if choice.pictures is not None and not choice.pictures.may_mirror:
        built = forbid_mirroring(built)
    spec = json.loads(render_spec(built))
    title = say_plain("search.list_of", name=dataset.name, target=choice.target)
    return services.submit(JobKind.SEARCH, title, spec, key=f"search-{ticket}", dataset=dataset.id)


def _add_pictures(request: "SearchRequest", choice: PictureChoice) -> "SearchRequest":
    return replace(
        request,
        method=choice.method,
        objectives=choice.objectives,
        limits=choice.limits,
        weights=choice.weights,
    )


def find_weights(plan: "WeightsPlan") -> "Found":
    """Which pretrained backbones a plan gives, and why others are not there; nothing is fetched."""
    from automl.models.image.weights import find_available

    return find_available(plan)
