"""Optuna's samplers and pruners as we set them up; imported by the study only, because Optuna is."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping

import optuna

from automl.search.offers import GENETIC_POPULATION, Pruner, Sampler
from automl.search.rungs import FACTOR, MOST_EPOCHS
from automl.search.spec import SearchSpec
from automl.space.dimensions import Int, Space

N_STARTUP_TRIALS = 6  # of each family, the start list among them
FIRST_GENETIC_TRIAL = 250  # TPE before, NSGA-II from here on, with several objectives
UPPER_PERCENTILE = 25.0
PATIENCE_RUNGS = 1
P_VALUE = 0.1

# They learn from what all trials have in common, so branches that were not chosen are proposed as well.
OPEN_SAMPLERS = (Sampler.GP, Sampler.NSGA2, Sampler.NSGA3)


def build_sampler(spec: SearchSpec, seed: int, n_asked: int) -> optuna.samplers.BaseSampler:
    """Who proposes next, seeded for this one ask; our own samplers need Optuna to draw nothing."""
    is_late = spec.sampler is Sampler.TPE and spec.has_front and n_asked >= FIRST_GENETIC_TRIAL
    if spec.sampler is Sampler.NSGA2 or is_late:
        return optuna.samplers.NSGAIISampler(population_size=GENETIC_POPULATION, seed=seed)
    if spec.sampler is Sampler.NSGA3:
        with (
            warnings.catch_warnings()
        ):  # "experimental" since 2023; the suite of all samplers watches it
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.NSGAIIISampler(population_size=GENETIC_POPULATION, seed=seed)
    if spec.sampler is Sampler.TPE:
        return optuna.samplers.TPESampler(n_startup_trials=N_STARTUP_TRIALS, seed=seed)
    if spec.sampler is Sampler.GP:
        return optuna.samplers.GPSampler(
            n_startup_trials=N_STARTUP_TRIALS, seed=seed, warn_independent_sampling=False
        )
    return optuna.samplers.RandomSampler(seed=seed)  # a grid's points are all given, none sampled


def build_pruner(spec: SearchSpec, first_rung: int) -> optuna.pruners.BasePruner:
    """Who ends trials at rungs; nobody with several objectives, where fronts decide.

    ``first_rung`` (epochs, or folds) is the smallest resource of successive halving.
    """
    pruners = optuna.pruners
    if spec.has_front:
        return pruners.NopPruner()
    match spec.pruner:
        case Pruner.SUCCESSIVE_HALVING:
            return pruners.SuccessiveHalvingPruner(min_resource=first_rung, reduction_factor=FACTOR)
        case Pruner.HYPERBAND:
            return pruners.HyperbandPruner(
                min_resource=first_rung,
                max_resource=spec.folds or compute_most_resource(spec.spaces, first_rung),
                reduction_factor=FACTOR,
            )
        case Pruner.MEDIAN:
            return pruners.MedianPruner()
        case Pruner.PERCENTILE:
            return pruners.PercentilePruner(UPPER_PERCENTILE)
        case Pruner.PATIENT:
            with _allow_experimental():
                return pruners.PatientPruner(pruners.MedianPruner(), patience=PATIENCE_RUNGS)
        case Pruner.WILCOXON:
            with _allow_experimental():
                return pruners.WilcoxonPruner(p_threshold=P_VALUE)
        case Pruner.NONE:
            return pruners.NopPruner()


def compute_most_resource(spaces: Mapping[str, Space], first_rung: int) -> int:
    """The last rung (epochs) that a network of these spaces can reach, plus one.

    Hyperband counts its brackets by a logarithm of floats (log₃ 243 = 4.999…), which the one more keeps right.
    """
    ends = [each.high for space in spaces.values() if isinstance(each := space.get("epochs"), Int)]
    horizon = min(max(ends, default=MOST_EPOCHS), MOST_EPOCHS)
    last = first_rung
    while last * FACTOR < horizon:
        last *= FACTOR
    return last + 1


@contextlib.contextmanager
def _allow_experimental() -> Iterator[None]:
    """Optuna has called some of its parts experimental for years; one suite of tests watches all of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
