"""The rows of a pack: on the device once, for all members that read them alike."""

import torch
from torch import Tensor

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.models.tabular.config import ColumnConfig, parse_columns
from automl.models.tabular.inputs import Batch, TabularInput, build_batch
from automl.models.tabular.loss_config import ClassWeights, LossConfig
from automl.models.tabular.packed.inputs import PackRows
from automl.space.dimensions import Config
from automl.training.losses import compute_row_weights
from automl.training.rows import get_weight, training_rows
from automl.training.targets import build_scale, encode_target


class PackData:
    """Training and select rows in every form that a member has asked for."""

    def __init__(self, prepared: Prepared, task: Task, device: torch.device) -> None:
        self.prepared, self.device = prepared, device
        self.train = training_rows(prepared, is_refit=False)
        self.select = prepared.views.take(prepared.parts[Part.SELECT])
        self.target = encode_target(prepared, task, self.train).to(device)
        self.scale = build_scale(prepared, task, self.train)
        self._batches: dict[ColumnConfig, tuple[Batch, Batch]] = {}
        self._sources: dict[ColumnConfig, tuple[PackRows, PackRows]] = {}
        self._weights: dict[ClassWeights, Tensor | None] = {}

    def find_batch(self, config: Config) -> Batch:
        """The training rows as a network with this configuration reads them."""
        return self._find_batches(parse_columns(config))[0]

    def find_sources(self, config: Config, inputs: TabularInput) -> tuple[PackRows, PackRows]:
        """Training and select rows as a pack reads them for such a network."""
        columns = parse_columns(config)
        if columns not in self._sources:
            train, select = self._find_batches(columns)
            self._sources[columns] = (PackRows(train, inputs), PackRows(select, inputs))
        return self._sources[columns]

    def find_weights(self, loss: LossConfig) -> Tensor | None:
        """Weights of the training rows, None where all count the same."""
        if loss.class_weights not in self._weights:
            target, given = self.prepared.target[self.train], get_weight(self.prepared, self.train)
            weights = compute_row_weights(loss, target, given)
            self._weights[loss.class_weights] = (
                None if weights is None else torch.from_numpy(weights).to(self.device)
            )
        return self._weights[loss.class_weights]

    def _find_batches(self, columns: ColumnConfig) -> tuple[Batch, Batch]:
        if columns not in self._batches:
            train = self.prepared.views.take(self.train)
            batches = [
                build_batch(views, self.prepared.shape, columns).to(self.device)
                for views in (train, self.select)
            ]
            self._batches[columns] = (batches[0], batches[1])
        return self._batches[columns]
