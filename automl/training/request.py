"""What a training is asked to do, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automl.space.dimensions import Config
from automl.training.predictor import Predictor, save_predictor


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainRequest:
    """One configuration to train.

    ``max_epochs`` bounds the run and is its exact length when ``is_refit`` (train and select rows, no early
    stop, no score). ``deadline`` is a ``time.monotonic()`` instant: a run that reaches it keeps its best and
    finishes. ``threads`` is set for torch and OpenMP.
    """

    family: str
    config: Config
    seed: int
    batch_size: int
    max_epochs: int
    is_refit: bool = False
    deadline: float | None = None
    device: str = "cpu"
    threads: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """A fitted model and how it came about.

    ``score`` is the primary metric of the best epoch on the select part, higher is better, and ``metrics``
    are further select metrics in their own direction; a refit has neither. ``select_prediction`` is
    ``(n_select, K)`` probabilities or ``(n_select,)`` values, empty for a refit. ``fit_seconds`` leaves out
    the time spent waiting for the driver. ``peak_memory_bytes`` is the device's own on a GPU, else the
    process's peak.
    """

    score: float | None
    metrics: Mapping[str, float]
    n_parameters: int
    best_epoch: int
    n_epochs: int
    fit_seconds: float
    predict_seconds: float
    peak_memory_bytes: int
    select_prediction: NDArray[np.float64]
    predictor: Predictor
    was_pruned: bool = False
    warnings: tuple[str, ...] = field(default=())

    def save(self, folder: Path) -> None:
        """Write ``model.json`` and ``model.safetensors`` into ``folder``, which is created."""
        save_predictor(self.predictor, folder)
