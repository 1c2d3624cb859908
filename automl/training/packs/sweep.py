"""A learning-rate test: one network at 32 rates, in packs whose members differ in nothing else."""

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.errors import SpecError
from automl.models.tabular.plans import parse_plan
from automl.space.dimensions import Config
from automl.training.learning_rates import (
    N_STEPS,
    Floats,
    RateTest,
    compute_smoothed,
    find_obstacle,
    judge,
    list_rates,
    render_losses,
)
from automl.training.packs.measuring import take_few
from automl.training.packs.pack import Pack
from automl.training.packs.records import PackRequest
from automl.training.packs.steps import EpochSteps
from automl.training.request import TrainRequest
from automl.training.run import check_rows

MEMBERS = 8  # on a CPU 32 at once are no quicker and need four times the memory


def sweep_rates(
    prepared: Prepared, task: Task, request: TrainRequest, name: str
) -> Generator[float, None, RateTest]:
    """Train the network of ``request`` for 60 steps at each of 32 rates; yields the share that is done.

    Every network starts from the weights of the request's seed and reads the same batches with the same dropout, its
    rate constant from the first step on. Only training rows are read, at most as many as 60 batches hold. Repeatable
    on a CPU. Raises ``SpecError`` for a network that trains alone, ``DataError`` where the rows allow no training.
    """
    if obstacle := find_obstacle(request.family, request.config):
        raise SpecError(obstacle, hint="Test an MLP or a ResNet.")
    check_rows(prepared, task, is_refit=False)
    few = take_few(prepared, N_STEPS * request.batch_size)
    rates = list_rates()
    found: list[Floats] = []
    for start in range(0, len(rates), MEMBERS):
        members = {
            start + place: _set_rate(request, rate)
            for place, rate in enumerate(rates[start : start + MEMBERS])
        }
        losses = []
        for step in _train(few, task, members):
            losses.append(step.cpu())
            yield (start + len(members) * len(losses) / N_STEPS) / len(rates)
        found.append(torch.stack(losses, dim=1).double().numpy())
    return _build_record(few, request, name, np.concatenate(found))


def _set_rate(request: TrainRequest, rate: float) -> TrainRequest:
    optimizer = request.config["optimizer"]
    changes: Config = {"schedule": "steady", f"optimizer.{optimizer}.lr": rate}
    return replace(request, config={**request.config, **changes}, max_epochs=N_STEPS)


def _train(prepared: Prepared, task: Task, members: dict[int, TrainRequest]) -> Iterator[Tensor]:
    """The losses ``(members,)`` of one step after another, in the order of the members' numbers."""
    pack = Pack(prepared, task, PackRequest(members=members))
    for outcome in pack.ended.values():
        if isinstance(outcome, Exception):
            raise outcome
    program, order = pack.assemble()
    n_done = 0
    while n_done < N_STEPS:
        steps = EpochSteps(program, order, pack.data)
        for index in range(min(len(steps.chunks), N_STEPS - n_done)):
            n_done += 1
            yield steps.step(index)
        for member in order:
            member.epoch += 1  # the next pass has an order of its own


def _build_record(prepared: Prepared, request: TrainRequest, name: str, losses: Floats) -> RateTest:
    rates = list_rates()
    verdict = judge(rates, losses)
    with np.errstate(invalid="ignore", over="ignore"):
        smoothed = compute_smoothed(losses)
    plan = parse_plan(request.family, request.config)
    return RateTest(
        network=name,
        family=request.family,
        optimizer=plan.optimizer,
        chosen=plan.learning_rate,
        rates=rates,
        losses=render_losses(losses),
        smoothed=render_losses(smoothed),
        first_diverging=verdict.first_diverging,
        suggested=verdict.suggested,
        reason=verdict.reason,
        n_rows=len(prepared.parts[Part.TRAIN]),
        batch_size=request.batch_size,
        seed=request.seed,
    )
