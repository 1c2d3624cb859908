"""What packs gain on this machine: some steps of one network alone, and of several in one program."""

import time
from dataclasses import replace

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


def measure_gains(prepared: Prepared, task: Task, request: TrainRequest) -> dict[str, float]:
    """How many times quicker a network is among four in a pack than alone, by width, narrow ones first.

    After two seconds no wider ones are begun. The reference network, on a few batches of the rows that ``prepared`` holds; ``request`` says how large a
    batch is, where, and with how many threads. Raises what training raises.
    """
    rows = prepared.parts[Part.TRAIN][: N_STEPS * request.batch_size]
    select = prepared.parts[Part.SELECT][:MOST_SELECT]
    few = replace(prepared, parts={**prepared.parts, Part.TRAIN: rows, Part.SELECT: select})
    gains: dict[str, float] = {}
    clock = WorkClock(time.monotonic() + MOST_SECONDS)
    for width in WIDTHS:
        if clock.is_over:
            break
        config = {**MLP_DEFAULT, "width": width, "epochs": N_EPOCHS}
        member = replace(request, family="mlp", config=config, max_epochs=N_EPOCHS)
        alone = min(epoch.seconds for epoch in list(train(few, task, member))[1:])
        pack = PackRequest(members={n: replace(member, seed=n) for n in range(MEMBERS)})
        steps = list(train_pack(few, task, pack))
        shares = [epoch.seconds for step in steps[1:] for epoch in step.epochs.values()]
        gains[str(width)] = alone / min(shares)
    return gains
