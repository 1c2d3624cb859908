"""Train one configuration of any family: the one door for trainers, refits and tests."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Union

import numpy as np

from automl.data.dataset import DataKind
from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared
from automl.errors import DataError, SpecError
from automl.models.catalog import get_family
from automl.models.tabular.target_encoding import LABEL
from automl.training.epoch import Epoch, Verb
from automl.training.folds import Train, train_folds
from automl.training.predictor import load_predictor
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer, training_rows
from automl.training.scoring import check_score
from automl.training.target_encoding import train_encoded

if TYPE_CHECKING:
    from automl.training.image.supernet import Proposal

SUPERNET = "supernet"  # in no catalog: it proposes configurations and is never a result

Training = Generator[Epoch, Verb | None, Union[Trained, "Proposal"]]


def train(prepared: Prepared, task: Task, request: TrainRequest) -> Training:
    """Yield an ``Epoch`` after each epoch, take a ``Verb`` for it, return what was trained.

    ``PRUNE`` and ``STOP`` end the run with the best so far; ``None`` and ``CONTINUE`` go on. Every exit
    (patience, epoch limit, deadline, verb) restores the best epoch. Prepared rows with folds are trained fold by fold
    (``automl.training.folds``), a refit never is. A ``supernet`` returns a ``Proposal``
    instead: configurations to train, no model. Two runs on CPU with the same arguments
    and no deadline give the same numbers. Raises ``TrainingDiverged``, ``DataError`` or
    ``SpecError``; memory that runs out is the driver's to handle.
    """
    if request.family == SUPERNET:
        from automl.training.image.supernet import train_supernet

        return (yield from train_supernet(prepared, task, request))
    around = _find_around(prepared, request)
    if around is not None:
        return (yield from around(prepared, task, request, train))
    family = get_family(request.family)
    if request.max_epochs < 1 or request.batch_size < 2:
        raise SpecError(
            f"{request.max_epochs} epochs of batches of {request.batch_size} rows cannot be trained."
        )
    check_rows(prepared, task, is_refit=request.is_refit)
    if family.name == "pretrained":
        from automl.training.image.pretrained import train_pretrained

        return (yield from train_pretrained(prepared, task, request))
    if family.data == (DataKind.IMAGES,):
        from automl.training.image.run import train_image

        return (yield from train_image(prepared, task, request))
    if family.is_network:
        from automl.training.network import train_network

        return (yield from train_network(prepared, task, request))
    if family.name == "boosting":
        from automl.training.boosting import train_boosting

        return (yield from train_boosting(prepared, task, request))
    if family.name == "lightgbm":
        from automl.training.lightgbm import train_lightgbm

        return (yield from train_lightgbm(prepared, task, request))
    from automl.training.closed_form import train_closed_form

    return (yield from train_closed_form(prepared, task, request))


def _find_around(
    prepared: Prepared, request: TrainRequest
) -> Callable[[Prepared, Task, TrainRequest, Train], Training] | None:
    """What goes on around the training of a family: folds, and within each the encoding of columns by the target."""
    if prepared.folds and not request.is_refit:
        return train_folds
    return train_encoded if LABEL in request.config else None


def check_rows(prepared: Prepared, task: Task, *, is_refit: bool) -> None:
    """Raise ``DataError`` where the rows allow no training or no score."""
    target = prepared.target[training_rows(prepared, is_refit=is_refit)]
    if not len(target):
        raise DataError("The training part has no rows.")
    if task.type is not TaskType.REGRESSION and len(np.unique(target)) < 2:
        raise DataError(
            f"The training part has only one value of {task.target!r}.",
            hint="More rows, or another split, are needed.",
        )
    if not is_refit:
        check_score(build_scorer(prepared, task, prepared.parts[Part.SELECT]))


__all__ = ["TrainRequest", "Trained", "Training", "check_rows", "load_predictor", "train"]
