"""The constant and the linear family: fitted at once, one epoch."""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared
from automl.models.catalog import resolve_build
from automl.models.tabular.config import read
from automl.training.clock import WorkClock
from automl.training.device import compute_peak_memory
from automl.training.epoch import Epoch, Verb
from automl.training.predictor import Predictor
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer, get_weight, training_rows


def train_closed_form(
    prepared: Prepared, task: Task, request: TrainRequest
) -> Generator[Epoch, Verb | None, Trained]:
    """Fit in one go; see ``automl.training.run.train``. The deadline cannot cut a fit of this kind."""
    clock = WorkClock(request.deadline)
    rows = training_rows(prepared, is_refit=request.is_refit)
    select = prepared.parts[Part.SELECT][: 0 if request.is_refit else None]
    # trainers side by side whose matrix products take every core wait for each other most of the time
    with threadpool_limits(limits=request.threads):
        model, n_parameters, warnings = _fit(prepared, task, request, rows)
    fit_seconds = clock.seconds
    prediction = model.predict(prepared.views.take(select))
    predict_seconds = clock.seconds - fit_seconds
    scorer = build_scorer(prepared, task, select)
    score, loss = None, None
    if not request.is_refit:
        score, loss = scorer.compute_score(prediction), scorer.compute_loss(prediction)
    fitted = model.predict(prepared.views.take(rows))
    clock.pause()
    verb = yield Epoch(
        number=1,
        train_loss=build_scorer(prepared, task, rows).compute_loss(fitted),
        select_loss=loss,
        score=score,
        learning_rate=0.0,
        seconds=clock.seconds,
        is_best=True,
    )
    return Trained(
        score=score,
        metrics={} if request.is_refit else scorer.compute_metrics(prediction),
        n_parameters=n_parameters,
        best_epoch=1,
        n_epochs=1,
        fit_seconds=fit_seconds,
        predict_seconds=predict_seconds,
        peak_memory_bytes=compute_peak_memory(),
        select_prediction=prediction,
        predictor=model,
        was_pruned=verb is Verb.PRUNE,
        warnings=warnings,
    )


def _fit(
    prepared: Prepared, task: Task, request: TrainRequest, rows: NDArray[np.int64]
) -> tuple[Predictor, int, tuple[str, ...]]:
    build = resolve_build(request.family)
    target = np.asarray(prepared.target[rows])
    n_classes = 0 if task.type is TaskType.REGRESSION else len(task.classes)
    if request.family == "constant":
        constant = build(target, n_classes, get_weight(prepared, rows))
        return constant, max(1, n_classes - 1), ()
    linear = build(
        prepared.views.take(rows),
        target,
        strength=read(request.config, "C", float),
        n_classes=n_classes,
        cardinalities=prepared.shape.cardinalities,
        row_weight=get_weight(prepared, rows),
    )
    return linear, int(np.count_nonzero(linear.weight) + linear.bias.size), linear.warnings
