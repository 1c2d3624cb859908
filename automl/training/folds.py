"""One configuration trained once per fold, one fold after the other; its score is that of all rows together.

Every row is predicted by the one model that has neither learned from it nor stopped by it (``automl.data.folds``), and
the metric is computed once over these predictions. So early stopping does not flatter the score; choosing the best of
many configurations by it still does.
"""

import math
import statistics
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task
from automl.data.views import Prepared
from automl.training.epoch import Epoch, Verb
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer

ENDS = (Verb.PRUNE, Verb.STOP)
Train = Callable[[Prepared, Task, TrainRequest], Generator[Epoch, Verb | None, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldResult:
    """What a fold gave: its model, its rows, and what it predicts for them in so many seconds."""

    trained: Trained
    rows: NDArray[np.int64]
    prediction: NDArray[np.float64]
    seconds: float


def train_folds(
    prepared: Prepared, task: Task, request: TrainRequest, train: Train
) -> Generator[Epoch, Verb | None, Trained]:
    """Train every fold with ``train``; yield its epochs, and a report that closes it.

    The time to the deadline is divided evenly among the folds that are left. A verb that ends the training, or a
    deadline, before the last fold leaves rows without a prediction: the trial then counts as pruned, its score is that
    of the folds so far. ``best_epoch`` is the median over the folds, ``n_epochs`` and ``fit_seconds`` are sums,
    ``predictor`` is the model of the first fold, ``select_prediction`` has the rows of ``Prepared.judged``.
    """
    results: list[FoldResult] = []
    n_folds, verb = len(prepared.folds), None
    for number, fold in enumerate(prepared.folds, start=1):
        share = replace(request, deadline=_share(request.deadline, n_folds - number + 1))
        result, verb, last = yield from _train_fold(fold, number, task, share, train)
        results.append(result)
        if verb in ENDS:
            break
        verb = yield replace(
            last,
            seconds=0.0,
            is_best=False,
            closes_fold=True,
            fold_score=_score(fold, task, result),
        )
        if verb in ENDS or _is_over(request.deadline):
            break
    return _sum_up(prepared, task, results, is_told=verb is Verb.PRUNE)


def _train_fold(
    fold: Prepared, number: int, task: Task, request: TrainRequest, train: Train
) -> Generator[Epoch, Verb | None, tuple[FoldResult, Verb | None, Epoch]]:
    """One fold; the verb that ended it, if one did, and its last epoch."""
    steps = train(fold, task, request)
    epoch, verb = next(steps), None
    while True:
        epoch = replace(epoch, fold=number)
        verb = yield epoch
        try:
            following = steps.send(verb)
        except StopIteration as end:
            return _predict(fold, end.value), verb, epoch
        epoch = following


def _predict(fold: Prepared, trained: Trained) -> FoldResult:
    if fold.held is None:
        raise ValueError("a fold must say which rows it predicts")
    rows = np.asarray(fold.held)
    started = time.perf_counter()
    prediction = trained.predictor.predict(fold.views.take(rows))
    seconds = time.perf_counter() - started
    return FoldResult(trained=trained, rows=rows, prediction=prediction, seconds=seconds)


def _score(fold: Prepared, task: Task, result: FoldResult) -> float | None:
    score = build_scorer(fold, task, result.rows).compute_score(result.prediction)
    return score if math.isfinite(score) else None


def _share(deadline: float | None, n_left: int) -> float | None:
    now = time.monotonic()
    return None if deadline is None else now + (deadline - now) / n_left


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _sum_up(
    prepared: Prepared, task: Task, results: Sequence[FoldResult], *, is_told: bool
) -> Trained:
    """One record of all folds that were trained."""
    rows = np.concatenate([result.rows for result in results])
    order = np.argsort(rows)
    prediction = np.concatenate([result.prediction for result in results])[order]
    scorer = build_scorer(prepared, task, rows[order])
    trained = [result.trained for result in results]
    n_folds = len(prepared.folds)
    cut = f"Only {len(results)} of {n_folds} folds were trained."
    texts = dict.fromkeys(text for each in trained for text in each.warnings)
    return Trained(
        score=scorer.compute_score(prediction),
        metrics=scorer.compute_metrics(prediction),
        n_parameters=trained[0].n_parameters,
        best_epoch=round(statistics.median(each.best_epoch for each in trained)),
        n_epochs=sum(each.n_epochs for each in trained),
        fit_seconds=sum(each.fit_seconds for each in trained),
        predict_seconds=sum(result.seconds for result in results),
        peak_memory_bytes=max(each.peak_memory_bytes for each in trained),
        select_prediction=prediction,
        predictor=trained[0].predictor,
        was_pruned=is_told or len(results) < n_folds,
        warnings=(*texts, *([cut] if len(results) < n_folds and not is_told else [])),
    )
