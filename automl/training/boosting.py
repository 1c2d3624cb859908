"""scikit-learn's boosted trees, grown by warm starts.

Measured on 22,800 rows and 500 rounds of 31 leaves, one thread: one fit 1.0 s, warm starts of 50 rounds 2.3 s,
of 25 rounds 3.7 s, because every warm start bins the rows again and walks all earlier trees. So fits grow
(25, 50, 100 … rounds) while epochs stay small: their scores come from the trees of one fit, one after another.
"""

from collections.abc import Generator

from threadpoolctl import threadpool_limits

from automl.data.task import Task
from automl.data.views import Prepared
from automl.models.catalog import resolve_build
from automl.models.tabular.boosting import build_trees_model
from automl.training.device import derive_seed
from automl.training.epoch import Epoch, Verb
from automl.training.request import Trained, TrainRequest
from automl.training.trees import EPOCH_ROUNDS, TreesRun, train_trees

MAX_EPOCHS = 40
MAX_FIT_EPOCHS = 4
PATIENCE = 3
MAX_FIT_SECONDS = 4.0


class BoostingRun(TreesRun):
    """An estimator and its rows; with an empty configuration the library fits alone, in one epoch."""

    patience = PATIENCE

    def __init__(self, prepared: Prepared, task: Task, request: TrainRequest) -> None:
        super().__init__(prepared, task, request)
        self.n_epochs = min(request.max_epochs, MAX_EPOCHS) if request.config else 1
        self.n_fitted = 0
        self.epoch_seconds = 0.0
        self.estimator = resolve_build(request.family)(
            request.config,
            n_columns=self.matrix.shape[1],
            n_codes=prepared.views.codes.shape[1],
            is_regression=self.n_classes == 0,
            seed=derive_seed(request.seed, 0) % 2**32,
        )

    @property
    def learning_rate(self) -> float:
        return float(self.estimator.learning_rate)

    def grow(self, epoch: int) -> None:
        if epoch <= self.n_fitted:
            return
        started = self.clock.seconds
        n_fit = min(self._count_fit_epochs(), self.n_epochs - self.n_fitted)
        self._fit((self.n_fitted + n_fit) * EPOCH_ROUNDS if self.request.config else None)
        self.n_fitted += n_fit
        self.epoch_seconds = (self.clock.seconds - started) / n_fit

    def has_time(self) -> bool:
        return self.clock.remaining >= self.epoch_seconds

    def _fit(self, n_rounds: int | None) -> None:
        """Fit up to ``n_rounds`` rounds in all; None leaves their number to the library."""
        if n_rounds is not None:
            self.estimator.set_params(max_iter=n_rounds)
        with threadpool_limits(limits=self.request.threads, user_api="openmp"):
            self.estimator.fit(self.matrix, self.target, sample_weight=self.weight)
        if n_rounds is None:
            self.rounds = int(self.estimator.n_iter_)
        self.model = build_trees_model(
            self.estimator,
            limits=self.limits,
            n_classes=self.n_classes,
            threads=self.request.threads,
        )

    def _count_fit_epochs(self) -> int:
        """Epochs to fit in one go: at most what was fitted so far, and never long enough to miss a deadline."""
        if self.n_fitted == 0 or self.epoch_seconds <= 0:
            return 1
        seconds = min(MAX_FIT_SECONDS, self.clock.remaining)
        return max(1, min(self.n_fitted, MAX_FIT_EPOCHS, int(seconds / self.epoch_seconds)))


def train_boosting(
    prepared: Prepared, task: Task, request: TrainRequest
) -> Generator[Epoch, Verb | None, Trained]:
    """Train boosted trees; see ``automl.training.run.train``."""
    return (yield from train_trees(BoostingRun(prepared, task, request)))
