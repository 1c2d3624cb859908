"""Predictions of every training row by a model that never saw it: one configuration, one training per fold."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from automl.data.views import Prepared
from automl.search.spec import SearchSpec
from automl.training.epoch import Epoch
from automl.training.request import Trained, TrainRequest
from automl.training.run import Training, train

WORDS = "Predicting every row by a model that never saw it"
BEFORE, AFTER = 0.05, 0.95  # shares of the work around the trainings


def predict_out_of_fold(
    prepared: Prepared,
    spec: SearchSpec,
    family: str,
    epochs: int,
    report: Callable[[float, str], None],
) -> NDArray[np.float64]:
    """``(n, K)`` probabilities or ``(n,)`` values for the rows of ``prepared.judged``, by the default configuration.

    ``prepared`` has folds; ``epochs`` bounds each training. ``report`` is told the share that is done.
    """
    request = TrainRequest(
        family=family,
        config={},
        seed=spec.seed,
        batch_size=spec.resources.batch_size,
        max_epochs=epochs,
        threads=spec.resources.threads,
    )
    rows, predicted = [], []
    for number, fold in enumerate(prepared.folds):

        def tell(share: float, number: int = number) -> None:
            done = (number + share) / len(prepared.folds)
            report(BEFORE + (AFTER - BEFORE) * done, WORDS)

        trained = _run(train(fold, spec.task, request), epochs, tell)
        held = np.asarray(fold.held)
        rows.append(held)
        predicted.append(trained.predictor.predict(fold.views.take(held)))
    return np.concatenate(predicted)[np.argsort(np.concatenate(rows))]


def _run(steps: Training, epochs: int, tell: Callable[[float], None]) -> Trained:
    tell(0.0)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            trained = end.value
            if not isinstance(trained, Trained):
                raise TypeError(f"{type(trained).__name__} is no trained model") from end
            return trained
        if isinstance(step, Epoch):  # a network on pictures is measured before the first
            tell(min(1.0, step.number / epochs))
