"""Who may propose configurations and who may end trials: what each is, where it comes from, where it is valid.

Spec, form, shell and docs read these two tables. ``find_reason`` says in one sentence why something is not
offered for a search; ``find_caution`` says what to expect of something that is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from automl.data.dataset import DataKind
from automl.models.catalog import FAMILIES
from automl.search.goals import Method, Objective
from automl.space.dimensions import Choice, Space, Switch
from automl.space.points import list_axes
from automl.space.sampling import count_grid

GENETIC_POPULATION = 20  # of each family
MANY_GP_TRIALS = 500
LEAST_REFERENCE_OBJECTIVES = 3
MOST_GRID_POINTS = 10_000


class Sampler(StrEnum):
    """Who proposes the next configuration."""

    TPE = "tpe"
    RANDOM = "random"
    GRID = "grid"
    QMC = "qmc"
    GP = "gp"
    CMA_ES = "cma_es"
    EVOLUTION = "evolution"
    NSGA2 = "nsga2"
    NSGA3 = "nsga3"


class Pruner(StrEnum):
    """Who ends a trial early."""

    SUCCESSIVE_HALVING = "successive_halving"
    HYPERBAND = "hyperband"
    MEDIAN = "median"
    PERCENTILE = "percentile"
    PATIENT = "patient"
    WILCOXON = "wilcoxon"
    NONE = "none"


class Resampling(StrEnum):
    """What the scores that a trial reports on its way are scores of."""

    HOLD_OUT = "hold_out"  # later epochs on the same rows
    FOLDS = "folds"  # other rows each time


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What a choice is judged by; ``spaces`` are those of the families that take turns."""

    spaces: Mapping[str, Space]
    objectives: tuple[Objective, ...] = (Objective.SCORE,)
    has_limits: bool = False
    method: Method = Method.PLAIN
    trials: int | None = None
    kind: DataKind = DataKind.TABLE
    resampling: Resampling = Resampling.HOLD_OUT

    @property
    def has_front(self) -> bool:
        return len(self.objectives) > 1


Say = Callable[[Situation], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """One sampler or pruner; ``find_reason`` is empty where it is valid, ``needs`` says the same in general."""

    name: str
    title: str
    summary: str
    source: str = ""
    needs: str = ""
    find_reason: Say = field(default=lambda _situation: "")
    find_caution: Say = field(default=lambda _situation: "")


def _refuse_grid(situation: Situation) -> str:
    if situation.method is Method.PLAIN:
        return ""
    return "a grid has no place for what weight sharing proposes"


def _warn_grid(situation: Situation) -> str:
    points = sum(count_grid(space) for space in situation.spaces.values())
    limit = min(situation.trials or MOST_GRID_POINTS, MOST_GRID_POINTS)
    if points <= limit:
        return ""
    return f"The grid has {points:,} points; the first {limit:,} of them at most are tried, in declared order."


def _warn_gp(situation: Situation) -> str:
    if (situation.trials or 0) <= MANY_GP_TRIALS:
        return ""
    return (
        f"The Gaussian process takes longer with every trial: beyond {MANY_GP_TRIALS} a proposal takes many "
        "seconds."
    )


def _refuse_cma(situation: Situation) -> str:
    if situation.has_front:
        return "it knows one objective"
    if situation.has_limits:
        return "it does not heed limits"
    for family, space in situation.spaces.items():
        unordered = next(
            (
                axis.label
                for axis in list_axes(space)
                if isinstance(axis.dimension, Choice | Switch)
            ),
            None,
        )
        if unordered is not None:
            return (
                f"it moves along numbers, and {FAMILIES[family].title} has the choice {unordered!r}"
            )
        if not list_axes(space):
            return f"nothing is left to choose in the space of {FAMILIES[family].title}"
    return ""


def _refuse_evolution(situation: Situation) -> str:
    return "tournaments are won by one objective" if situation.has_front else ""


def _refuse_nsga2(situation: Situation) -> str:
    return (
        "" if situation.has_front else "it weighs several objectives, and there is only the score"
    )


def _refuse_nsga3(situation: Situation) -> str:
    if len(situation.objectives) >= LEAST_REFERENCE_OBJECTIVES:
        return ""
    return f"its reference points need {LEAST_REFERENCE_OBJECTIVES} objectives or more"


def _warn_genetic(situation: Situation) -> str:
    needed = 2 * GENETIC_POPULATION * len(situation.spaces)
    if situation.trials is None or situation.trials >= needed:
        return ""
    return (
        f"The first {GENETIC_POPULATION} trials of each family are drawn at random: with {situation.trials} trials "
        "there is hardly an evolution."
    )


def _refuse_with_front(situation: Situation) -> str:
    if not situation.has_front:
        return ""
    return "with several objectives fronts decide, by successive halving"


def _warn_halving(situation: Situation) -> str:
    if situation.kind is not DataKind.TABLE or not situation.has_front:
        return ""
    return (
        "What a model for a table costs is known when it is trained: with several objectives every network trains "
        "to its own end."
    )


def _refuse_wilcoxon(situation: Situation) -> str:
    if situation.resampling is not Resampling.FOLDS:
        return (
            "its test needs scores on independent folds, and here they are later epochs on the same select "
            "part"
        )
    return _refuse_with_front(situation)


SAMPLERS: Mapping[Sampler, Offer] = {
    Sampler(offer.name): offer
    for offer in (
        Offer(
            name="tpe",
            title="TPE",
            summary="Learns which values the better trials have in common. The one to take in doubt.",
            source="Watanabe 2023, Tree-Structured Parzen Estimator",
        ),
        Offer(
            name="random",
            title="random",
            summary="Draws at random and learns nothing: the yardstick of all others.",
            source="Bergstra and Bengio 2012, Random Search for Hyper-Parameter Optimization",
        ),
        Offer(
            name="grid",
            title="grid",
            summary="Three points per number and every choice, one after the other; no start list.",
            needs="the method plain",
            find_reason=_refuse_grid,
            find_caution=_warn_grid,
        ),
        Offer(
            name="qmc",
            title="quasi-random (Sobol)",
            summary="Points that spread more evenly than random ones; learns nothing.",
            source="Owen 1998, Scrambling Sobol' and Niederreiter-Xing points",
        ),
        Offer(
            name="gp",
            title="Gaussian process",
            summary="Models the score over the whole space. Strong with few trials; a proposal takes up to seconds.",
            source="Snoek et al. 2012, Practical Bayesian Optimization; Ament et al. 2023, LogEI",
            find_caution=_warn_gp,
        ),
        Offer(
            name="cma_es",
            title="CMA-ES",
            summary="Moves a cloud of points towards better ones; for spaces of numbers and many trials.",
            source="Hansen 2016, The CMA Evolution Strategy: A Tutorial",
            needs="numbers only, one objective, no limits",
            find_reason=_refuse_cma,
        ),
        Offer(
            name="evolution",
            title="aging evolution",
            summary="Copies the best of a few young trials and changes one thing.",
            source="Real et al. 2019, Regularized Evolution for Image Classifier Architecture Search",
            needs="one objective",
            find_reason=_refuse_evolution,
        ),
        Offer(
            name="nsga2",
            title="NSGA-II",
            summary="Breeds trials of the front, the loneliest first.",
            source="Deb et al. 2002, A Fast and Elitist Multiobjective Genetic Algorithm",
            needs="two objectives or more",
            find_reason=_refuse_nsga2,
            find_caution=_warn_genetic,
        ),
        Offer(
            name="nsga3",
            title="NSGA-III",
            summary="Breeds trials of the front, spread over reference points.",
            source="Deb and Jain 2014, An Evolutionary Many-Objective Optimization Algorithm",
            needs="three objectives or more",
            find_reason=_refuse_nsga3,
            find_caution=_warn_genetic,
        ),
    )
}

PRUNERS: Mapping[Pruner, Offer] = {
    Pruner(offer.name): offer
    for offer in (
        Offer(
            name="successive_halving",
            title="successive halving",
            summary="The better third of the trials trains on at each rung. The one to take in doubt.",
            source="Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning (ASHA)",
            find_caution=_warn_halving,
        ),
        Offer(
            name="hyperband",
            title="Hyperband",
            summary="Successive halving, but a part of the trials is first judged at a later rung.",
            source="Li et al. 2018, Hyperband",
            needs="one objective",
            find_reason=_refuse_with_front,
        ),
        Offer(
            name="median",
            title="median",
            summary="Ends what is below the median of finished trials at the same epoch; after five trials.",
            source="Golovin et al. 2017, Google Vizier",
            needs="one objective",
            find_reason=_refuse_with_front,
        ),
        Offer(
            name="percentile",
            title="upper quarter",
            summary="Like the median, but only the best quarter trains on.",
            source="Optuna's PercentilePruner, 25",
            needs="one objective",
            find_reason=_refuse_with_front,
        ),
        Offer(
            name="patient",
            title="patient median",
            summary="Like the median, but only what has stopped rising between two rungs is ended.",
            source="Optuna's PatientPruner around the median, patience 1",
            needs="one objective",
            find_reason=_refuse_with_front,
        ),
        Offer(
            name="wilcoxon",
            title="Wilcoxon",
            summary="Ends what is worse than the best trial by a signed-rank test over folds.",
            source="Optuna's WilcoxonPruner, p 0.1",
            needs="independent folds, one objective",
            find_reason=_refuse_wilcoxon,
        ),
        Offer(name="none", title="nobody", summary="Every trial trains to its own end."),
    )
}


def list_refused(
    offers: Mapping[Sampler, Offer] | Mapping[Pruner, Offer], situation: Situation
) -> dict[str, str]:
    """The reason of each that is not offered here, by name."""
    reasons = {offer.name: offer.find_reason(situation) for offer in offers.values()}
    return {name: reason for name, reason in reasons.items() if reason}
