"""Which models are trained again from scratch, how often, and how long that takes."""

from dataclasses import dataclass

from automl.jobs.records import Trial, TrialState
from automl.search.budget import REFIT_OVERHEAD, compute_makespan
from automl.search.context import CoordinatorContext, Sizes
from automl.search.ledger import BASELINE, Ledger

SEEDS = 3  # what was searched for is averaged over as many; baselines stay what they are
FINISH_SECONDS = 13.0
FINISH_SECONDS_PER_ROW = 1.5e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class Refit:
    """One model that is opened at the end. ``roles``: winner, network, baseline."""

    source: Trial
    roles: tuple[str, ...]
    n_seeds: int

    @property
    def epochs(self) -> int:
        """The best epoch of the trial: nothing is left to stop early on."""
        return max(1, self.source.best_epoch)


def plan_refits(ledger: Ledger, n_seeds: int = SEEDS) -> tuple[Refit, ...]:
    """Winner, best network and baselines, each once, the winner first."""
    roles: dict[int, list[str]] = {}
    for role, trial in (("winner", ledger.find_best()), ("network", ledger.find_best_network())):
        if trial is not None:
            roles.setdefault(trial.number, []).append(role)
    for trial in ledger.list_trials(BASELINE):
        if trial.state is TrialState.COMPLETE:
            roles.setdefault(trial.number, []).append("baseline")
    return tuple(
        Refit(
            source=ledger[number],
            roles=tuple(names),
            n_seeds=1 if ledger[number].stage == BASELINE else n_seeds,
        )
        for number, names in roles.items()
    )


def compute_refit_seconds(refit: Refit, sizes: Sizes) -> float:
    """Seconds of one refit: the measured ones, for the best epoch only and for more rows."""
    source = refit.source
    share = refit.epochs / max(1, source.n_epochs)
    growth = sizes.refit / max(1, sizes.train)
    return (source.fit_seconds or 0.0) * min(1.0, share) * growth + REFIT_OVERHEAD


def estimate_refits(ledger: Ledger, context: CoordinatorContext, n_seeds: int = SEEDS) -> float:
    """Seconds that all refits take together on the slots of the search."""
    lengths = [
        compute_refit_seconds(refit, context.sizes)
        for refit in plan_refits(ledger, n_seeds)
        for _ in range(refit.n_seeds)
    ]
    return compute_makespan(lengths, len(context.spec.resources.devices)) if lengths else 0.0


def estimate_finish(sizes: Sizes) -> float:
    """Seconds from the last refit to the final state: evaluation, audit, report, bundle."""
    return FINISH_SECONDS + FINISH_SECONDS_PER_ROW * (sizes.refit + sizes.test)
