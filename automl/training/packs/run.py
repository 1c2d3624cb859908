"""Train several networks as one program: the door for trainers and tests."""

from collections.abc import Generator

from automl.data.task import Task
from automl.data.views import Prepared
from automl.training.packs.pack import Pack
from automl.training.packs.records import PackAnswer, PackEpoch, PackRequest, check_alike
from automl.training.run import check_rows

PackTraining = Generator[PackEpoch, PackAnswer | None, None]


def train_pack(prepared: Prepared, task: Task, request: PackRequest) -> PackTraining:
    """Yield a ``PackEpoch`` after each epoch of all live members, take a ``PackAnswer`` for it.

    A member is trained as ``automl.training.run.train`` would train it alone: same first weights, same batches,
    same steps, so that without dropout it gives the same numbers but for rounding; dropout draws from random
    numbers of its own, whatever its neighbours are. A verb ends its member at once, told of with the next
    ``PackEpoch``. Ends when all members have ended and none joins. Raises ``DataError`` where the rows allow no
    training, ``SpecError`` for a member that cannot join; memory that runs out is the driver's to handle.
    """
    check_rows(prepared, task, is_refit=False)
    pack = Pack(prepared, task, request)
    while pack.members or pack.ended:
        epochs = pack.train_epoch()
        ended, pack.ended = pack.ended, {}
        pack.clock.pause()
        answer = yield PackEpoch(epochs=epochs, ended=ended)
        pack.clock.resume()
        if answer is not None:
            pack.answer(answer.verbs)
            check_alike((next(iter(request.members.values())), *answer.joins.values()))
            pack.enter(answer.joins)
