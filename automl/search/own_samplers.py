"""Samplers of our own, each a function of what was tried: Sobol points, aging evolution, CMA-ES.

They read our declaration of the space and the trials so far, and nothing else; so a search that was cut and
rebuilt from its rows proposes what the undisturbed one would have proposed, and no state has to be stored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.search.offers import Sampler
from automl.space.dimensions import Config, Dimension, Space, Value
from automl.space.points import (
    build_config,
    count_values,
    get_active,
    get_share,
    get_value,
    list_axes,
)

POPULATION = 20  # the youngest that may become parents
TOURNAMENT = 5
MUTATION_SHARE = 0.2  # standard deviation of a step, as a share of the range
MOST_MUTATIONS = 20
POINT = "point"  # the notes of a proposal
GENERATION = "generation"
TOLD = "told"
MOST_BITS = 30  # of Sobol's sequence: a thousand million points

Shares = Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """One trial of the family so far.

    ``merit`` orders what ended, higher is better; None while it runs and where it says nothing. ``score`` is
    that of a trial which ran to its end; ``notes`` are those its proposal came with.
    """

    config: Config
    merit: tuple[float, ...] | None = None
    score: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What a sampler is asked: ``past`` in the order of asking, ``root`` the seed of the family, ``seed`` of this ask."""

    space: Space
    past: Sequence[Past]
    root: int
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """A configuration, and what the sampler must find again in ``Past.notes``."""

    config: Config
    notes: Mapping[str, Any] = field(default_factory=dict)


def propose_point(ask: Ask) -> Proposal:
    """The next point of a scrambled Sobol sequence over all axes of the space.

    Source: Owen 1998, "Scrambling Sobol' and Niederreiter-Xing points".
    """
    from scipy.stats import qmc  # costs half a second

    number = sum(POINT in past.notes for past in ask.past)
    axes = list_axes(ask.space)
    engine = qmc.Sobol(max(1, len(axes)), rng=ask.root, bits=MOST_BITS)
    if number:
        engine.fast_forward(number)
    point = engine.random(1)[0]
    shares = {axis.label: float(share) for axis, share in zip(axes, point, strict=False)}
    config = build_config(ask.space, lambda label, each: get_value(each, shares.get(label, 0.5)))
    return Proposal(config=config, notes={POINT: number})


def propose_child(ask: Ask) -> Proposal:
    """Aging evolution: the best of a few drawn from the youngest is copied with one gene changed.

    At random until there are as many as take part in a tournament. Source: Real et al. 2019, "Regularized
    Evolution for Image Classifier Architecture Search", algorithm 1.
    """
    rng = np.random.default_rng(ask.seed)
    judged = [past for past in ask.past if past.merit is not None]
    if len(judged) < TOURNAMENT:
        return Proposal(config=_draw(ask.space, rng))
    youngest = judged[-POPULATION:]
    drawn = rng.choice(len(youngest), size=TOURNAMENT, replace=False)
    parent = max((youngest[index] for index in sorted(drawn)), key=lambda past: past.merit or ())
    known = [past.config for past in ask.past]
    for _ in range(MOST_MUTATIONS):
        child = _mutate(ask.space, parent.config, rng)
        if child not in known:
            break
    return Proposal(config=child)


def _draw(space: Space, rng: np.random.Generator) -> dict[str, Value]:
    return build_config(space, lambda _label, dimension: get_value(dimension, rng.random()))


def _mutate(space: Space, parent: Config, rng: np.random.Generator) -> dict[str, Value]:
    """One gene of a parent changed; what a new branch opens is drawn."""
    genes = get_active(space, parent)
    if not genes:
        return dict(parent)
    gene = genes[int(rng.integers(len(genes)))].label

    def choose(label: str, dimension: Dimension) -> Value:
        if label == gene:
            return _change(dimension, parent[label], rng)
        return parent[label] if label in parent else get_value(dimension, rng.random())

    return build_config(space, choose)


def _change(dimension: Dimension, value: Value, rng: np.random.Generator) -> Value:
    """Another value: any other option, or a step along the range."""
    is_ordered = dimension.type in ("int", "float")
    for _ in range(MOST_MUTATIONS):
        step = get_share(dimension, value) + rng.normal(0.0, MUTATION_SHARE)
        changed = get_value(dimension, step if is_ordered else rng.random())
        if changed != value:
            return changed
    n_values = int(
        min(count_values(dimension), 2)
    )  # a range so coarse that no step leaves its cell
    shares = ((index + 0.5) / n_values for index in range(n_values))
    return next(each for share in shares if (each := get_value(dimension, share)) != value)


def propose_gaussian(ask: Ask) -> Proposal:
    """CMA-ES over the numbers of a space; generations are told again from the trials, nothing is stored.

    The first trial of a generation notes the trials its predecessor learnt from. Source: Hansen 2016, "The CMA
    Evolution Strategy: A Tutorial"; Nomura and Shibata 2024, "cmaes: A Simple yet Practical Python Library".
    """
    import cmaes

    axes = list_axes(ask.space)
    optimizer = cmaes.CMA(
        mean=np.full(len(axes), 0.5),
        sigma=1 / 6,
        bounds=np.array([[0.0, 1.0]] * len(axes)),
        n_max_resampling=10 * len(axes),
        seed=ask.root,
    )

    def tell(numbers: Sequence[int]) -> None:
        told = [ask.past[number] for number in numbers]
        optimizer.tell(
            [(_find_shares(ask.space, past.config), -(past.score or 0.0)) for past in told]
        )

    for past in ask.past:
        if TOLD in past.notes:
            tell(past.notes[TOLD])
    generation = int(optimizer.generation)
    ended = [
        number
        for number, past in enumerate(ask.past)
        if past.notes.get(GENERATION) == generation and past.score is not None
    ][: optimizer.population_size]
    notes: dict[str, Any] = {GENERATION: generation}
    if len(ended) == optimizer.population_size:
        tell(ended)
        notes = {GENERATION: generation + 1, TOLD: ended}
    optimizer.reseed_rng(ask.seed)
    shares = dict(zip((axis.label for axis in axes), map(float, optimizer.ask()), strict=True))
    config = build_config(ask.space, lambda label, each: get_value(each, shares.get(label, 0.5)))
    return Proposal(config=config, notes=notes)


def _find_shares(space: Space, config: Config) -> NDArray[np.float64]:
    return np.array([get_share(axis.dimension, config[axis.label]) for axis in list_axes(space)])


OWN_SAMPLERS: Mapping[Sampler, Callable[[Ask], Proposal]] = {
    Sampler.QMC: propose_point,
    Sampler.EVOLUTION: propose_child,
    Sampler.CMA_ES: propose_gaussian,
}
