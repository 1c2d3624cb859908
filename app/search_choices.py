"""What the form of a new search decides, and the search that follows from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app import services
from app.wording import say_plain
from automl.data.dataset import Dataset
from automl.jobs.records import Job, JobKind
from automl.search.goals import ModelLimits, Objective
from automl.space.narrowing import Range

if TYPE_CHECKING:
    from automl.models.image.weights import Found, WeightsPlan
    from automl.search.building import SearchRequest
    from automl.search.goals import Method
    from automl.search.offers import Pruner, Sampler
    from automl.search.spec import Budget, Preset, SearchSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureChoice:
    """What the form decides about a search for pictures only.

    Without ``may_mirror`` no picture is mirrored, neither while a network learns nor while it predicts.
    """

    method: "Method"
    weights: "WeightsPlan"
    may_mirror: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchChoice:
    """What the form of a new search decides; the rest comes from the saved choices of the data set.

    ``folds``: None leaves their number to the size of the table.
    """

    target: str
    metric: str
    budget: "Budget"
    families: tuple[str, ...]
    preset: "Preset"
    sampler: "Sampler"
    pruner: "Pruner"
    seed: int
    devices: tuple[str, ...]
    objectives: tuple[Objective, ...] = (Objective.SCORE,)
    limits: ModelLimits = field(default_factory=ModelLimits)
    ranges: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)
    pictures: PictureChoice | None = None
    folds: int | None = None


def build_spec(dataset: Dataset, choice: SearchChoice) -> "SearchSpec":
    """The search as it would be submitted. Errors name what cannot be searched."""
    from automl.search.building import build_search_spec, forbid_mirroring

    absent = list_absent(dataset, choice)
    offered = tuple(name for name in choice.families if name not in absent)
    spec = build_search_spec(_build_request(dataset, replace(choice, families=offered)))
    if choice.pictures is not None and not choice.pictures.may_mirror:
        return forbid_mirroring(spec)
    return spec


def list_absent(dataset: Dataset, choice: SearchChoice) -> Mapping[str, str]:
    """Families that are not offered for the data on the chosen devices, with the reason."""
    from automl.search import building

    return building.list_absent(_build_request(dataset, choice))


def explain_folds(dataset: Dataset, choice: SearchChoice) -> tuple[int, str]:
    """How many folds a search has where nobody chooses, and why."""
    from automl.search import building

    return building.explain_folds(_build_request(dataset, choice))


def _build_request(dataset: Dataset, choice: SearchChoice) -> "SearchRequest":
    from automl.search.building import SearchRequest

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
        objectives=choice.objectives,
        limits=choice.limits,
        ranges=choice.ranges,
        folds=choice.folds,
    )
    if choice.pictures is None:
        return request
    return replace(request, method=choice.pictures.method, weights=choice.pictures.weights)


def submit_search(dataset: Dataset, choice: SearchChoice, ticket: str) -> Job:
    """Queue a search; the same ticket twice is one search. Errors name what cannot be searched."""
    from automl.search.spec import render_spec

    spec = json.loads(render_spec(build_spec(dataset, choice)))
    title = say_plain("search.list_of", name=dataset.name, target=choice.target)
    return services.submit(JobKind.SEARCH, title, spec, key=f"search-{ticket}", dataset=dataset.id)


def find_weights(plan: "WeightsPlan") -> "Found":
    """Which pretrained backbones a plan gives, and why others are not there; nothing is fetched."""
    from automl.models.image.weights import find_available

    return find_available(plan)
