"""The target as networks learn it, and how their outputs become answers again."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automl.data.task import Task, TaskType
from automl.data.views import Prepared
from automl.models.tabular.network_model import TargetScale


def encode_target(prepared: Prepared, task: Task, rows: NDArray[np.int64]) -> Tensor:
    """Classes as int64, or standardised values as float32, ``(n,)``."""
    target = prepared.target[rows]
    if task.type is not TaskType.REGRESSION:
        return torch.tensor(target, dtype=torch.int64)
    scaled = (target - prepared.target_mean) / prepared.target_scale
    return torch.tensor(scaled, dtype=torch.float32)


def build_scale(prepared: Prepared, task: Task, rows: NDArray[np.int64]) -> TargetScale:
    """How outputs are read; a regression is clamped to the range of these training rows."""
    if task.type is not TaskType.REGRESSION:
        return TargetScale(is_regression=False)
    target = prepared.target[rows]
    return TargetScale(
        is_regression=True,
        mean=prepared.target_mean,
        scale=prepared.target_scale,
        low=float(target.min()),
        high=float(target.max()),
    )
