"""One member of a pack: its network, its best epoch, and what is left when it ends."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from automl.data.task import Task, TaskType
from automl.data.views import Prepared, Views
from automl.errors import DataError
from automl.models.catalog import resolve_build
from automl.models.tabular.config import PlanConfig
from automl.models.tabular.inputs import Batch
from automl.models.tabular.layers import count_parameters, has_batch_norm
from automl.models.tabular.loss_config import LossConfig, parse_loss
from automl.models.tabular.network_model import NetworkModel, TargetScale
from automl.models.tabular.packed.layout import State
from automl.models.tabular.packed.networks import get_depth
from automl.models.tabular.plans import parse_plan
from automl.training.clock import WorkClock
from automl.training.device import compute_peak_memory, derive_seed
from automl.training.epoch import Epoch
from automl.training.losses import check_loss
from automl.training.network import Steps, describe_steps
from automl.training.request import Trained, TrainRequest
from automl.training.schedules import compute_factor
from automl.training.scoring import Scorer


@dataclass(kw_only=True, slots=True)
class Member:
    """A network in a pack; ``epoch`` counts those that are done, ``seconds`` its share of the pack's time."""

    number: int
    request: TrainRequest
    plan: PlanConfig
    loss: LossConfig
    model: NetworkModel
    n_epochs: int
    drops_single: bool
    epoch: int = 0
    n_steps_done: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_score: float = -np.inf
    best_weights: State = field(default_factory=dict)
    clipped: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """Hidden layers or blocks."""
        return get_depth(self.request.family, self.request.config)

    @property
    def seed(self) -> int:
        """The seed of the epoch that comes next, as the network alone would have it."""
        return derive_seed(self.request.seed, self.epoch + 1)

    @property
    def is_impatient(self) -> bool:
        """Whether the best epoch lies too far back."""
        return self.epoch - self.best_epoch >= self.plan.patience

    @property
    def is_done(self) -> bool:
        """Whether its horizon is reached or its patience is over."""
        return self.epoch >= self.n_epochs or self.is_impatient

    def is_better(self, score: float) -> bool:
        """Whether a score is better than all before."""
        return not self.best_epoch or score > self.best_score

    def count_chunks(self, n_rows: int) -> int:
        """Steps of an epoch; a last batch of one row is no batch for batch norm."""
        size = self.request.batch_size
        n_full, rest = divmod(n_rows, size)
        return n_full + (rest > (1 if self.drops_single else 0))

    def compute_rate(self, index: int, n_chunks: int) -> float:
        """The learning rate of a step of the coming epoch."""
        n_steps = self.plan.n_epochs * n_chunks
        step = min(self.epoch * n_chunks + index, n_steps - 1)
        return self.plan.learning_rate * compute_factor(self.plan.schedule, step, n_steps)

    def take_epoch(
        self, steps: Steps, score: float, loss: float, weights: State | None, seconds: float
    ) -> Epoch:
        """Count an epoch; ``weights`` come with a score that ``is_better`` and are kept."""
        self.epoch += 1
        self.clipped.append(steps.clipped)
        self.seconds += seconds
        if weights is not None:
            self.best_epoch, self.best_score, self.best_weights = self.epoch, score, weights
        return Epoch(
            number=self.epoch,
            train_loss=steps.loss,
            select_loss=loss,
            score=score,
            learning_rate=steps.learning_rate,
            seconds=seconds,
            is_best=weights is not None,
            clipped=steps.clipped,
            gradient_norm=steps.gradient_norm,
            gradient_norm_max=steps.gradient_norm_max,
            update_ratio=steps.update_ratio,
        )

    def finish(self, views: Views, scorer: Scorer, *, was_pruned: bool) -> Trained:
        """The best epoch as an ordinary network; ``views`` are those of the select part."""
        clock = WorkClock(None)
        network = self.model.network
        network.load_state_dict(network.state_dict() | self.best_weights)
        network.eval()
        prediction = self.model.predict(views)
        return Trained(
            score=self.best_score,
            metrics=scorer.compute_metrics(prediction),
            n_parameters=count_parameters(network),
            best_epoch=self.best_epoch,
            n_epochs=self.epoch,
            fit_seconds=self.seconds,
            predict_seconds=clock.seconds,
            peak_memory_bytes=compute_peak_memory(self.model.device),
            select_prediction=prediction,
            predictor=self.model,
            was_pruned=was_pruned,
            warnings=(*self.warnings, *describe_steps(self.clipped)),
        )


def build_member(
    number: int, request: TrainRequest, prepared: Prepared, task: Task, *,
    batch: Batch, target: TargetScale, device: torch.device,
) -> Member:  # fmt: skip
    """A member with the weights that its seed gives the network alone; ``batch`` are its training rows.

    Raises ``SpecError`` or ``DataError`` where it could not be trained alone either.
    """
    loss = parse_loss(request.config, is_regression=task.type is TaskType.REGRESSION)
    check_loss(loss, task)
    torch.manual_seed(derive_seed(request.seed, 0))
    network = resolve_build(request.family)(request.config, prepared.shape)
    network.fit_inputs(batch.numeric)
    drops_single = has_batch_norm(network)
    if drops_single and len(batch) < 2:
        raise DataError(f"Batch norm needs two training rows, there is {len(batch)}.")
    plan = parse_plan(request.family, request.config)
    return Member(
        number=number,
        request=request,
        plan=plan,
        loss=loss,
        model=NetworkModel(
            family=request.family,
            config=request.config,
            shape=prepared.shape,
            target=target,
            network=network.to(device),
            device=device,
        ),
        n_epochs=min(request.max_epochs, plan.n_epochs),
        drops_single=drops_single,
    )


def draw_order(member: Member, n_rows: int) -> Tensor:
    """The rows in the order of the coming epoch, as the network alone would read them."""
    return torch.randperm(n_rows, generator=torch.Generator().manual_seed(member.seed))
