"""Which models are trained again from scratch, how often, and how long that takes."""

from dataclasses import dataclass

from automl.data.dataset import DataKind
from automl.jobs.records import Trial, TrialState
from automl.models.catalog import FAMILIES
from automl.search.budget import REFIT_OVERHEAD, compute_makespan
from automl.search.context import CoordinatorContext, Sizes
from automl.search.ensemble import Ensemble
from automl.search.ledger import BASELINE, Ledger
from automl.search.spec import SearchSpec

WINNER = "winner"  # what is delivered
SINGLE = "single"  # the best model alone, where an ensemble is delivered
NETWORK = "network"
MEMBER = "member"
SEEDS = 3  # what was searched for is averaged over as many; baselines stay what they are
FINISH_SECONDS = 13.0
FINISH_SECONDS_PER_ROW = 1.5e-4
QUIET_START_SECONDS = 1.2  # of a child process until it reads its data, where nothing else runs
QUIET_SHARE = 0.65  # of the end that is planned for a busy machine


@dataclass(frozen=True, kw_only=True, slots=True)
class Refit:
    """One model that is opened at the end, alone or in the ensemble. ``roles``: winner or single, network, baseline, member."""

    source: Trial
    roles: tuple[str, ...]
    n_seeds: int

    @property
    def epochs(self) -> int:
        """The best epoch of the trial: nothing is left to stop early on.

        A network on pictures that ran to its planned end is trained to the end again: its schedule is a whole,
        and the learning rate that falls towards the end is what makes the last epochs the best.
        """
        source = self.source
        is_image = DataKind.TABLE not in FAMILIES[source.family].data
        if is_image and source.n_epochs >= source.facts.get("horizon", float("inf")):
            return source.n_epochs
        return max(1, source.best_epoch)

    @property
    def is_member_only(self) -> bool:
        """Whether it is trained again for the ensemble alone; else its test results are opened too."""
        return self.roles == (MEMBER,)


def count_seeds(spec: SearchSpec) -> int:
    """Networks behind the final model; one where size or time count, because all of them would predict."""
    return 1 if spec.limits.is_set or spec.has_front else SEEDS


def plan_refits(
    ledger: Ledger, n_seeds: int = SEEDS, ensemble: Ensemble | None = None
) -> tuple[Refit, ...]:
    """Winner, best network and baselines, each once, the winner first; then who is in the ensemble only.

    The ensemble counts where it is better than the best model alone. Who is in it only gets one seed, the
    heaviest first: what a second seed would steady is steadied by the other members.
    """
    weights = ensemble.weights if ensemble is not None and ensemble.is_delivered else {}
    best = SINGLE if weights else WINNER
    roles: dict[int, list[str]] = {}
    for role, trial in ((best, ledger.find_best()), (NETWORK, ledger.find_best_network())):
        if trial is not None:
            roles.setdefault(trial.number, []).append(role)
    for trial in ledger.list_trials(BASELINE):
        if trial.state is TrialState.COMPLETE:
            roles.setdefault(trial.number, []).append(BASELINE)
    for number in weights:
        roles.setdefault(number, []).append(MEMBER)
    return tuple(
        Refit(
            source=ledger[number],
            roles=tuple(names),
            n_seeds=n_seeds if names != [MEMBER] and _is_averaged(ledger[number]) else 1,
        )
        for number, names in roles.items()
    )


def _is_averaged(trial: Trial) -> bool:
    """Whether several seeds make a mean: not where a seed changes nothing, and baselines stay what they are."""
    return trial.stage != BASELINE and FAMILIES[trial.family].is_seeded


def compute_refit_seconds(source: Trial, epochs: int, sizes: Sizes) -> float:
    """Seconds of one refit: the measured ones, for some of the epochs and for more rows.

    Who trained in a pack knows its share of the pack's time only; a refit trains alone.
    """
    share = epochs / max(1, source.n_epochs)
    growth = sizes.refit / max(1, sizes.train) * source.facts.get("alone_factor", 1.0)
    return (source.fit_seconds or 0.0) * min(1.0, share) * growth + REFIT_OVERHEAD


def estimate_refits(
    ledger: Ledger, context: CoordinatorContext, ensemble: Ensemble | None = None
) -> float:
    """Seconds that all refits take together on the slots of the search; of pictures one seed is planned."""
    is_image = context.spec.data_kind is DataKind.IMAGES
    n_seeds = 1 if is_image else count_seeds(context.spec)
    lengths = [
        compute_refit_seconds(refit.source, refit.epochs, context.sizes)
        for refit in plan_refits(ledger, n_seeds, ensemble)
        for _ in range(refit.n_seeds)
    ]
    return compute_makespan(lengths, len(context.spec.resources.devices)) if lengths else 0.0


def compute_finish_share(start_seconds: float | None) -> float:
    """Share of the planned end that this machine needs, 0.65 to 1; all of it where nothing was measured.

    The end runs in a child process like the one that prepared the rows; ``start_seconds`` is what that one
    took until it read its data. A quiet machine is as quick at the end; a slow or busy one keeps the whole plan.
    """
    if start_seconds is None:
        return 1.0
    return min(1.0, QUIET_SHARE * max(1.0, start_seconds / QUIET_START_SECONDS))


def estimate_finish(sizes: Sizes, predict_seconds: float = 0.0, share: float = 1.0) -> float:
    """Seconds from the last refit to the final state: evaluation, audit, report, bundle.

    ``predict_seconds`` is what all final models take for the select part; the test part and one like the
    select part are still to be predicted. ``share``: how much of the rest this machine needs.
    """
    predicting = predict_seconds * (1 + sizes.test / max(1, sizes.select))
    rest = FINISH_SECONDS + FINISH_SECONDS_PER_ROW * (sizes.refit + sizes.test)
    return share * rest + predicting


def estimate_end(
    ledger: Ledger, context: CoordinatorContext, ensemble: Ensemble | None = None
) -> float:
    """``estimate_finish`` with what the final models of this search take to predict.

    Of tables only what an ensemble has beside the models that are opened anyway: those take next to nothing.
    """
    refits, share = plan_refits(ledger, 1, ensemble), 1.0
    if context.spec.data_kind is not DataKind.IMAGES:
        refits = tuple(refit for refit in refits if refit.is_member_only)
        share = compute_finish_share(context.start_seconds)
    predicting = sum(refit.source.predict_seconds or 0.0 for refit in refits)
    return estimate_finish(context.sizes, predicting, share)
