"""What packs gain on this machine: some steps of one network alone, and of several in one program."""

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.models.starts import MLP_DEFAULT
from automl.training.clock import WorkClock
from automl.training.packs.records import PackRequest
from automl.training.packs.run import train_pack
from automl.training.request import TrainRequest
from automl.training.run import train

WIDTHS = (64, 128, 256)
MEMBERS = 4
N_STEPS = 3
N_EPOCHS = 3  # the quicker one after the first counts: less ran beside it
MOST_SELECT = 1_000
MOST_SECONDS = 2.0
LATEST_SECONDS = 10.0  # what has begun is given up then


def measure_gains(prepared: Prepared, task: Task, request: TrainRequest) -> dict[str, float]:
    """How many times quicker a network is among four in a pack than alone, by width, narrow ones first.

    After two seconds no wider ones are begun, and after ten none has a gain. The reference network, on a few batches
    of the rows that ``prepared`` holds; ``request`` says how large a batch is, where, and with how many threads.
    Raises what training raises.
    """
    few = take_few(prepared, N_STEPS * request.batch_size)
    gains: dict[str, float] = {}
    started = time.monotonic()
    clock, end = WorkClock(started + MOST_SECONDS), WorkClock(started + LATEST_SECONDS)
    request = replace(request, family="mlp", max_epochs=N_EPOCHS, deadline=started + LATEST_SECONDS)
    for width in WIDTHS:
        if clock.is_over:
            break
        config = {**MLP_DEFAULT, "width": width, "epochs": N_EPOCHS}
        seconds = _time_alone_and_packed(few, task, replace(request, config=config))
        if end.is_over:
            break  # an epoch that was cut says nothing
        alone, packed = map(min, seconds)
        gains[str(width)] = alone / packed
    return gains


def _time_alone_and_packed(
    few: Prepared, task: Task, member: TrainRequest
) -> tuple[list[float], list[float]]:
    """Seconds of every epoch but the first, alone and as a share of the pack's."""
    alone = [epoch.seconds for epoch in list(train(few, task, member))[1:]]
    pack = PackRequest(members={n: replace(member, seed=n) for n in range(MEMBERS)})
    steps = list(train_pack(few, task, pack))
    return alone, [epoch.seconds for step in steps[1:] for epoch in step.epochs.values()]


def take_few(prepared: Prepared, n_train: int) -> Prepared:
    """The same with at most ``n_train`` training and 1,000 select rows, of every part of a sorted table."""
    parts = {
        **prepared.parts,
        Part.TRAIN: _spread(prepared, Part.TRAIN, n_train),
        Part.SELECT: _spread(prepared, Part.SELECT, MOST_SELECT),
    }
    return replace(prepared, parts=parts)


def _spread(prepared: Prepared, part: Part, most: int) -> NDArray[np.int64]:
    """Rows of a part at equal distances in the order of the target: a table may be sorted, and a class rare."""
    rows = prepared.parts[part]
    if len(rows) <= most:
        return rows
    ranked = rows[np.argsort(prepared.target[rows], kind="stable")]
    places = np.linspace(0, len(rows) - 1, most).round().astype(np.int64)
    return np.sort(ranked[places])
