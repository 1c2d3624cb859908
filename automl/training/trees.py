"""What all boosted trees share: epochs of ``EPOCH_ROUNDS`` rounds, scored on the select part and stopped there."""

from abc import ABC, abstractmethod
from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared
from automl.models.tabular.boosting import TreesModel, build_matrix
from automl.training.clock import WorkClock
from automl.training.device import compute_peak_memory
from automl.training.epoch import Epoch, Verb
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer, get_weight, training_rows

EPOCH_ROUNDS = 25
TRAIN_LOSS_ROWS = 4096


class TreesRun(ABC):
    """Rows of a training and the trees grown so far; a subclass grows them.

    ``n_epochs`` bounds the run, ``patience`` are epochs without a gain, ``rounds`` are those of an epoch.
    """

    n_epochs: int
    patience: int
    rounds: int = EPOCH_ROUNDS

    def __init__(self, prepared: Prepared, task: Task, request: TrainRequest) -> None:
        rows = training_rows(prepared, is_refit=request.is_refit)
        select = prepared.parts[Part.SELECT][: 0 if request.is_refit else None]
        is_regression = task.type is TaskType.REGRESSION
        self.request = request
        self.clock = WorkClock(request.deadline)
        self.warnings: list[str] = []
        self.matrix = build_matrix(prepared.views.take(rows))
        self.target = prepared.target[rows]
        weight = get_weight(prepared, rows)
        self.weight = None if weight is None else weight / weight.mean()
        self.select_matrix = build_matrix(prepared.views.take(select))
        self.scorer = build_scorer(prepared, task, select)
        sample = np.linspace(0, len(rows) - 1, min(len(rows), TRAIN_LOSS_ROWS)).astype(np.int64)
        self.sample_matrix = self.matrix[sample]
        self.sample_scorer = build_scorer(prepared, task, rows[sample])
        self.n_classes = 0 if is_regression else len(task.classes)
        self.limits = (
            np.array([self.target.min(), self.target.max()], dtype=np.float64)
            if is_regression
            else np.array([0.0, 1.0])
        )
        self.model: TreesModel | None = None
        self.select_raw = np.zeros((len(select), 0))
        self.sample_raw = np.zeros((len(sample), 0))

    @property
    @abstractmethod
    def learning_rate(self) -> float:
        """The factor of every tree."""

    @abstractmethod
    def grow(self, epoch: int) -> None:
        """See to it that ``model`` has the trees of an epoch; the first one always gets some."""

    @abstractmethod
    def has_time(self) -> bool:
        """Whether the deadline allows another epoch."""

    @property
    def is_exhausted(self) -> bool:
        """Whether no further tree can be grown."""
        return False

    def add_epoch(self, epoch: int) -> NDArray[np.float64]:
        """The prediction for the select rows after an epoch, given that after the one before."""
        model = self.require_model()
        if epoch == 1:
            self.select_raw = np.tile(model.baseline, (len(self.select_matrix), 1))
            self.sample_raw = np.tile(model.baseline, (len(self.sample_matrix), 1))
        first, part = (epoch - 1) * self.rounds, model.truncate(epoch * self.rounds)
        part.add_rounds(self.select_raw, self.select_matrix, first)
        part.add_rounds(self.sample_raw, self.sample_matrix, first)
        return model.link(self.select_raw)

    def require_model(self) -> TreesModel:
        """The trees grown so far."""
        if self.model is None:
            raise RuntimeError("no round was fitted")
        return self.model


def train_trees(run: TreesRun) -> Generator[Epoch, Verb | None, Trained]:
    """Grow epoch after epoch; see ``automl.training.run.train``.

    ``train_loss`` is that of at most ``TRAIN_LOSS_ROWS`` training rows.
    """
    request, clock = run.request, run.clock
    best_epoch, best_score, number = 0, -float("inf"), 0
    verb: Verb | None = None
    while number < run.n_epochs:
        started = clock.seconds
        number += 1
        run.grow(number)
        prediction = run.add_epoch(number)
        score, loss = None, None
        if not request.is_refit:
            score, loss = run.scorer.compute_score(prediction), run.scorer.compute_loss(prediction)
        is_best = score is None or best_epoch == 0 or score > best_score
        if is_best:
            best_epoch, best_score = number, -float("inf") if score is None else score
        train_loss = run.sample_scorer.compute_loss(run.require_model().link(run.sample_raw))
        clock.pause()
        verb = yield Epoch(
            number=number,
            train_loss=train_loss,
            select_loss=loss,
            score=score,
            learning_rate=run.learning_rate,
            seconds=clock.seconds - started,
            is_best=is_best,
        )
        clock.resume()
        is_stale = number - best_epoch >= run.patience
        if (
            verb in (Verb.PRUNE, Verb.STOP)
            or is_stale
            or (run.is_exhausted and not request.is_refit)
        ):
            break
        if number < run.n_epochs and not run.has_time():
            run.warnings.append(f"Time ran out in epoch {number} of {run.n_epochs}.")
            break
    model = run.require_model().truncate(best_epoch * run.rounds)
    fit_seconds = clock.seconds
    prediction = model.link(model.compute_raw(run.select_matrix))
    return Trained(
        score=None if request.is_refit else best_score,
        metrics={} if request.is_refit else run.scorer.compute_metrics(prediction),
        n_parameters=model.n_nodes,
        best_epoch=best_epoch,
        n_epochs=number,
        fit_seconds=fit_seconds,
        predict_seconds=clock.seconds - fit_seconds,
        peak_memory_bytes=compute_peak_memory(),
        select_prediction=prediction,
        predictor=model,
        was_pruned=verb is Verb.PRUNE,
        warnings=tuple(run.warnings),
    )
