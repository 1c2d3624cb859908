"""The training loop of one network: a generator of epochs, best weights restored on every exit."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared
from automl.errors import DataError
from automl.models.catalog import resolve_build
from automl.models.tabular.config import PlanConfig, parse_columns
from automl.models.tabular.inputs import Batch, build_batch
from automl.models.tabular.layers import Dropouts, count_parameters, has_batch_norm
from automl.models.tabular.loss_config import LossConfig, parse_loss
from automl.models.tabular.network_model import NetworkModel
from automl.models.tabular.plans import parse_plan
from automl.training.best_epoch import BestEpoch
from automl.training.clock import WorkClock
from automl.training.device import compute_peak_memory, derive_seed, get_device
from automl.training.diagnostics import Gauge, check_finite, describe_inputs
from automl.training.epoch import Epoch, Verb
from automl.training.losses import check_loss, compute_loss, compute_row_weights
from automl.training.optimisers import build_optimizer, set_rates
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer, get_weight, training_rows
from automl.training.schedules import compute_factor
from automl.training.targets import build_scale, encode_target

MANY_CLIPPED = 0.3
CHECK_STEPS = 16  # steps between two looks at the clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Some rows on the device: inputs, the target as the loss wants it, and weights of mean 1 where rows differ."""

    batch: Batch
    target: Tensor
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """What the steps of one epoch gave."""

    loss: float
    clipped: float
    gradient_norm: float
    gradient_norm_max: float
    update_ratio: float | None
    learning_rate: float
    is_cut: bool


class NetworkRun:
    """A network, its optimiser and its rows; ``train_epoch`` does one pass."""

    def __init__(self, prepared: Prepared, task: Task, request: TrainRequest) -> None:
        self.request = request
        self.task = task
        self.device = get_device(request.device, request.threads)
        self.plan: PlanConfig = parse_plan(request.family, request.config)
        self.loss: LossConfig = parse_loss(
            request.config, is_regression=task.type is TaskType.REGRESSION
        )
        check_loss(self.loss, task)
        self.n_steps_done = 0
        self.rows = self._load_rows(prepared)
        torch.manual_seed(derive_seed(request.seed, 0))
        network = resolve_build(request.family)(request.config, prepared.shape)
        network.fit_inputs(self.rows.batch.numeric)
        network.to(self.device).fit_weights(self.rows.batch)
        self.model = NetworkModel(
            family=request.family,
            config=request.config,
            shape=prepared.shape,
            target=build_scale(prepared, task, training_rows(prepared, is_refit=request.is_refit)),
            network=network.train(),
            device=self.device,
        )
        self.optimizer = build_optimizer(self.model.network, self.plan)
        self.dropouts = Dropouts(self.model.network)
        self.drops_single = has_batch_norm(self.model.network)
        if self.drops_single and len(self.rows) < 2:
            raise DataError(f"Batch norm needs two training rows, there is {len(self.rows)}.")

    def _load_rows(self, prepared: Prepared) -> Rows:
        rows = training_rows(prepared, is_refit=self.request.is_refit)
        columns = parse_columns(self.request.config)
        batch = build_batch(prepared.views.take(rows), prepared.shape, columns)
        weight = compute_row_weights(self.loss, prepared.target[rows], get_weight(prepared, rows))
        return Rows(
            batch=batch.to(self.device),
            target=encode_target(prepared, self.task, rows).to(self.device),
            weight=None if weight is None else torch.from_numpy(weight).to(self.device),
        )

    def train_epoch(self, number: int, clock: WorkClock) -> Steps:
        """One pass over the training rows, or what the deadline leaves of it."""
        seed = derive_seed(self.request.seed, number)
        torch.manual_seed(seed)  # dropout, whatever else drew numbers in between
        order = torch.randperm(len(self.rows), generator=torch.Generator().manual_seed(seed))
        chunks = torch.split(order.to(self.device), self.request.batch_size)
        if self.drops_single and len(chunks[-1]) == 1:
            chunks = chunks[:-1]
        losses, norms = [], []
        is_cut, rate = False, 0.0
        gauge = Gauge(self.model.network)
        first = (number - 1) * len(chunks)
        n_steps = self.plan.n_epochs * len(chunks)
        for index, rows in enumerate(chunks):
            if index and index % CHECK_STEPS == 0 and clock.is_over:
                is_cut = True
                break
            step = min(first + index, n_steps - 1)
            rate = self._follow_plan(step, n_steps)
            if index == len(chunks) - 1:
                gauge.mark()
            loss, norm = self._step(rows)
            losses.append(loss * len(rows))
            norms.append(norm)
        all_norms = torch.stack(norms)
        self._check_finite(torch.stack(losses), all_norms)
        n_rows = sum(len(rows) for rows in chunks[: len(losses)])
        self.n_steps_done += len(losses)
        return Steps(
            loss=float(torch.stack(losses).sum()) / n_rows,
            clipped=float((all_norms > self.plan.clip_norm).float().mean()),
            gradient_norm=float(all_norms.median()),
            gradient_norm_max=float(all_norms.max()),
            update_ratio=gauge.measure(),
            learning_rate=rate,
            is_cut=is_cut,
        )

    def _follow_plan(self, step: int, n_steps: int) -> float:
        """Set rates, decay and dropout as they are at this step; the learning rate."""
        plan = self.plan
        rate = plan.learning_rate * compute_factor(plan.schedule, step, n_steps)
        set_rates(self.optimizer, rate, compute_factor(plan.decay_schedule, step, n_steps))
        if plan.dropout_schedule != "steady":
            self.dropouts.set_factor(compute_factor(plan.dropout_schedule, step, n_steps))
        return rate

    def _step(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        network = self.model.network
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            output = network(self.rows.batch.take(rows))
        target = self.rows.target[rows]
        weight = None if self.rows.weight is None else self.rows.weight[rows]
        loss = compute_loss(self.loss, *spread_copies(output.float(), target, weight))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(
            network.parameters(), self.plan.clip_norm, foreach=True
        )
        self.optimizer.step()
        return loss.detach(), norm.detach()

    def _check_finite(self, losses: Tensor, norms: Tensor) -> None:
        rate = f" (learning rate {self.plan.learning_rate:.3g})"
        check_finite(
            losses, norms, self.n_steps_done, rate + describe_inputs(self.rows.batch.numeric)
        )

    def finish(self, state: dict[str, Tensor]) -> None:
        """Put the kept weights back and switch to evaluation."""
        self.model.network.load_state_dict(state)
        self.model.network.eval()

    def copy_state(self) -> dict[str, Tensor]:
        """The weights, copied."""
        state = self.model.network.state_dict()
        return {name: tensor.detach().clone() for name, tensor in state.items()}


def spread_copies(
    output: Tensor, target: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Outputs ``(n, n_copies, K)`` as rows of their own, each with its row's target and weight.

    The mean of the copies' losses trains each of them; the loss of their mean would train one big network.
    """
    if output.dim() < 3:
        return output, target, weight
    n_copies = output.shape[1]
    spread = None if weight is None else weight.repeat_interleave(n_copies)
    return output.flatten(0, 1), target.repeat_interleave(n_copies), spread


def train_network(
    prepared: Prepared, task: Task, request: TrainRequest
) -> Generator[Epoch, Verb | None, Trained]:
    """Train one network; see ``automl.training.run.train``."""
    clock = WorkClock(request.deadline)
    run = NetworkRun(prepared, task, request)
    select = prepared.parts[Part.SELECT][: 0 if request.is_refit else None]
    scorer = build_scorer(prepared, task, select)
    select_batch = run.model.build_batch(prepared.views.take(select))
    n_epochs = min(request.max_epochs, run.plan.n_epochs)
    best = BestEpoch()
    verb: Verb | None = None
    number = 0
    clipped: list[float] = []
    warnings: list[str] = []
    for number in range(1, n_epochs + 1):
        started = clock.seconds
        steps = run.train_epoch(number, clock)
        clipped.append(steps.clipped)
        score, loss = None, None
        if not request.is_refit:
            prediction = run.model.predict_batch(select_batch)
            score, loss = scorer.compute_score(prediction), scorer.compute_loss(prediction)
        is_best = best.offer(number, score, run)
        clock.pause()
        verb = yield Epoch(
            number=number,
            train_loss=steps.loss,
            select_loss=loss,
            score=score,
            learning_rate=steps.learning_rate,
            seconds=clock.seconds - started,
            is_best=is_best,
            clipped=steps.clipped,
            gradient_norm=steps.gradient_norm,
            gradient_norm_max=steps.gradient_norm_max,
            update_ratio=steps.update_ratio,
        )
        clock.resume()
        if verb in (Verb.PRUNE, Verb.STOP) or (
            not request.is_refit and number - best.epoch >= run.plan.patience
        ):
            break
        if steps.is_cut or (clock.is_over and number < n_epochs):
            warnings.append(f"Time ran out in epoch {number} of {n_epochs}.")
            break
    run.finish(best.state)
    fit_seconds = clock.seconds
    prediction = run.model.predict(prepared.views.take(select))
    return Trained(
        score=None if request.is_refit else best.score,
        metrics={} if request.is_refit else scorer.compute_metrics(prediction),
        n_parameters=count_parameters(run.model.network),
        best_epoch=best.epoch,
        n_epochs=number,
        fit_seconds=fit_seconds,
        predict_seconds=clock.seconds - fit_seconds,
        peak_memory_bytes=compute_peak_memory(run.device),
        select_prediction=prediction,
        predictor=run.model,
        was_pruned=verb is Verb.PRUNE,
        warnings=(*warnings, *describe_steps(clipped)),
    )


def describe_steps(clipped: list[float]) -> Iterator[str]:
    """What the person should know about the steps that were taken."""
    share = float(np.mean(clipped))
    if share > MANY_CLIPPED:
        yield f"{share:.0%} of the steps had their gradient cut."
