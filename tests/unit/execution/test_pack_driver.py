"""What the driver of a pack hears, with real packs and in an order that no race can change."""

import queue

from automl.data.task import TaskType
from automl.execution.messages import Answer, EpochDone, Train, TrainPack, TrialDone, Verb
from automl.execution.pack_driver import PackDriver, PackTools
from automl.training.packs.records import PackAnswer, PackRequest
from automl.training.packs.run import train_pack
from tests.unit.training.tables import SMALL_MLP, build_prepared, build_request, build_task


def build_member(trial, folder, max_epochs):
    return Train(
        trial=trial,
        attempt=1,
        family="mlp",
        config=SMALL_MLP,
        seed=trial,
        batch_size=64,
        max_epochs=max_epochs,
        out=str(folder / f"trial-{trial}"),
    )


def build_tools(reports, commands):
    """As a trainer does, but that reports are kept."""
    prepared, task = build_prepared(TaskType.BINARY, n_rows=200), build_task(TaskType.BINARY)
    return PackTools(
        commands=commands,
        send=reports.append,
        build=lambda member: build_request(
            "mlp", SMALL_MLP, seed=member.seed, max_epochs=member.max_epochs
        ),
        train=lambda members: train_pack(prepared, task, PackRequest(members=members)),
        answer=lambda verbs, joins: PackAnswer(verbs=verbs, joins=joins),
        measure=lambda _member, _trained: {},
    )


def run_with_joining(folder, joining, *verbs):
    reports, commands = [], queue.SimpleQueue()
    commands.put(TrainPack(members=(joining,)))
    for verb in verbs:
        commands.put(Answer(trial=joining.trial, verb=verb))
    driver = PackDriver(build_tools(reports, commands))
    assert driver.run([build_member(1, folder, max_epochs=5)]) is None
    ends = {each.trial: each.n_epochs for each in reports if isinstance(each, TrialDone)}
    told = [each for each in reports if isinstance(each, EpochDone)]
    assert len(told) == sum(ends.values())
    return ends


def test_a_stop_that_comes_with_a_joining_member_is_heard_after_its_first_epoch(tmp_path):
    joining = build_member(2, tmp_path, max_epochs=4)
    assert run_with_joining(tmp_path / "free", joining) == {1: 5, 2: 4}
    assert run_with_joining(tmp_path / "stopped", joining, Verb.STOP) == {1: 5, 2: 1}


def test_a_stop_for_a_member_that_ended_with_its_first_epoch_is_no_matter(tmp_path):
    joining = build_member(2, tmp_path, max_epochs=1)
    assert run_with_joining(tmp_path, joining, Verb.STOP) == {1: 5, 2: 1}
