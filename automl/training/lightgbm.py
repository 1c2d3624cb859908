"""LightGBM's boosted trees, grown round by round until the deadline or until the select part says enough."""

import math
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task
from automl.data.views import Prepared
from automl.models.catalog import resolve_build
from automl.models.tabular.boosting import BITSET_WORDS, TreesModel
from automl.models.tabular.lightgbm import DEFAULT_LEAF_ROWS, compute_leaf_rows, read_trees
from automl.training.device import derive_seed
from automl.training.epoch import Epoch, Verb
from automl.training.request import Trained, TrainRequest
from automl.training.trees import EPOCH_ROUNDS, TreesRun, train_trees

MAX_TREES = 10_000
DEFAULT_ROUNDS = 100  # LightGBM's own
DEFAULT_RATE = 0.1
PATIENCE = 3
MAX_EMPTY_ROUNDS = 10  # columns are drawn at random: one that finds no split does not end it
MOST_SHARE = 0.25  # of the time that is left, for one searched configuration: there is more to try
PATIENCE_RATE = 3.0  # small steps need more of them: the rates of the waiting rounds add up to this


class LightGBMRun(TreesRun):
    """A booster and its rows; with an empty configuration it grows ``DEFAULT_ROUNDS`` in one epoch."""

    def __init__(self, prepared: Prepared, task: Task, request: TrainRequest) -> None:
        super().__init__(prepared, task, request)
        self.rounds = EPOCH_ROUNDS if request.config else DEFAULT_ROUNDS
        self.patience = max(PATIENCE, math.ceil(PATIENCE_RATE / self.learning_rate / self.rounds))
        is_searched = bool(request.config) and not request.is_refit
        self.most_seconds = self.clock.remaining * (MOST_SHARE if is_searched else 1.0)
        self.n_empty = 0
        is_regression = self.n_classes == 0
        classes = np.unique(self.target)[: 0 if is_regression else None].astype(np.int64)
        self.mean = prepared.target_mean if is_regression else 0.0
        self.scale = prepared.target_scale if is_regression else 1.0
        n_outputs = len(classes) if len(classes) > 2 else 1
        most = max(1, MAX_TREES // (self.rounds * n_outputs))
        self.n_epochs = min(request.max_epochs, most) if request.config else 1
        self.booster = resolve_build(request.family)(
            request.config,
            self.matrix,
            self._compute_label(classes),
            weight=self.weight,
            n_codes=prepared.views.codes.shape[1],
            n_classes=len(classes),
            seed=derive_seed(request.seed, 0) % 2**31,
            threads=request.threads,
        )
        self.model = self._build_model(classes, n_outputs)
        self._say_small_leaves()

    def _compute_label(self, classes: NDArray[np.int64]) -> NDArray[Any]:
        """Classes of training counted from 0, or standardised values."""
        if self.n_classes:
            return np.searchsorted(classes, self.target)
        return np.asarray((self.target - self.mean) / self.scale)

    def _build_model(self, classes: NDArray[np.int64], n_outputs: int) -> TreesModel:
        """A model without trees; codes are read as they are, so no level is mapped."""
        n_columns = self.matrix.shape[1]
        return TreesModel(
            baseline=np.full(n_outputs, self.mean),
            levels=(),
            trees=(),
            known_bitsets=np.zeros((n_columns, BITSET_WORDS), dtype=np.uint32),
            column_map=np.arange(n_columns, dtype=np.uint32),
            limits=self.limits,
            classes=classes,
            n_classes=self.n_classes,
            threads=self.request.threads,
            family=self.request.family,
        )

    def _say_small_leaves(self) -> None:
        wanted = int(self.request.config.get("min_data_in_leaf", DEFAULT_LEAF_ROWS))
        needed = compute_leaf_rows(self.request.config, len(self.matrix))
        if needed < wanted:
            self.warnings.append(
                f"A leaf needs {needed} rows instead of {wanted}: there are only {len(self.matrix)} to learn from."
            )

    @property
    def learning_rate(self) -> float:
        return float(self.request.config.get("learning_rate", DEFAULT_RATE))

    @property
    def is_exhausted(self) -> bool:
        return self.n_empty >= MAX_EMPTY_ROUNDS

    def grow(self, epoch: int) -> None:
        """Add the rounds of an epoch; fewer where the time is over or no leaf can be split any more."""
        first = self.booster.current_iteration()
        wanted, is_first = epoch * self.rounds, True
        while self.booster.current_iteration() < wanted and not self.is_exhausted:
            if self.clock.is_over and not is_first:
                break
            self.n_empty = self.n_empty + 1 if self.booster.update() else 0
            is_first = False
        n_rounds = self.booster.current_iteration()
        model = self.require_model()
        if n_rounds > first:
            trees = read_trees(self.booster, first, scale=self.scale)
            self.model = replace(model, trees=model.trees + trees)
        if n_rounds < wanted and not self.is_exhausted and self.n_epochs == 1:
            self.warnings.append(f"Time ran out after {n_rounds} of {wanted} rounds.")

    def has_time(self) -> bool:
        return self.clock.seconds < self.most_seconds and not self.clock.is_over


def train_lightgbm(
    prepared: Prepared, task: Task, request: TrainRequest
) -> Generator[Epoch, Verb | None, Trained]:
    """Train LightGBM's trees; see ``automl.training.run.train``."""
    return (yield from train_trees(LightGBMRun(prepared, task, request)))
