"""Losses of one row, and their mean with row weights.

Classification takes raw outputs (logits), never a softmax; regression takes the standardised target. Weights
are normalised to mean 1 over the training rows, once; a batch then takes the plain mean of loss times weight,
so the gradient of a weighted batch is unbiased and the learning rate keeps its meaning.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from automl.data.task import Task, TaskType
from automl.errors import SpecError
from automl.models.tabular.loss_config import ClassWeights, LossConfig

TINY = 1e-6  # keeps the slope of (1 - p)^gamma finite at p = 1, gamma < 1
_CLASSES = ("cross_entropy", "smoothed", "focal")


def compute_loss(
    config: LossConfig, output: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Mean loss of a batch; ``weight`` ``(n,)`` has mean 1 over all training rows.

    Shape: output ``(n, K)``, target int64 ``(n,)``; or output ``(n, 1)``, target float ``(n,)``
    """
    losses = compute_row_losses(config, output, target)
    return losses.mean() if weight is None else (losses * weight).mean()


def compute_row_losses(config: LossConfig, output: Tensor, target: Tensor) -> Tensor:
    """Loss of every row, unweighted. Shape: see ``compute_loss``; result ``(n,)``."""
    if config.name in _CLASSES:
        return _compute_class_losses(config, output, target)
    residual = output[:, 0] - target
    match config.name:
        case "mse":
            return residual.square()
        case "mae":
            return residual.abs()
        case "huber":
            return functional.huber_loss(output[:, 0], target, reduction="none", delta=config.delta)
        case "log_cosh":  # ln cosh r without overflow; even in r, so |r| keeps softplus small
            size = residual.abs()
            return size + functional.softplus(-2 * size) - math.log(2)
        case "pinball":  # below the target costs tau, above it 1 - tau
            return torch.maximum(-config.tau * residual, (1 - config.tau) * residual)
    raise SpecError(f"There is no loss {config.name!r}.")


def _compute_class_losses(config: LossConfig, output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy, smoothed (eps/K on all classes), or focal (Lin et al. 2017, without alpha)."""
    if config.name != "focal":
        return functional.cross_entropy(
            output, target, reduction="none", label_smoothing=config.smoothing
        )
    entropy = functional.cross_entropy(output, target, reduction="none")
    doubt = (-torch.expm1(-entropy)).clamp_min(TINY)  # 1 - p of the true class
    return doubt**config.gamma * entropy


def check_loss(config: LossConfig, task: Task) -> None:
    """Raise ``SpecError`` where a loss is none for this type of task."""
    is_regression = task.type is TaskType.REGRESSION
    if (config.name in _CLASSES) is is_regression:
        raise SpecError(f"The loss {config.name!r} does not fit a {task.type} task.")
    if is_regression and config.class_weights is not ClassWeights.NONE:
        raise SpecError(f"{task.target!r} is a number and has no classes to weigh.")


def compute_row_weights(
    config: LossConfig, target: NDArray[np.generic], given: NDArray[np.float64] | None = None
) -> NDArray[np.float32] | None:
    """Given weights times class weights of the training rows, mean 1; None where all rows count the same.

    Balanced: n / n_k of the row's class (weighted counts where weights are given); sqrt: its root.
    """
    if config.class_weights is ClassWeights.NONE:
        return None if given is None else normalise(given)
    own = np.ones(len(target)) if given is None else given
    classes = target.astype(np.int64)
    counts = np.bincount(classes, weights=own)
    power = 0.5 if config.class_weights is ClassWeights.SQRT else 1.0
    factor = (own.sum() / np.where(counts > 0, counts, own.sum())) ** power
    return normalise(own * factor[classes])


def normalise(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """The same weights with mean 1, as float32."""
    return np.asarray(weights / weights.mean(), dtype=np.float32)
